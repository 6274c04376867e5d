"""The body of a request: read up to a size and no further, within a time. Used by the doors of this folder."""

from __future__ import annotations

import time
from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType

from packit_worker.intake import Unreadable, decode

#: The whole body has to be here within so many seconds: GitHub itself gives up after ten.
READ_SECONDS = 10.0
#: In the WSGI environment of a server that wants to know: to be called when the body has been read.
BODY_IS_HERE = "packit_worker.body_is_here"
_PIECE = 64 * 1024


def read_body(request: Request, limit: int) -> bytes:
    """The raw body. Raises 413 beyond ``limit`` bytes, 415 if compressed, 408 or 400 if it does not come whole."""
    length = request.content_length
    if length is not None and length > limit:
        raise _too_large(limit)
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("send the body as it is: a Content-Encoding is not taken")
    if length is None and not request.environ.get("wsgi.input_terminated"):
        return b""
    body = _read(request.environ, limit if length is None else length, is_endless=length is None)
    if length is not None and len(body) < length:
        raise BadRequest("the body is shorter than its Content-Length")
    return body


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises 400 in words for the sender."""
    try:
        found = decode(raw)
    except Unreadable as error:
        raise BadRequest(str(error)) from None
    if not isinstance(found, dict):
        raise BadRequest("the body has to be a JSON object")
    return found


def _read(environ: dict[str, Any], most: int, *, is_endless: bool) -> bytes:
    """``most`` bytes of the stream at most; 413 when the stream is endless and holds more."""
    stream = environ["wsgi.input"]
    deadline = time.monotonic() + READ_SECONDS
    pieces = bytearray()
    while len(pieces) < most or is_endless:
        try:
            piece = stream.read(min(_PIECE, max(1, most - len(pieces))))
        except Exception as error:
            # Whatever the server's reader stumbles over is the sender's doing: broken chunks, a closed connection.
            raise BadRequest(f"the body broke off ({type(error).__name__})") from None
        if not piece:
            break
        if len(pieces) + len(piece) > most:
            raise _too_large(most)
        if time.monotonic() > deadline:
            raise RequestTimeout(f"the body did not come within {READ_SECONDS:.0f} seconds")
        pieces += piece
    if BODY_IS_HERE in environ:
        environ[BODY_IS_HERE]()
    return bytes(pieces)


def _too_large(limit: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"the body is longer than {limit} bytes")
