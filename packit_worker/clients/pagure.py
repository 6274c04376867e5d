"""Pagure behind ``ports.Forge``, over ogr's PagureService. Imported by ``services`` only.

https://pagure.io/api/0/. Pagure knows no reactions and no changing of comments over its API, and answers neither with
the id of what was made nor with the uid of a flag: what that means stands at the methods.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from ogr.services.pagure.project import PagureProject as OgrProject
from packaging.version import InvalidVersion, Version

from packit_worker.clients import http_errors
from packit_worker.clients.budget import Budget
from packit_worker.clients.pagure_access import SYSTEM, Service, talking
from packit_worker.clients.pagure_flags import Flags, Heads
from packit_worker.clients.pagure_pulls import Pulls
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.ports import (
    CheckState,
    Permission,
    Posted,
    PullRequestState,
    PushAccess,
    ReadAccess,
)

#: Pagures on which nothing is private.
PUBLIC_HOSTS = frozenset(
    {
        "pagure.io",
        "src.fedoraproject.org",
        "src.stg.fedoraproject.org",
        "git.centos.org",
        "git.stg.centos.org",
    }
)
#: Bytes; a configuration is smaller.
FILE_LIMIT = 1024 * 1024
PULL_REQUEST, ISSUE = "pull-request", "issue"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


class Pagure:
    """One Pagure, such as src.fedoraproject.org. Safe to use from several threads.

    ``timeout`` is in seconds. ``login`` is the account of the token; without it Pagure is asked once. ``fallback_url``
    is what a flag links to that has no page of its own, by default the project: Pagure takes no flag without a link.
    """

    def __init__(
        self,
        *,
        url: str,
        token: str | None = None,
        login: str | None = None,
        fallback_url: str | None = None,
        timeout: float = 10.0,
        budget: Budget | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.fallback_url = fallback_url
        self.heads = Heads()
        self.service = Service(self.url, token, timeout, budget)
        self.anonymous = Service(self.url, None, timeout, budget)
        self._login = login
        self._token = token

    def project(self, project_url: str, installation_id: int | None = None) -> PagureProject:
        """The project with this web page, or the fork. No call is made for it. Raises NotFound for any other page."""
        namespace, name, owner = self._names(project_url)
        return PagureProject(self, namespace, name, owner)

    def login(self) -> str:
        """The account our comments are from. One call for each process, if it is not configured."""
        if self._login is None:
            with talking(self.service):
                self._login = self.service.user.get_username()
        return self._login

    def push_token(self) -> str:
        """The token that git works with. Raises Refused without one."""
        if self._token is None:
            raise Refused(f"This service has no account at {self.url}")
        return self._token

    def is_ours(self, login: str) -> bool:
        """Whether the account is the configured one."""
        return self._login is not None and self._login.lower() == login.lower()

    def close(self) -> None:
        """Close this thread's connections."""
        self.service.close()
        self.anonymous.close()

    def _names(self, project_url: str) -> tuple[str | None, str, str | None]:
        """Namespace, name, and the owner of a fork."""
        page, home = urlsplit(project_url), urlsplit(self.url)
        parts = page.path.removeprefix(home.path).strip("/").removesuffix(".git").split("/")
        owner = None
        if len(parts) > 2 and parts[0] in ("fork", "forks"):
            owner, parts = parts[1], parts[2:]
        named = [*parts, owner or "x"]
        same_host = page.netloc.lower() == home.netloc.lower()
        if not same_host or len(parts) > 2 or not all(_NAME.fullmatch(part) for part in named):
            raise NotFound(f"{project_url} is no project of {self.url}")
        return (parts[0] if len(parts) == 2 else None), parts[-1], owner


