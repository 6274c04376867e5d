"""Dist-git behind ``ports.DistGit``: packages on a Pagure, and the lookaside cache. For ``services`` only.

https://src.fedoraproject.org/api/0/, https://pagure.io/dist-git/blob/master/f/scripts/httpd/upload.cgi
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import requests

from packit_worker.clients import http_errors
from packit_worker.clients.http import USER_AGENT
from packit_worker.clients.pagure_access import Service
from packit_worker.clients.pagure_pulls import Pulls
from packit_worker.errors import NotFound, Refused
from packit_worker.ports import Posted

LOOKASIDE = "The lookaside cache"
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
        lookaside_url: str,
        lookaside_upload_url: str,
        timeout: float = 10.0,
    ) -> None:
        self.login = login
        self._url = url.rstrip("/")
        self._token = token
        self._service = Service(self._url, token, timeout)
        self._lookaside_url = lookaside_url.rstrip("/")
        self._upload_url = lookaside_upload_url
        self._timeout = timeout

    def url_of(self, package: str) -> str:
        """Where git finds a package. No call. Raises NotFound for what cannot be one."""
        return f"{self._url}/{_checked(package)}.git"

    def fork_url(self, package: str) -> str:
        """Where git finds our fork of a package. No call."""
        return self._pulls(package).fork_url

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
        with archive.open("rb") as content:
            digest = hashlib.file_digest(content, "sha512").hexdigest()
            place = f"{_checked(package)}/{archive.name}/sha512/{digest}/{archive.name}"
            try:
                self._lookaside("HEAD", f"{self._lookaside_url}/{place}")
            except NotFound:
                content.seek(0)
                self._lookaside(
                    "POST",
                    self._upload_url,
                    data={"name": package, "sha512sum": digest},
                    files={"file": (archive.name, content)},
                    auth=(self.login, self._token),
                )

    def _lookaside(self, method: str, url: str, **arguments: Any) -> None:
        # Without an own auth, requests would look into ~/.netrc.
        arguments.setdefault("auth", _as_it_is)
        try:
            response = requests.request(
                method,
                url,
                headers={"User-Agent": USER_AGENT},
                timeout=self._timeout,
                allow_redirects=False,
                **arguments,
            )
        except requests.RequestException as error:
            # The same archive can be uploaded twice: what is not answered is tried again.
            raise http_errors.from_failure(error, system=LOOKASIDE, write=False) from error
        if not 200 <= response.status_code < 300:
            words = response.text[:500].replace(self._token, "***")
            raise http_errors.from_answer(
                response.status_code, response.headers, words, system=LOOKASIDE, write=False
            )

    def _pulls(self, package: str) -> Pulls:
        namespace, _, name = _checked(package).partition("/")
        return Pulls(self._service, self._url, namespace, name, self.login)


def _checked(package: str) -> str:
    if not _PACKAGE.fullmatch(package):
        raise Refused(f"{package[:100]!r} is no name of a package")
    return package


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
