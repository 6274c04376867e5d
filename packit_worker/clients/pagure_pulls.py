"""Pull requests of ours on a Pagure: they come from our fork, which is made where there is none. For ``clients`` only.

https://pagure.io/api/0/
"""

from __future__ import annotations

from typing import Any

from packit_worker.clients import http_errors
from packit_worker.clients.pagure_access import SYSTEM, Service, talking
from packit_worker.errors import NotFound, TemporaryError
from packit_worker.ports import Posted


class Pulls:
    """Those to one project, by the account ``login`` of the service."""

    def __init__(self, service: Service, url: str, namespace: str | None, name: str, login: str) -> None:
        self._service = service
        self._url = url
        self._namespace = namespace
        self._name = name
        self._login = login
        self._path = f"{namespace}/{name}" if namespace else name
        self._fork = f"fork/{login}/{self._path}"

    @property
    def fork_url(self) -> str:
        """Where git finds our fork. No call."""
        return f"{self._url}/forks/{self._login}/{self._path}.git"

    def ensure_fork(self) -> None:
        """Have a fork of our own. One call, or three. Raises TemporaryError while Pagure is still making it."""
        sent = {"repo": self._name, "wait": "true"}
        if self._namespace:
            sent["namespace"] = self._namespace
        try:
            self._call("GET", self._fork)
        except NotFound:
            try:
                self._call("POST", "fork", data=sent)
                self._call("GET", self._fork)
            except NotFound as error:
                raise TemporaryError(f"the fork of {self._path} is not there yet", retry_after=15) from error

    def pushed(self, branch: str) -> str:
        """The commit of a branch of our fork; "" where there is none. One call."""
        with talking(self._service):
            found = self._call("GET", f"{self._fork}/git/branches", params={"with_commits": "true"})
            branches = found["branches"]
            return str(branches.get(branch) or "") if isinstance(branches, dict) else ""

    def find(self, head: str, branch: str) -> Posted | None:
        """Our open pull request from the fork's ``head`` for ``branch``. One call; among our newest hundred."""
        asked = {"status": "Open", "author": self._login, "per_page": "100"}
        with talking(self._service):
            for pull in self._call("GET", f"{self._path}/pull-requests", params=asked)["requests"]:
                source = (pull.get("repo_from") or {}).get("user") or {}
                if (pull["branch_from"], pull["branch"], source.get("name")) == (head, branch, self._login):
                    return self._posted(pull)
        return None

    def create(self, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for the fork's ``head`` to be merged into ``branch``. One call."""
        sent = {
            "title": title,
            "initial_comment": body,
            "branch_to": branch,
            "branch_from": head,
            "repo_from": self._name,
            "repo_from_username": self._login,
        }
        if self._namespace:
            sent["repo_from_namespace"] = self._namespace
        with talking(self._service, write=True):
            return self._posted(self._call("POST", f"{self._path}/pull-request/new", data=sent))

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        found = self._service.call_api_raw(f"{self._url}/api/0/{path}", method, **arguments)
        if not isinstance(found.json_content, dict):
            raise http_errors.from_nonsense("no object", system=SYSTEM, write=method != "GET")
        return found.json_content

    def _posted(self, pull: Any) -> Posted:
        number = int(pull["id"])
        return Posted(id=str(number), url=f"{self._url}/{self._path}/pull-request/{number}")