class PagureProject:
    """A project on Pagure, or somebody's fork of one. Each method says how many calls it makes."""

    def __init__(self, pagure: Pagure, namespace: str | None, name: str, owner: str | None) -> None:
        fork = ("fork", owner) if owner else ()
        self.path = "/".join(part for part in (*fork, namespace, name) if part)
        self.url = f"{pagure.url}/{self.path}"
        self._pagure = pagure
        self._namespace = namespace
        self._name = name
        self._project = self._ogr(pagure.service, namespace, name, owner)
        self._seen_by_all = self._ogr(pagure.anonymous, namespace, name, owner)
        self._flags = Flags(self._project, pagure.heads, self.path, pagure.fallback_url or self.url)

    def _ogr(self, service: Service, namespace: str | None, name: str, owner: str | None) -> OgrProject:
        return OgrProject(name, namespace, service, username=owner, is_fork=owner is not None)

    def seen_from(self, number: int, *, is_issue: bool) -> PagureProject:
        """The same project: Pagure counts pull requests and issues together."""
        return self

    def is_private(self) -> bool:
        """Whether the world cannot read it. No call on Fedora's and CentOS' Pagures, else one, or two for a private."""
        if urlsplit(self.url).hostname in PUBLIC_HOSTS:
            return False
        try:
            with talking(self._pagure.anonymous):
                self._seen_by_all.get_project_info()
            return False
        except NotFound:
            self._info()
            return True

    def top_files(self, ref: str) -> Sequence[str]:
        """Names of the files in the top directory at a commit, branch or tag. One call. Raises NotFound."""
        with self._talking() as project:
            return tuple(project.get_files(ref=quote(ref, safe="/")))

    def file(self, path: str, ref: str) -> str:
        """A file's text (undecodable bytes replaced). One call. Raises NotFound, Refused for one above 1 MB."""
        with self._talking() as project:
            # By hand: ogr does not replace undecodable bytes.
            found = project._call_project_api_raw(
                "raw",
                quote(ref, safe="/"),
                "f",
                quote(path),
                add_api_endpoint_part=False,
                header={"Accept": "text/plain"},
            )
            content: bytes = found.content
        if len(content) > FILE_LIMIT:
            raise Refused(f"{path} is too large to be read ({len(content)} bytes)")
        return content.decode(errors="replace")

    def permission(self, login: str) -> Permission:
        """What the account may do here. One call, and one for each group that may commit until it is found in one."""
        info = self._info()
        users, groups = info.get("access_users") or {}, info.get("access_groups") or {}
        for level, permission in (
            ("owner", Permission.ADMIN),
            ("admin", Permission.ADMIN),
            ("commit", Permission.WRITE),
        ):
            if login in (users.get(level) or ()):
                return permission
            for group in groups.get(level) or ():
                with talking(self._pagure.service):
                    if login in self._pagure.service.get_group(quote(group)).members:
                        return permission
        lower = [*(users.get("collaborator") or ()), *(users.get("ticket") or ())]
        return Permission.READ if login in lower else Permission.NONE

    def default_branch(self) -> str:
        """Its name. One call."""
        with self._talking() as project:
            return str(project.default_branch)

    def commit_sha(self, ref: str) -> str:
        """The commit of ``heads/<branch>``, ``tags/<tag>`` or ``HEAD``. One call. Raises NotFound."""
        kind, _, name = ref.partition("/")
        with self._talking() as project:
            # By hand: ogr asks twice for HEAD, and tells a missing tag from a missing page by its words only.
            listed = project._call_project_api(
                "git", "tags" if kind == "tags" else "branches", params={"with_commits": True}
            )
        refs = listed.get("tags" if kind == "tags" else "branches") or {}
        sha = refs.get(listed.get("default") if ref == "HEAD" else name)
        if not sha:
            raise NotFound(f"{SYSTEM} has no {ref} in {self.path}")
        return str(sha)

    def latest_release(self) -> str | None:
        """The tag of the highest version, as Pagure tells no times; None when there is none. One call."""
        with self._talking() as project:
            tags = list(project.get_tags_dict())
        versions = [(version, tag) for tag in tags if (version := _version(tag))]
        return max(versions)[1] if versions else None

    def pull_request(self, number: int) -> PullRequestState:
        """A pull request as it stands. One call. Raises NotFound, and TemporaryError while its commits are unknown."""
        with self._talking() as project:
            raw = project.get_pr(number)._raw_pr
        if not raw.get("commit_stop"):
            raise TemporaryError(f"{SYSTEM} does not tell yet which commits {self.path}#{number} brings")
        return PullRequestState(
            head_sha=str(raw["commit_stop"]),
            target_branch=str(raw["branch"]),
            author=(raw.get("user") or {}).get("name"),
            is_open=raw.get("status") in ("Open", True),
            labels=tuple(str(tag) for tag in raw.get("tags") or ()),
        )

    def create_check(self, check: CheckState) -> Posted:
        """Flag the commit, and the pull requests whose head it is. Safe to repeat: the uid comes from the marker.

        One call, one for each pull request, and one or two now and then to find them. Raises NotFound for a commit
        that is neither in the project nor the head of a pull request.
        """
        return self._flags.set(check)

    def update_check(self, check_id: str, check: CheckState) -> None:
        """Set the flags again. Calls as for ``create_check``."""
        self._flags.set(check)

    def find_check(self, check: CheckState) -> Posted | None:
        """The newest flag of this name on the commit, if it says what ours shall say. One call."""
        return self._flags.find(check)

    def create_comment(self, number: int, body: str) -> Posted:
        """Comment on a pull request or issue. Two calls (the answer tells no id), four for an issue."""
        kind = PULL_REQUEST
        try:
            self._say(kind, number, body)
        except NotFound:
            kind = ISSUE
            self._say(kind, number, body)
        try:
            found = self._newest(number, lambda text: _lines(text) == _lines(body))
        except (TemporaryError, NotFound, Refused):
            found = None  # it is said, and nothing needs its id
        return found or self._place(kind, number)

    def _say(self, kind: str, number: int, body: str) -> None:
        with self._talking(write=True) as project:
            project._call_project_api(kind, str(number), "comment", method="POST", data={"comment": body})

    def update_comment(self, number: int, comment_id: str, body: str) -> None:
        """Say it anew, unless it was the last thing said: Pagure changes no comments over its API. Up to four calls."""
        login = self._pagure.login()
        _, comments = self._comments(number)
        ours = [comment for comment in comments if comment["user"]["name"] == login]
        if not ours or _lines(ours[-1]["comment"]) != _lines(body):
            self.create_comment(number, body)

    def find_comment(self, number: int, marker: str) -> Posted | None:
        """The newest comment of ours whose text holds the marker. One call, two for an issue."""
        return self._newest(number, lambda text: marker in text)

    def create_reaction(self, comment_id: int, content: str) -> None:
        """Nothing: Pagure takes no reactions over its API."""

    def close_issue(self, number: int) -> None:
        """Close an issue, as done. One call; safe to repeat."""
        with self._talking(write=True) as project:
            project._call_project_api(
                "issue", str(number), "status", method="POST", data={"status": "Closed"}
            )

    def create_issue(self, title: str, body: str) -> Posted:
        """Open an issue; its id is its number. One call. Raises Refused where issues are off."""
        try:
            with self._talking(write=True) as project:
                # By hand: ogr asks first whether there are issues.
                made = project._call_project_api(
                    "new_issue", method="POST", data={"title": title, "issue_content": body}
                )
                number = int(made["issue"]["id"])
        except NotFound as error:
            raise Refused(str(error), status=404, answer="The project has no issues") from error
        return Posted(id=str(number), url=f"{self.url}/issue/{number}")

    def update_issue(self, number: int, title: str, body: str) -> None:
        """Say anew what an issue is about. One call; it stays closed if somebody has closed it."""
        with self._talking(write=True) as project:
            project._call_project_api(
                ISSUE, str(number), method="POST", data={"title": title, "issue_content": body}
            )

    def find_issue(self, marker: str) -> Posted | None:
        """The newest open issue of ours whose text holds the marker. One call; among our newest hundred."""
        asked = {"author": self._pagure.login(), "status": "Open", "per_page": 100}
        try:
            with self._talking() as project:
                found = project._call_project_api("issues", params=asked)["issues"]
        except NotFound:
            return None
        fitting = [int(issue["id"]) for issue in found if marker in (issue.get("content") or "")]
        number = max(fitting, default=None)
        return Posted(id=str(number), url=f"{self.url}/issue/{number}") if number else None

    def read_access(self) -> ReadAccess | None:
        """Our account, for a private project. Calls as for ``is_private``. Raises NotFound, Refused without account."""
        if not self.is_private():
            return None
        return ReadAccess(user=self._pagure.login(), token=self._pagure.push_token())

    def push_access(self) -> PushAccess:
        """Our fork, made where there is none. One call, or three. Raises Refused without an account."""
        token, pulls = self._pagure.push_token(), self._pulls()
        pulls.ensure_fork()
        return PushAccess(url=pulls.fork_url, user=self._pagure.login(), token=token)

    def pushed_sha(self, head: str) -> str:
        """The commit of a branch of our fork; "" where there is none. One call."""
        return self._pulls().pushed(head)

    def find_pull_request(self, head: str, branch: str) -> Posted | None:
        """Our open pull request from the fork's ``head`` for ``branch``. One call; among our newest hundred."""
        return self._pulls().find(head, branch)

    def create_pull_request(self, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for the fork's ``head`` to be merged into ``branch``. One call."""
        return self._pulls().create(head, branch, title, body)

    def _pulls(self) -> Pulls:
        pagure = self._pagure
        return Pulls(pagure.service, pagure.url, self._namespace, self._name, pagure.login())

    def _newest(self, number: int, fits: Callable[[str], bool]) -> Posted | None:
        login = self._pagure.login()
        kind, comments = self._comments(number)
        for comment in reversed(comments):
            if comment["user"]["name"] == login and fits(comment["comment"] or ""):
                return self._place(kind, number, comment["id"])
        return None

    def _place(self, kind: str, number: int, comment_id: int | None = None) -> Posted:
        page = f"{self.url}/{kind}/{number}"
        if comment_id is None:
            return Posted(id="", url=page)
        return Posted(id=str(comment_id), url=f"{page}#comment-{comment_id}")

    def _comments(self, number: int) -> tuple[str, list[Mapping[str, Any]]]:
        """Whether it is a pull request or an issue, and its comments, oldest first."""
        with self._talking() as project:
            try:
                return PULL_REQUEST, list(project.get_pr(number)._raw_pr.get("comments") or ())
            except NotFound:
                issue = project._call_project_api(ISSUE, str(number))
                return ISSUE, list(issue.get("comments") or ())

    def _info(self) -> Mapping[str, Any]:
        with self._talking() as project:
            info: Mapping[str, Any] = project.get_project_info()
        if not isinstance(info, dict):
            raise http_errors.from_nonsense("a project that is no object", system=SYSTEM, write=False)
        return info

    @contextmanager
    def _talking(self, *, write: bool = False) -> Iterator[OgrProject]:
        with talking(self._pagure.service, write=write):
            yield self._project


def _lines(text: str) -> list[str]:
    """Its lines: forms may come back with other ends of lines."""
    return [line.rstrip() for line in text.strip().splitlines()]


def _version(tag: str) -> Version | None:
    """The version a tag tells, whatever stands in front of its first digit; pre-releases do not count."""
    match = re.search(r"\d.*", tag)
    try:
        version = Version(match[0]) if match else None
    except InvalidVersion:
        return None
    return version if version and not version.is_prerelease else None
