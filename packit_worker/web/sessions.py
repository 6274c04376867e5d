"""Operators and their sessions: who is logged in, and whether a form was filled in on one of our pages.

A session is a signed cookie. Its key is made of all the operators' tokens, so that a token that is changed or taken
away ends every session. Whoever has no token cannot do anything here, and gets no cookie.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask, request, session

from packit_worker.config.service import OperatorConfig, ServiceConfig
from packit_worker.web.answers import refuse
from packit_worker.web.body import read_body
from packit_worker.web.door import the_door

log = logging.getLogger(__name__)

#: How long a session lasts, however much it is used.
LIFETIME = timedelta(hours=12)
#: The longest form that is read, in bytes.
_LONGEST_FORM = 16 * 1024
_FORM = "application/x-www-form-urlencoded"
_PURPOSE = b"packit_worker: sessions of operators"


def install(app: Flask, settings: ServiceConfig) -> None:
    """Let an application keep sessions, and its templates know whose this is."""
    app.config.update(
        SECRET_KEY=_key(settings.operators),
        SESSION_COOKIE_NAME="operator",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=settings.server_url.startswith("https:"),
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
    )

    @app.context_processor
    def known() -> dict[str, Any]:
        return {
            "operator": operator(),
            "form_token": session.get("form"),
            "has_operators": bool(settings.operators),
        }


def operator() -> str | None:
    """The operator whose session this is."""
    if not the_door().settings.operators:
        return None
    name = session.get("name")
    return name if isinstance(name, str) else None


def log_in(name: str, token: str) -> bool:
    """Begin a session of the operator whose name and token these are; False if they are nobody's."""
    found = [
        each
        for each in the_door().settings.operators
        # every token is looked at, so that the time it takes tells nothing
        if (each.token == token) & (each.name == name)
    ]
    if not found:
        log.warning("somebody has failed to log in")
        return False
    session.clear()
    session.permanent = True
    session.update(name=found[0].name, form=secrets.token_urlsafe(32))
    return True


def log_out() -> None:
    """End the session."""
    session.clear()


def watching() -> str:
    """The operator who looks at what only operators may see. Raises 401."""
    name = operator()
    if name is None:
        raise refuse(401, "this is for operators: log in")
    return name


def acting(form: Mapping[str, str]) -> str:
    """The operator who has filled in this form, on one of our pages. Raises 401 and 403."""
    name = watching()
    expected = str(session.get("form"))
    if not hmac.compare_digest(expected.encode(), form.get("form_token", "").encode()):
        raise refuse(403, "this form is of no page of this session: load the page again")
    return name


def read_form() -> dict[str, str]:
    """The form that was sent from one of our pages. Raises 403 if it was sent from another, 415, 413 and 400."""
    if not _is_from_here():
        raise refuse(403, "this form was sent from the page of another site")
    if request.mimetype != _FORM:
        raise refuse(415, f"send a form ({_FORM})")
    body = read_body(request, _LONGEST_FORM)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise refuse(400, "the form cannot be read") from None


def _is_from_here() -> bool:
    """What the browser says about the page that sends this; another client need not say anything."""
    origin = request.headers.get("Origin")
    hosts = (request.host, urlsplit(the_door().settings.server_url).netloc)
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none") and (
        origin is None or urlsplit(origin).netloc in hosts
    )


def _key(operators: Iterable[OperatorConfig]) -> bytes | None:
    tokens = sorted(f"{each.name}\n{each.token.reveal()}" for each in operators)
    return hmac.digest("\0".join(tokens).encode(), _PURPOSE, sha256) if tokens else None
