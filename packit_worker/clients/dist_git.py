"""Dist-git behind ``ports.DistGit``: packages on a Pagure, and the lookaside cache. For ``services`` only.

https://src.fedoraproject.org/api/0/
"""

from __future__ import annotations

import re
from pathlib import Path

from packit_worker.clients.budget import Budget
from packit_worker.clients.lookaside import LookasideClient
from packit_worker.clients.pagure_access import Service
from packit_worker.clients.pagure_pulls import Pulls
from packit_worker.errors import Refused
from packit_worker.ports import Posted

#: The namespace and name of a package.
_PACKAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*/[A-Za-z0-9_][A-Za-z0-9_.+-]*")


class DistGitClient:
    """One dist-git, as the account ``login``. Packages are named with namespace: ``rpms/hello``.

    Safe to use from several threads. ``timeout`` is in seconds.
    """

    def __init__(
        self,
        *,
        url: str,
        login: str,
        token: str,
        lookaside: LookasideClient,
        timeout: float = 10.0,
        budget: Budget | None = None,
    ) -> None:
        self.login = login
        self._url = url.rstrip("/")
        self._service = Service(self._url, token, timeout, budget)
        self._lookaside = lookaside

    def url_of(self, package: str) -> str:
        """Where git finds a package. No call. Raises NotFound for what cannot be one."""
        return f"{self._url}/{_checked(package)}.git"

    def fork_url(self, package: str) -> str:
        """Where git finds our fork of a package. No call."""
        return self._pulls(package).fork_url

    def commit_url(self, package: str, commit: str) -> str:
        """The page of a commit. No call."""
        return f"{self._url}/{_checked(package)}/c/{commit}"

    def ensure_fork(self, package: str) -> None:
        """Have a fork of our own. One call, or three. Raises TemporaryError while Pagure is still making it."""
        self._pulls(package).ensure_fork()

    def fork_branch(self, package: str, branch: str) -> str:
        """The commit of a branch of our fork; "" where there is none. One call."""
        return self._pulls(package).pushed(branch)

    def find_pull_request(self, package: str, head: str, branch: str) -> Posted | None:
        """Our open pull request from the fork's ``head`` for ``branch``. One call; among our newest hundred."""
        return self._pulls(package).find(head, branch)

    def create_pull_request(self, package: str, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for the fork's ``head`` to be merged into ``branch``. One call."""
        return self._pulls(package).create(head, branch, title, body)

    def upload(self, package: str, archive: Path) -> None:
        """Have an archive in the lookaside cache. One call, or two; safe to repeat."""
        self._lookaside.upload(_checked(package), archive)

    def _pulls(self, package: str) -> Pulls:
        namespace, _, name = _checked(package).partition("/")
        return Pulls(self._service, self._url, namespace, name, self.login)


def _checked(package: str) -> str:
    if not _PACKAGE.fullmatch(package):
        raise Refused(f"{package[:100]!r} is no name of a package")
    return package
