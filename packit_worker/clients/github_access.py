"""Calls to GitHub under one identity: PyGithub's clients, our budget, our errors, ogr on top.

Only ``clients`` imports it.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import github
import requests
from github import Auth, GithubException
from ogr.exceptions import OgrException
from ogr.services.github.auth_providers.abstract import GithubAuthentication
from ogr.services.github.project import GithubProject
from ogr.services.github.service import GithubService

from packit_worker import metrics, tracing
from packit_worker.clients import http_errors
from packit_worker.clients.budget import Budget
from packit_worker.clients.github_app import InstallationToken
from packit_worker.clients.github_cache import Answers
from packit_worker.clients.http import USER_AGENT
from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError

logger = logging.getLogger(__name__)

SYSTEM = "GitHub"
#: What PyGithub makes of answers in an unknown form: KeyError and ValueError from bodies that are not the JSON agreed
#: on, RuntimeError and AssertionError from redirects to another host, which it does not follow.
NONSENSE = (KeyError, ValueError, RuntimeError, AssertionError)


class Access:
    """One identity at GitHub: an installation of the App, an account's token, or nobody (``auth`` None).

    Safe to use from several threads: PyGithub's client is not (a connection holds the request about to be sent), so
    each thread has its own, and they share the token and the budget. ``timeout`` is in seconds.
    """

    def __init__(self, auth: Auth.Auth | None, *, api_url: str, timeout: float, budget: Budget) -> None:
        self.auth = auth
        self.budget = budget
        self.answers = Answers()
        self._api_url = api_url
        self._timeout = max(1, math.ceil(timeout))
        self._local = threading.local()
        self.service = _Service(self)

    @property
    def client(self) -> github.Github:
        """This thread's client. Its objects are lazy: what was not asked for is not fetched."""
        client: github.Github | None = getattr(self._local, "client", None)
        if client is None:
            client = github.Github(
                auth=self.auth,
                base_url=self._api_url,
                timeout=self._timeout,
                user_agent=USER_AGENT,
                per_page=100,
                retry=None,
                seconds_between_requests=0,
                seconds_between_writes=0,
                lazy=True,
            )
            self._local.client = client
        return client

    def project(self, owner: str, repository: str) -> GithubProject:
        """The project in ogr's terms. No call is made for it."""
        lazy = self.client.get_repo(f"{owner}/{repository}")
        return GithubProject(repository, self.service, owner, github_repo=lazy)

    @contextmanager
    def talking(self, *, write: bool = False) -> Iterator[github.Github]:
        """Hold around one operation: asks the budget first, and turns what goes wrong into our errors.

        ``write``: it changes something.
        """
        client = self.client
        with self.budget.turn(write=write):
            try:
                # The request is made somewhere inside PyGithub, which does not tell.
                with tracing.span(f"{'write to' if write else 'read from'} {SYSTEM}", "client"):
                    yield client
                if isinstance(self.auth, InstallationToken):
                    self.auth.worked()
            except (TemporaryError, NotFound, Refused):
                raise
            except (GithubException, OgrException, requests.RequestException, *NONSENSE) as error:
                meaning = self._meaning(error, write=write)
                if isinstance(meaning, RateLimited):
                    raise self.budget.hit(meaning) from error
                raise meaning from error
            finally:
                self._look_at_limits(client)

    def _look_at_limits(self, client: github.Github) -> None:
        requester = client.requester
        remaining, limit = requester.rate_limiting
        if limit > 0:
            self.budget.saw(
                remaining=remaining, limit=limit, reset_at=float(requester.rate_limiting_resettime)
            )
            installation = self.auth.installation_id if isinstance(self.auth, InstallationToken) else "none"
            metrics.github_rate_remaining.labels(installation).set(remaining)
            metrics.github_rate_reset_timestamp_seconds.labels(installation).set(
                requester.rate_limiting_resettime
            )

    def _meaning(self, error: Exception, *, write: bool) -> TemporaryError | NotFound | Refused:
        if isinstance(error, OgrException) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        if isinstance(error, GithubException):
            if error.status == 401 and isinstance(self.auth, InstallationToken) and self.auth.withdraw():
                return TemporaryError(f"{SYSTEM} takes the installation's token no more: {_words(error)}")
            return http_errors.from_answer(
                error.status, error.headers or {}, _words(error), system=SYSTEM, write=write
            )
        if isinstance(error, requests.RequestException):
            return http_errors.from_failure(error, system=SYSTEM, write=write)
        if isinstance(error, OgrException):
            return Refused(f"ogr: {error}", answer=str(error))
        return http_errors.from_nonsense(f"{type(error).__name__}: {error}", system=SYSTEM, write=write)


class _Authentication(GithubAuthentication):
    """Our token in ogr's terms."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get_token(self, namespace: str, repo: str) -> str:
        auth = self._access.auth
        return auth.token if auth is not None else ""

    @property
    def pygithub_instance(self) -> github.Github:
        return self._access.client

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Authentication) and other._access is self._access

    def __hash__(self) -> int:
        return id(self._access)

    def __str__(self) -> str:
        return f"Authentication({self._access.auth!r})"


class _Service(GithubService):
    """ogr's service with our clients: its own know no other API than https://api.github.com and no time-outs."""

    def __init__(self, access: Access) -> None:
        self._access = access
        super().__init__(github_authentication=_Authentication(access), max_retries=0)

    def get_pygithub_instance(self, namespace: str, repo: str) -> github.Github:
        return self._access.client


def carried_out(answer: Any) -> dict[str, Any]:
    """The answer to a write, if it shows what was written.

    PyGithub takes every answer below 400 for success, also the 307 that GitHub gives to a write under the old name of a
    repository: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api. Raises Refused
    then, and Unanswered for what is no answer of GitHub's.
    """
    if isinstance(answer, dict) and answer.get("id") is not None:
        return answer
    if isinstance(answer, dict) and "message" in answer:
        words = f"The repository has another name now ({answer['message']})"
        raise Refused(f"{SYSTEM}: {words}", status=307, answer=words)
    raise http_errors.from_nonsense(str(answer), system=SYSTEM, write=True)


def _words(error: GithubException) -> str:
    """GitHub's message with the reasons it gives for a 422."""
    body = error.data if isinstance(error.data, dict) else {}
    words = [str(body.get("message") or error.message or "")]
    for reason in body.get("errors") or ():
        if isinstance(reason, dict):
            words.append(
                str(reason.get("message") or f"{reason.get('field', '')} {reason.get('code', '')}".strip())
            )
        else:
            words.append(str(reason))
    return "; ".join(word for word in words if word)
