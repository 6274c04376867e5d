"""The stand-in for FASJSON: Fedora's accounts, their groups, and which GitHub account is whose.

Used by tests, demo and control server.

Source: https://github.com/fedora-infra/fasjson (API v1), which wants Kerberos; this one asks nobody who they are.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

from packit_worker.sandbox.clock import iso_now
from packit_worker.sandbox.page import show
from packit_worker.sandbox.server import locked

LARGEST_PAGE = 40
SHORTEST_TERM = 3
SEARCHED = ("username", "email", "human_name", "givenname", "surname", "github_username", "gitlab_username")
HIDDEN = ("human_name", "givenname", "surname")
"""What others do not see of a private account."""

PAGE = """<h1>Accounts</h1>{% if users %}<ul class="list">{% for user in users %}<li><div class="grow">
<b>{{ user.login }}</b> {{ user.human_name or "" }} <span class="soft">{% if user.github_username %}GitHub:
{{ user.github_username }}{% endif %}</span></div>{% for group in user.groups %}<span class="pill">{{ group }}</span>
{% endfor %}</li>{% endfor %}</ul>{% else %}<p class="soft">No account yet.</p>{% endif %}"""


class AccountError(Exception):
    """An answer of FASJSON that is not a success; `about` is what stands beside the message."""

    def __init__(self, status: int, message: str, **about: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.about = about


@dataclass
class FedoraUser:
    """A Fedora account."""

    login: str
    github_username: str | None
    groups: tuple[str, ...]
    human_name: str | None
    private: bool
    creation: str


class Fasjson:
    """A FASJSON. All methods may be called from any thread."""

    def __init__(self) -> None:
        self.url = ""
        self.lock = threading.RLock()
        self._users: dict[str, FedoraUser] = {}
        app = Flask(__name__)
        app.json.sort_keys = False  # type: ignore[attr-defined]
        self._add_routes(app)
        self.wsgi = locked(app, self.lock)

    def reset(self) -> None:
        """Empty again."""
        with self.lock:
            self._users.clear()

    def add_user(
        self,
        login: str,
        github_username: str | None = None,
        groups: Sequence[str] = (),
        human_name: str | None = None,
        *,
        private: bool = False,
    ) -> FedoraUser:
        """A Fedora account, or what an account is from now on. Others do not see the name of a `private` one."""
        with self.lock:
            user = FedoraUser(login, github_username, tuple(groups), human_name, private, iso_now())
            self._users[login] = user
            return user

    @property
    def users(self) -> list[FedoraUser]:
        """All accounts, oldest first."""
        with self.lock:
            return list(self._users.values())

    def _user(self, login: str, message: str) -> FedoraUser:
        if login not in self._users:
            raise AccountError(404, message, name=login)
        return self._users[login]

    def _shape(self, user: FedoraUser) -> dict[str, Any]:
        given, _, surname = (user.human_name or "").rpartition(" ")
        shape = {
            "username": user.login,
            "surname": surname or None,
            "givenname": given or None,
            "human_name": user.human_name,
            "emails": [f"{user.login}@fedoraproject.example.com"],
            "ircnicks": None,
            "locale": "en-US",
            "timezone": "UTC",
            "gpgkeyids": None,
            "certificates": None,
            "creation": user.creation,
            "locked": False,
            "is_private": user.private,
            "pronouns": None,
            "website": None,
            "rssurl": None,
            "github_username": user.github_username,
            "gitlab_username": None,
            "uri": f"{self.url}/v1/users/{user.login}/",
        }
        return shape | (dict.fromkeys(HIDDEN) if user.private else {})

    def _found(self) -> list[FedoraUser]:
        """Who fits all terms of the query: a term is part of the field, or all of it with ``__exact``."""
        terms = {}
        for name, value in request.args.items():
            if value and name.removesuffix("__exact") in (*SEARCHED, "group"):
                terms[name] = value
        if not terms:
            raise AccountError(400, "At least one search term must be provided.")
        for name, value in terms.items():
            if len(value) < SHORTEST_TERM and not name.endswith("__exact"):
                raise AccountError(
                    400,
                    "Search term must be at least 3 characters long.",
                    search_term=name,
                    search_value=value,
                )
        return [
            user
            for user in self._users.values()
            if all(self._fits(user, name, term) for name, term in terms.items())
        ]

    def _fits(self, user: FedoraUser, name: str, term: str) -> bool:
        if name == "group":
            return term in user.groups
        field = name.removesuffix("__exact")
        shape = self._shape(user)
        value = str((shape["emails"][0] if field == "email" else shape[field]) or "").lower()
        return value == term.lower() if name.endswith("__exact") else term.lower() in value

    def _add_routes(self, app: Flask) -> None:
        @app.errorhandler(AccountError)
        def refuse(error: AccountError) -> Any:
            return jsonify({**error.about, "message": error.message}), error.status

        @app.errorhandler(HTTPException)
        def unknown(error: HTTPException) -> Any:
            return jsonify(message=error.description or error.name), error.code or 500

        @app.get("/v1/users/<login>/")
        def get_user(login: str) -> Any:
            return jsonify(result=self._shape(self._user(login, "User not found")))

        @app.get("/v1/users/<login>/groups/")
        def get_groups(login: str) -> Any:
            user = self._user(login, "User does not exist")
            return paged(
                [{"groupname": name, "uri": f"{self.url}/v1/groups/{name}/"} for name in user.groups]
            )

        @app.get("/v1/users/")
        def list_users() -> Any:
            return paged([self._shape(user) for user in self._users.values()])

        @app.get("/v1/groups/<name>/members/")
        def get_members(name: str) -> Any:
            members = [user.login for user in self._users.values() if name in user.groups]
            if not members:
                raise AccountError(404, "Group not found", name=name)
            return paged([{"username": login, "uri": f"{self.url}/v1/users/{login}/"} for login in members])

        @app.get("/v1/search/users/")
        def search() -> Any:
            if not 1 <= request.args.get("page_size", LARGEST_PAGE, int) <= LARGEST_PAGE:
                raise AccountError(400, "Page size must be between 1 and 40 when searching.")
            return paged([self._shape(user) for user in self._found()], LARGEST_PAGE)

        @app.get("/")
        def page() -> str:
            return show("FASJSON", "Accounts", PAGE, users=self.users)


def paged(items: list[dict[str, Any]], size: int | None = None) -> Any:
    """The page of `items` the query asks for; all of them if neither it nor `size` says how many."""
    size = request.args.get("page_size", size or 0, int)
    number = max(request.args.get("page_number", 1, int), 1)
    page: dict[str, Any] = {"total_results": len(items)}
    if size > 0:
        pages = max(-(-len(items) // size), 1)
        page |= {"page_size": size, "page_number": number, "total_pages": pages}
        for name, other in (("next_page", number + 1), ("previous_page", number - 1)):
            if 1 <= other <= pages:
                address = re.sub(r"([?&])page_number=\d+&?", r"\1", request.url).rstrip("?&")
                page[name] = f"{address}{'&' if '?' in address else '?'}page_number={other}"
        items = items[(number - 1) * size : number * size]
    return jsonify(result=items, page=page)
