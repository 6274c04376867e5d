"""Calls to a GitLab: python-gitlab's client with our time-outs, budget and errors. Only ``clients`` imports it.

python-gitlab's own requests wait for ever, sleep through rate limits, and are sent again. ogr's project on top of it
reads the project, and often a whole list, before it does what was asked: it is not used here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gitlab
import requests
from gitlab.exceptions import GitlabError

from packit_worker import tracing
from packit_worker.clients import http_errors
from packit_worker.clients.budget import Budget
from packit_worker.clients.http import SHORTEST_SECRET, USER_AGENT
from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError

SYSTEM = "GitLab"
#: What becomes of an answer of success that is not in the form agreed on.
NONSENSE = (KeyError, TypeError, AttributeError, ValueError, GitlabError)


class Api(gitlab.Gitlab):
    """One account at a GitLab, or nobody (``token`` None). Safe to use from several threads.

    Each thread has its own connections. Redirects are not followed, nothing is sent twice. ``timeout`` is in seconds.
    """

    def __init__(self, url: str, token: str | None, timeout: float, budget: Budget | None = None) -> None:
        super().__init__(
            url=url, private_token=token or None, timeout=timeout, user_agent=USER_AGENT, keep_base_url=True
        )
        self.budget = budget or Budget(f"{SYSTEM}'s rate limit")
        self._local = threading.local()

    def http_request(
        self,
        verb: str,
        path: str,
        query_data: dict[str, Any] | None = None,
        post_data: Any = None,
        raw: bool = False,
        streamed: bool = False,
        files: dict[str, Any] | None = None,
        timeout: float | None = None,
        obey_rate_limit: bool = True,
        retry_transient_errors: bool | None = None,
        max_retries: int = 10,
        extra_headers: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Send one request, once. Raises the errors of ``packit_worker.errors`` for all but success."""
        write = verb.lower() != "get"
        with self.budget.turn(write=write):
            try:
                with tracing.call(SYSTEM, verb.upper(), self._build_url(path)) as part:
                    response = self._session().request(
                        verb.upper(),
                        self._build_url(path),
                        params={**(query_data or {}), **kwargs},
                        json=post_data,
                        headers={**self.headers, **(extra_headers or {})},
                        timeout=timeout or self.timeout,
                        stream=streamed,
                        allow_redirects=False,
                    )
                    part.answered(response.status_code)
            except requests.RequestException as error:
                raise http_errors.from_failure(error, system=SYSTEM, write=write) from error
        self._look_at_limits(response)
        if 200 <= response.status_code < 300:
            return response
        words = self._hide(_words(response) or response.reason or "")
        meaning = http_errors.from_answer(
            response.status_code, response.headers, words, system=SYSTEM, write=write
        )
        if isinstance(meaning, RateLimited):
            raise self.budget.hit(meaning)
        raise meaning

    def close(self) -> None:
        """Close this thread's connections."""
        self._session().close()

    def _look_at_limits(self, response: requests.Response) -> None:
        """https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers"""
        told = [response.headers.get(f"RateLimit-{name}", "") for name in ("Remaining", "Limit", "Reset")]
        if all(value.isdecimal() for value in told):
            remaining, limit, reset_at = map(int, told)
            self.budget.saw(remaining=remaining, limit=limit, reset_at=float(reset_at))

    def _hide(self, words: str) -> str:
        token = self.private_token
        return words.replace(token, "***") if token and len(token) >= SHORTEST_SECRET else words

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            if self.private_token:
                session.headers["PRIVATE-TOKEN"] = self.private_token
            # Without an own auth, requests would add an entry of ~/.netrc.
            session.auth = _as_it_is
            self._local.session = session
        return session


@contextmanager
def talking(*, write: bool = False) -> Iterator[None]:
    """Hold around one operation: turns answers in an unknown form into our errors."""
    try:
        yield
    except (TemporaryError, NotFound, Refused):
        raise
    except requests.RequestException as error:
        # While a streamed body came.
        raise http_errors.from_failure(error, system=SYSTEM, write=write) from error
    except NONSENSE as error:
        words = f"{type(error).__name__}: {error}"
        raise http_errors.from_nonsense(words, system=SYSTEM, write=write) from error


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _words(response: requests.Response) -> str:
    """GitLab's message: text, or what it says of each field."""
    try:
        told = response.json()
    except ValueError:
        return ""
    said = (told.get("message") or told.get("error") or "") if isinstance(told, dict) else ""
    if isinstance(said, dict):
        return "; ".join(f"{field}: {what}" for field, what in said.items())
    return str(said)
