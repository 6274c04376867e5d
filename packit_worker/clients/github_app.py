"""Working as a GitHub App: which installation has a repository, its tokens, and the webhooks that were sent to the App.

Imported by ``clients`` and ``services`` only.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app. PyGithub could mint tokens as well,
but its log at DEBUG has whole bodies, the token among them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

import jwt
import requests
from github import Auth

from packit_worker.clients import http_errors
from packit_worker.clients.http import Http
from packit_worker.errors import NotFound, Refused
from packit_worker.ports import SentWebhook

#: Seconds before its end at which a token is renewed; GitHub's live for an hour. Longer than any time-out of a call.
RENEW_BEFORE = 300.0


class GitHubApp:
    """The App itself, known by its id and private key (PEM). Safe to use from several threads.

    Raises ValueError for a key that cannot be read.
    """

    def __init__(
        self, app_id: str, private_key: str, http: Http, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._auth = Auth.AppAuth(app_id, private_key)
        try:
            self._auth.create_jwt()
        except (ValueError, jwt.PyJWTError):
            # Without the cause, whose text may hold parts of the key.
            raise ValueError("The private key of the GitHub App cannot be read as PEM") from None
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._installations: dict[str, int] = {}

    def installation(self, owner: str, repository: str) -> int:
        """The id of the installation that has the repository: one call per owner, then remembered.

        Raises Refused with status 404 where the App is not installed.
        """
        known = self._installations.get(owner.lower())
        if known is not None:
            return known
        with self._looking:
            known = self._installations.get(owner.lower())
            if known is None:
                known = self._look_up(owner, repository)
                with self._lock:
                    self._installations[owner.lower()] = known
            return known

    def forget(self, installation_id: int) -> None:
        """Look up again, next time, where an installation was that is not there any more."""
        with self._lock:
            for owner, known in list(self._installations.items()):
                if known == installation_id:
                    del self._installations[owner]

    def mint(self, installation_id: int, *, reads: str | None = None) -> tuple[str, float]:
        """A new token of the installation and its end in seconds since the epoch. One call.

        With the name of a repository that it ``reads`` it is good for nothing else:
        https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app. Minting twice does no
        harm, so an answer that never comes is a TemporaryError.
        """
        path = f"app/installations/{installation_id}/access_tokens"
        wanted = {} if reads is None else {"repositories": [reads], "permissions": {"contents": "read"}}
        try:
            answer = self._http.json("POST", path, write=False, headers=self._headers(), json=wanted)
        except NotFound as error:
            self.forget(installation_id)
            raise _refused(f"The GitHub App has no installation {installation_id} any more") from error
        return answer["token"], datetime.fromisoformat(answer["expires_at"]).timestamp()

    def _look_up(self, owner: str, repository: str) -> int:
        path = f"repos/{quote(owner, safe='')}/{quote(repository, safe='')}/installation"
        try:
            return int(self._http.json("GET", path, write=False, headers=self._headers())["id"])
        except NotFound as error:
            raise _refused(f"The GitHub App is not installed in {owner}/{repository}") from error

    def slug(self) -> str:
        """The App's name in links and logins (``slug[bot]``). One call."""
        return str(self._http.json("GET", "app", write=False, headers=self._headers())["slug"])

    def deliveries(self, since: datetime) -> Iterator[SentWebhook]:
        """Attempts to deliver webhooks to the App since then, newest first. One call per hundred.

        https://docs.github.com/rest/apps/webhooks
        """
        params: dict[str, str] = {"per_page": "100"}
        while params:
            answer = self._http.call(
                "GET", "app/hook/deliveries", write=False, params=params, headers=self._headers()
            )
            for sent in _attempts(answer):
                if sent.delivered_at < since:
                    return
                yield sent
            # Of the address of the next page only the query counts: it leads nowhere else.
            params = dict(parse_qsl(urlsplit(answer.links.get("next", {}).get("url", "")).query))

    def redeliver(self, attempt_id: int) -> None:
        """Have a webhook sent once more, with the same guid. One call. GitHub keeps them for some days.

        Webhooks are taken once for each guid, so an answer that never comes is a TemporaryError.
        """
        path = f"app/hook/deliveries/{attempt_id}/attempts"
        self._http.call("POST", path, write=False, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._auth.create_jwt()}",
            "Accept": "application/vnd.github+json",
        }


class InstallationToken(Auth.Auth):
    """The token of one installation in PyGithub's terms: minted at its first use, renewed before its end.

    One object serves all threads; they wait for the one that mints.
    """

    def __init__(
        self, app: GitHubApp, installation_id: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._installation_id = installation_id
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._ends_at = 0.0
        self._worked = False

    @property
    def installation_id(self) -> int:
        """Whose token it is."""
        return self._installation_id

    @property
    def token_type(self) -> str:
        """The word before the token in the header Authorization."""
        return "token"

    @property
    def token(self) -> str:
        """A token good for some minutes at least. Raises the errors of minting one."""
        with self._lock:
            if self._ends_at - RENEW_BEFORE <= self._clock():
                self._token, self._ends_at = self._app.mint(self._installation_id)
                self._worked = False
            return self._token

    @property
    def _masked_token(self) -> str:
        """What PyGithub logs in place of the header."""
        return "token (removed)"

    def worked(self) -> None:
        """GitHub has taken the token."""
        self._worked = True

    def withdraw(self) -> bool:
        """Mint anew next time, as GitHub refuses the token. False if it never took it: a new one would not help."""
        with self._lock:
            self._ends_at = 0.0
            return self._worked

    def __repr__(self) -> str:
        return f"InstallationToken({self._installation_id})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InstallationToken) and other._installation_id == self._installation_id

    def __hash__(self) -> int:
        return hash(self._installation_id)


def _attempts(answer: requests.Response) -> list[SentWebhook]:
    try:
        return [
            SentWebhook(
                id=int(sent["id"]),
                guid=str(sent["guid"]),
                event_type=str(sent["event"]),
                action=sent.get("action"),
                delivered_at=datetime.fromisoformat(sent["delivered_at"]),
                status_code=int(sent["status_code"] or 0),
            )
            for sent in answer.json()
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise http_errors.from_nonsense(repr(error), system="GitHub", write=False) from error


def _refused(words: str) -> Refused:
    """The App cannot work there. Not NotFound, which callers would take for a file that is missing."""
    return Refused(words, status=404, answer=words)
