"""Calls to a Pagure: ogr's service with our time-outs and errors. Only ``clients`` imports it.

ogr's own service waits for ever, sends again what was answered 403, and keeps neither status nor headers of a 5xx.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from ogr.exceptions import OgrException
from ogr.services.pagure.service import PagureService
from ogr.utils import RequestResponse

from packit_worker import tracing
from packit_worker.clients import http_errors
from packit_worker.clients.budget import Budget
from packit_worker.clients.http import SHORTEST_SECRET, USER_AGENT
from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError

SYSTEM = "Pagure"
#: What becomes of an answer of success that is not in the form agreed on.
NONSENSE = (KeyError, TypeError, AttributeError, ValueError, OgrException)


class Service(PagureService):
    """One account at a Pagure, or nobody (``token`` None). Safe to use from several threads.

    Each thread has its own connections. Redirects are not followed. ``timeout`` is in seconds.
    """

    def __init__(self, url: str, token: str | None, timeout: float, budget: Budget | None = None) -> None:
        super().__init__(token=token or None, instance_url=url, user_agent=USER_AGENT)
        self._timeout = timeout
        self._budget = budget or Budget(f"{SYSTEM}'s rate limit")
        self._local = threading.local()

    def call_api_raw(
        self,
        url: str,
        method: str | None = None,
        params: Any = None,
        header: dict[str, str] | None = None,
        data: Any = None,
    ) -> RequestResponse:
        """Send one request, once. Raises the errors of ``packit_worker.errors`` for all but success."""
        method = (method or "GET").upper()
        # It is asked with POST who we are, which changes nothing.
        write = method != "GET" and not url.endswith("/-/whoami")
        self._budget.check()
        try:
            with tracing.call(SYSTEM, method, url) as part:
                response = self._session().request(
                    method,
                    url,
                    params=params,
                    data=data,
                    headers=self.header | (header or {}),
                    timeout=self._timeout,
                    allow_redirects=False,
                )
                part.answered(response.status_code)
        except requests.RequestException as error:
            raise http_errors.from_failure(error, system=SYSTEM, write=write) from error
        told = _json(response)
        if not 200 <= response.status_code < 300:
            words = self._hide(_words(told) or response.reason or "")
            meaning = http_errors.from_answer(
                response.status_code, response.headers, words, system=SYSTEM, write=write
            )
            raise self._budget.hit(meaning) if isinstance(meaning, RateLimited) else meaning
        return RequestResponse(
            status_code=response.status_code,
            ok=True,
            content=response.content,
            json=told,
            reason=response.reason,
        )

    def close(self) -> None:
        """Close this thread's connections."""
        self._session().close()

    def _hide(self, words: str) -> str:
        if self._token and len(self._token) >= SHORTEST_SECRET:
            return words.replace(self._token, "***")
        return words

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # Without an own auth, requests would replace our Authorization header by an entry of ~/.netrc.
            session.auth = _as_it_is
            self._local.session = session
        return session


@contextmanager
def talking(service: Service, *, write: bool = False) -> Iterator[Service]:
    """Hold around one operation: turns answers in an unknown form into our errors."""
    try:
        yield service
    except (TemporaryError, NotFound, Refused):
        raise
    except NONSENSE as error:
        words = f"{type(error).__name__}: {error}"
        raise http_errors.from_nonsense(words, system=SYSTEM, write=write) from error


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _words(told: Any) -> str:
    """Pagure's message, with what it says of the fields of a form."""
    if not isinstance(told, dict):
        return ""
    words = [str(told.get("error") or "")]
    errors = told.get("errors")
    if isinstance(errors, dict):
        words += [f"{field}: {' '.join(map(str, said))}" for field, said in errors.items()]
    return "; ".join(word for word in words if word)
