"""The gate before GitHub's REST API: who is calling, what budget is left, what is unchanged.

Used inside the sandbox only.

Sources: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api (conditional requests).
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from packit_worker.sandbox.github_state import (
    GitHubError,
    GitHubState,
    Installation,
    MovedRepository,
    Repository,
)

TOKEN_SECONDS = 3600
WINDOW_SECONDS = 3600
DOCUMENTATION = "https://docs.github.com/rest"
SECONDS_OF_JWT = 600


@dataclass(frozen=True)
class Caller:
    """Who makes a request: the App itself, an installation of it, or a user."""

    kind: str
    login: str
    installation: Installation | None = None
    reads_only: str | None = None
    """The name of the one repository that a narrow token reads, and does no more."""


class Gate:
    """Tokens, budget and conditional requests of one stand-in for GitHub."""

    def __init__(self, state: GitHubState, app_id: int, client_id: str, slug: str, limit: int) -> None:
        self._state = state
        self._app_id = app_id
        self._client_id = client_id
        self._slug = slug
        self.public_key_pem: str = ""
        self.limit = limit
        self.clear()

    def clear(self) -> None:
        """A fresh budget, no installation tokens, no further personal tokens."""
        self.remaining = self.limit
        self.reset_at = int(time.time()) + WINDOW_SECONDS
        self.users: dict[str, str] = {}
        self._tokens: dict[str, tuple[Installation, float]] = {}
        self._narrow: dict[str, str] = {}

    def new_token(self, installation: Installation, reads_only: str | None = None) -> tuple[str, float]:
        """A token of an installation and when it expires, in seconds since the epoch.

        With the name of a repository it reads that one, and does no more.
        """
        token, expires = f"ghs_{secrets.token_hex(18)}", time.time() + TOKEN_SECONDS
        if reads_only:
            self._narrow[token] = reads_only
        self._tokens[token] = installation, expires
        return token, expires

    def expire_tokens(self) -> None:
        """Make all installation tokens given out so far useless, as if an hour had passed."""
        self._tokens = {token: (installation, 0.0) for token, (installation, _) in self._tokens.items()}

    def install(self, app: Flask) -> None:
        """Put the gate before all routes of `app` whose endpoint does not begin with ``page_``."""

        @app.before_request
        def enter() -> None:
            g.page = (request.endpoint or "").startswith("page_")
            if not g.page:
                g.caller = self.identify(request.headers.get("Authorization", ""))
                self._check_budget()

        @app.after_request
        def leave(response: Response) -> Response:
            return response if g.get("page", False) else self._finish(response)

        @app.errorhandler(GitHubError)
        def refuse(error: GitHubError) -> tuple[Response, int]:
            body: dict[str, Any] = {"message": error.message, "documentation_url": DOCUMENTATION}
            if error.errors is not None:
                body["errors"] = error.errors
            return jsonify(body | {"status": str(error.status)}), error.status

        @app.errorhandler(MovedRepository)
        def redirect(error: MovedRepository) -> tuple[Response, int, dict[str, str]]:
            """Reads are sent on with 301 and writes with 307, to a path with the repository's id."""
            status = 301 if request.method == "GET" else 307
            rest = "/".join(["", *request.path.split("/")[4:]])
            query = f"?{request.query_string.decode()}" if request.query_string else ""
            place = f"{request.root_url.rstrip('/')}/repositories/{error.number}{rest.rstrip('/')}{query}"
            body = jsonify(message=error.message, url=place, documentation_url=DOCUMENTATION)
            return body, status, {"Location": place}

        @app.errorhandler(HTTPException)
        def unknown(error: HTTPException) -> tuple[Response, int]:
            status = error.code or 500
            message = "Problems parsing JSON" if status == 400 else error.name
            return jsonify(message=message, documentation_url=DOCUMENTATION, status=str(status)), status

    def identify(self, header: str) -> Caller:
        """Who sends this header ``Authorization``. Raises GitHubError 401."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "basic":
            token = base64.b64decode(token).decode(errors="replace").rpartition(":")[2]
        if not token:
            raise GitHubError(401, "Requires authentication")
        if token in self.users:
            return Caller("user", self.users[token])
        if token.startswith("ghs_"):
            return self._installation_caller(token)
        if token.count(".") == 2:
            return self._app_caller(token)
        raise GitHubError(401, "Bad credentials")

    def _installation_caller(self, token: str) -> Caller:
        installation, expires = self._tokens.get(token, (None, 0.0))
        if installation is None or expires < time.time():
            raise GitHubError(401, "Bad credentials")
        if installation.suspended:
            raise GitHubError(403, "This installation has been suspended")
        if installation.id not in self._state.installations:
            raise GitHubError(401, "Bad credentials")
        return Caller("installation", f"{self._slug}[bot]", installation, self._narrow.get(token))

    def _app_caller(self, token: str) -> Caller:
        try:
            claims = jwt.decode(
                token,
                self.public_key_pem,
                algorithms=["RS256"],
                options={"require": ["iat", "exp", "iss"], "verify_iss": False},
            )
        except jwt.ExpiredSignatureError:
            raise GitHubError(
                401, "'Expiration time' claim ('exp') must be a numeric value in the future"
            ) from None
        except jwt.InvalidTokenError:
            raise GitHubError(401, "A JSON web token could not be decoded") from None
        if claims["exp"] - time.time() > SECONDS_OF_JWT + 5:
            raise GitHubError(401, "'Expiration time' claim ('exp') is too far in the future")
        if str(claims["iss"]) not in (str(self._app_id), self._client_id):
            raise GitHubError(404, "Integration not found")
        return Caller("app", self._slug)

    def _check_budget(self) -> None:
        if time.time() >= self.reset_at:
            self.remaining, self.reset_at = self.limit, int(time.time()) + WINDOW_SECONDS
        if self.remaining <= 0 and request.path != "/rate_limit":
            raise GitHubError(403, f"API rate limit exceeded for {_subject(g.caller)}.")

    def _finish(self, response: Response) -> Response:
        counted = request.path != "/rate_limit"
        if request.method == "GET" and response.status_code == 200:
            tag = f'W/"{hashlib.sha256(response.get_data()).hexdigest()}"'
            response.headers["ETag"] = tag
            if request.headers.get("If-None-Match") == tag:
                response.status_code, counted = 304, False
                response.set_data(b"")
        if counted and self.remaining > 0 and response.status_code != 401:
            self.remaining -= 1
        for name, value in self.budget().items():
            response.headers[f"x-ratelimit-{name}"] = str(value)
        response.headers["x-ratelimit-resource"] = "core"
        response.headers["x-github-request-id"] = secrets.token_hex(8).upper()
        response.headers["x-github-media-type"] = "github.v3; format=json"
        if "link" in g:
            response.headers["Link"] = g.link
        return response

    def budget(self) -> dict[str, int]:
        """The rate limit as headers and the page `/rate_limit` show it."""
        return {
            "limit": self.limit,
            "remaining": self.remaining,
            "reset": self.reset_at,
            "used": max(self.limit - self.remaining, 0),
        }


def _subject(caller: Caller) -> str:
    if caller.installation is not None:
        return f"installation ID {caller.installation.id}"
    return f"user {caller.login}"


def require(*kinds: str) -> Caller:
    """The caller, if it is of one of `kinds`. Raises GitHubError 401 or 403."""
    caller: Caller = g.caller
    if caller.kind in kinds:
        return caller
    if kinds == ("app",):
        raise GitHubError(401, "A JSON web token could not be decoded")
    raise GitHubError(403, "Resource not accessible by integration")


def readable(state: GitHubState, full_name: str) -> Repository:
    """The repository, if the caller may see it. Raises GitHubError 404 otherwise, as for an unknown one."""
    repository = state.repository(full_name)
    caller: Caller = g.caller
    if caller.kind == "app":
        raise GitHubError(401, "Bad credentials")
    if caller.reads_only not in (None, repository.name):
        raise GitHubError(404, "Not Found")
    if repository.private:
        installed = caller.installation is not None and caller.installation.id == repository.installation_id
        if not installed and (caller.kind != "user" or repository.permission(caller.login) == "none"):
            raise GitHubError(404, "Not Found")
    return repository


def writable(state: GitHubState, full_name: str) -> Repository:
    """The repository, if the caller may write to it. Raises GitHubError 403 or 404."""
    repository = readable(state, full_name)
    caller: Caller = g.caller
    if caller.reads_only:
        raise GitHubError(403, "Resource not accessible by integration")
    if repository.archived:
        raise GitHubError(403, "Repository was archived so is read-only.")
    if caller.kind == "installation" and (
        caller.installation is None or caller.installation.id != repository.installation_id
    ):
        raise GitHubError(403, "Resource not accessible by integration")
    return repository


def body() -> dict[str, Any]:
    """The JSON object sent. Raises GitHubError 400."""
    if not request.get_data():
        return {}
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise GitHubError(400, "Problems parsing JSON" if value is None else "Body should be a JSON object")
    return value


def page_of(items: list[Any]) -> list[Any]:
    """The part of `items` the query asks for with `page` and `per_page`; sets the header Link."""
    per_page = min(max(request.args.get("per_page", 30, int), 1), 100)
    page = max(request.args.get("page", 1, int), 1)
    last = max((len(items) + per_page - 1) // per_page, 1)
    wanted: dict[str, int] = {}
    if page < last:
        wanted |= {"next": page + 1, "last": last}
    if page > 1:
        wanted |= {"prev": page - 1, "first": 1}
    if wanted:
        g.link = ", ".join(f'<{_with_page(number)}>; rel="{name}"' for name, number in wanted.items())
    return items[(page - 1) * per_page : page * per_page]


def _with_page(number: int) -> str:
    query = {**request.args.to_dict(), "page": str(number)}
    return f"{request.base_url}?{urlencode(query)}"
