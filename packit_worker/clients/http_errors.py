"""The one place that says which error of ``packit_worker.errors`` an HTTP exchange ended in. For ``clients`` only.

The question that decides is whether the other side may have carried the request out: a write that was sent and not
answered is Unanswered, and has to be looked for before it is sent again; a read is just tried again.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import requests
import urllib3.exceptions

from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError, Unanswered

#: How much of the other side's words is kept, in characters.
WORDS_LIMIT = 500
#: Seconds to keep away after a limit that does not say for how long: GitHub asks for at least a minute,
#: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
DEFAULT_PAUSE = 60.0


def from_failure(error: Exception, *, system: str, write: bool) -> TemporaryError:
    """What it means that an exchange with ``system`` broke off before a whole answer came."""
    words = _reason(error)
    if never_left(error):
        return TemporaryError(f"{system} cannot be reached: {words}")
    if write:
        return Unanswered(f"{system} did not answer: {words}")
    return TemporaryError(f"{system} did not answer: {words}")


def from_answer(
    status: int, headers: Mapping[str, object], words: str, *, system: str, write: bool
) -> TemporaryError | NotFound | Refused:
    """What an answer with this HTTP status means; ``words`` are those of the other side, without secrets."""
    words = " ".join(words.split())[:WORDS_LIMIT]
    said = f"{system} answered {status}" + (f": {words}" if words else "")
    if status == 404:
        return NotFound(said)
    if is_rate_limit(status, headers, words):
        return RateLimited(said, retry_after=retry_after(headers) or DEFAULT_PAUSE)
    if status == 503:
        return TemporaryError(said, retry_after=retry_after(headers))
    if status == 408 or status >= 500:
        return Unanswered(said) if write else TemporaryError(said)
    return Refused(said, status=status, answer=words)


def from_nonsense(words: str, *, system: str, write: bool) -> TemporaryError:
    """What it means that an answer of success was not in the form agreed on (a proxy's page, a cut-off body)."""
    said = f"{system} answered in an unknown form: {words[:WORDS_LIMIT]}"
    return Unanswered(said) if write else TemporaryError(said)


def never_left(error: Exception) -> bool:
    """Whether the exchange failed while connecting, so that the other side cannot have seen the request."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    if not isinstance(error, requests.exceptions.ConnectionError):
        return False
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.SSLError):
        return any(isinstance(part, ssl.SSLCertVerificationError) for part in reason.args)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def is_rate_limit(status: int, headers: Mapping[str, object], words: str) -> bool:
    """Whether an answer says "too much" rather than "no".

    GitHub answers both with 403, see https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if status == 429:
        return True
    if status != 403:
        return False
    plain = _lower(headers)
    return (
        "retry-after" in plain or plain.get("x-ratelimit-remaining") == "0" or "rate limit" in words.lower()
    )


def retry_after(headers: Mapping[str, object]) -> float | None:
    """Seconds to wait by ``Retry-After`` (seconds or a date) or, when nothing remains, by GitHub's reset time."""
    plain = _lower(headers)
    if (value := plain.get("retry-after")) is not None:
        try:
            return max(0.0, float(value))
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except ValueError:
            return None
    if plain.get("x-ratelimit-remaining") == "0":
        try:
            return max(1.0, float(plain.get("x-ratelimit-reset", "")) - time.time() + 1)
        except ValueError:
            return None
    return None


def _lower(headers: Mapping[str, object]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in headers.items()}


def _reason(error: Exception) -> str:
    """The innermost cause in few words; requests' own text repeats the whole URL."""
    inner: object = error
    if isinstance(error, requests.exceptions.Timeout):
        return "timed out"
    while isinstance(inner, BaseException):
        deeper = getattr(inner, "reason", None) or (inner.args[-1] if inner.args else None)
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    text = str(inner).rsplit(">: ", 1)[-1]
    return (text or type(error).__name__)[:WORDS_LIMIT]
