"""FASJSON behind ``ports.FasJson``: Fedora's accounts. Imported by ``services`` only.

https://fasjson.fedoraproject.org/docs/v1/. Fedora's own wants Kerberos of who asks.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from packit_worker.clients import http_errors
from packit_worker.clients.http import Http
from packit_worker.clients.kerberos import Kerberos
from packit_worker.errors import NotFound, TemporaryError
from packit_worker.ports import FasAccount

SYSTEM = "FASJSON"


class FasJsonClient:
    """One FASJSON. Safe to use from several threads. ``url`` is without ``/v1``; ``timeout`` is in seconds.

    Without ``principal`` and ``keytab`` it asks without saying who it is, as behind a proxy that knows it.
    """

    def __init__(
        self, *, url: str, principal: str | None = None, keytab: str | None = None, timeout: float = 10.0
    ) -> None:
        self._http = Http(SYSTEM, url, timeout=timeout)
        self._kerberos: Kerberos | None = None
        if principal or keytab:
            self._kerberos = Kerberos(SYSTEM, principal=principal, keytab=keytab)

    def account(self, login: str) -> FasAccount:
        """An account with its groups. Two calls. Raises NotFound."""
        name = quote(login, safe="")
        user = self._get(f"v1/users/{name}/")
        groups = self._get(f"v1/users/{name}/groups/")
        return _account(user, tuple(str(_field(group, "groupname")) for group in groups))

    def of_github(self, github_username: str) -> FasAccount | None:
        """The account that claims this GitHub account, without its groups; None where there is none. One call."""
        try:
            # "exact": the plain search is for parts of names, and another's name may hold this one
            found = self._get("v1/search/users/", {"github_username__exact": github_username})
        except NotFound:
            return None
        exact = [
            user for user in found if str(_field(user, "github_username")).lower() == github_username.lower()
        ]
        # Two Fedora accounts that claim the same GitHub account prove nothing about either.
        return _account(exact[0], ()) if len(exact) == 1 else None

    def _get(self, path: str, params: dict[str, str] | None = None) -> Any:
        auth = self._kerberos.negotiation(self._http.base_url) if self._kerberos else None
        answer = self._http.json("GET", path, write=False, params=params, auth=auth)
        result = answer.get("result") if isinstance(answer, dict) else None
        if result is None:
            raise http_errors.from_nonsense("no result", system=SYSTEM, write=False)
        return result


def _account(user: Any, groups: tuple[str, ...]) -> FasAccount:
    github = _field(user, "github_username")
    return FasAccount(
        login=str(_field(user, "username")), github_username=str(github) if github else None, groups=groups
    )


def _field(thing: Any, name: str) -> Any:
    if not isinstance(thing, dict):
        raise _nonsense(name)
    return thing.get(name)


def _nonsense(name: str) -> TemporaryError:
    return http_errors.from_nonsense(f"no {name}", system=SYSTEM, write=False)
