"""HTTP for the clients that talk without a forge library: a session per thread, time-outs, our errors, no retries.

Only ``clients`` imports it. Redirects are not followed: an answer from another place is an answer from somebody else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import requests
import requests.auth

from packit_worker import tracing
from packit_worker.clients import http_errors
from packit_worker.clients.budget import Budget
from packit_worker.errors import RateLimited

logger = logging.getLogger(__name__)

USER_AGENT = "packit-worker"
#: Characters.
SHORTEST_SECRET = 8


class Http:
    """One system's API below ``base_url``. Safe to use from several threads.

    ``timeout`` is in seconds, for connecting and again for every wait for data. ``secrets`` are struck out of whatever
    the other side says before it gets into an error's text. ``words`` finds the message in the JSON of an error.
    ``budget``: after an answer that is a rate limit nothing is sent until it has passed.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        *,
        timeout: float,
        secrets: tuple[str, ...] = (),
        words: Callable[[Any], str] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.system = system
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        # A short one, as in somebody's trial set-up, would take ordinary words apart.
        self._secrets = tuple(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._words = words or _message
        self._budget = budget
        self._local = threading.local()

    def call(
        self,
        method: str,
        path: str,
        *,
        write: bool,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | requests.auth.AuthBase | None = None,
    ) -> requests.Response:
        """Send one request and return an answer of success (2xx). Sent once, whatever happens.

        ``write`` says whether the request may change something over there. Raises the errors of
        ``packit_worker.errors``.
        """
        url = f"{self.base_url}/{path.lstrip('/')}"
        if self._budget is not None:
            self._budget.check()
        try:
            with tracing.call(self.system, method, url) as part:
                response = self._session().request(
                    method,
                    url,
                    params=params,
                    json=json,
                    headers=headers,
                    auth=auth,
                    timeout=self._timeout,
                    allow_redirects=False,
                )
                part.answered(response.status_code)
        except requests.exceptions.RequestException as error:
            raise http_errors.from_failure(error, system=self.system, write=write) from error
        if not 200 <= response.status_code < 300:
            words = self._words_of(response)
            logger.debug("%s %s: %s answered %s: %s", method, url, self.system, response.status_code, words)
            meaning = http_errors.from_answer(
                response.status_code, response.headers, words, system=self.system, write=write
            )
            if isinstance(meaning, RateLimited) and self._budget is not None:
                meaning = self._budget.hit(meaning)
            raise meaning
        return response

    def json(self, method: str, path: str, *, write: bool, **arguments: Any) -> Any:
        """Send one request and return the JSON of its answer. Arguments and errors are those of ``call``."""
        response = self.call(method, path, write=write, **arguments)
        try:
            return response.json()
        except ValueError as error:
            raise http_errors.from_nonsense(
                self.hide(response.text), system=self.system, write=write
            ) from error

    def hide(self, text: str) -> str:
        """The text with our secrets struck out."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _words_of(self, response: requests.Response) -> str:
        try:
            words = self._words(response.json())
        except (ValueError, TypeError, AttributeError, KeyError):
            words = response.reason or ""
        return self.hide(words)

    def _session(self) -> requests.Session:
        """This thread's session: requests does not promise that one may be shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = USER_AGENT
            # Without an own auth, requests would replace our Authorization header by an entry of ~/.netrc.
            session.auth = _as_it_is
            self._local.session = session
        return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _message(body: Any) -> str:
    """The message in GitHub's, Copr's and Testing Farm's bodies of errors."""
    said = body.get("message") or body.get("error") or ""
    return said if isinstance(said, str) else str(said)
