"""GitLab behind ``ports.Forge``, over python-gitlab. Imported by ``services`` only. https://docs.gitlab.com/api/rest/

Merge requests and issues are counted apart: what is said about "number 4" is said about a merge request, until a
project is told to look from an issue (``seen_from``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from packit_worker.clients.budget import Budget
from packit_worker.clients.gitlab_access import SYSTEM, Api, talking
from packit_worker.clients.gitlab_notes import Kind, Notes, harmless
from packit_worker.clients.gitlab_statuses import Places, Statuses
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.ports import (
    CheckState,
    Permission,
    Posted,
    PullRequestState,
    PushAccess,
    ReadAccess,
)

#: Bytes; a configuration is smaller.
FILE_LIMIT = 1024 * 1024
_PIECE = 64 * 1024

#: https://docs.gitlab.com/api/members/#roles: from Developer on, merge requests can be merged.
LEVELS = ((40, Permission.ADMIN), (30, Permission.WRITE), (10, Permission.READ))

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


class GitLab:
    """One GitLab, such as gitlab.com. Safe to use from several threads.

    ``timeout`` is in seconds. ``login`` is the account of the token; without it GitLab is asked once.
    """

    def __init__(
        self,
        *,
        url: str,
        token: str | None = None,
        login: str | None = None,
        timeout: float = 10.0,
        budget: Budget | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.api = Api(self.url, token, timeout, budget)
        self.places = Places()
        self._login = login

    def project(self, project_url: str, installation_id: int | None = None) -> GitLabProject:
        """The project with this web page. No call is made for it. Raises NotFound for a page that is no project's."""
        return GitLabProject(self, self._path(project_url))

    def login(self) -> str:
        """The account our comments are from. One call for each process, if it is not configured."""
        if self._login is None:
            with talking():
                told = self.api.http_get("/user")
                self._login = str(told["username"])  # type: ignore[index]
        return self._login

    def is_ours(self, login: str) -> bool:
        """Whether the account is the configured one."""
        return self._login is not None and self._login.lower() == login.lower()

    def close(self) -> None:
        """Close this thread's connections."""
        self.api.close()

    def _path(self, project_url: str) -> str:
        page, home = urlsplit(project_url), urlsplit(self.url)
        below = f"{home.path.rstrip('/')}/"
        parts = page.path.removeprefix(below).strip("/").removesuffix(".git").split("/")
        is_here = page.netloc.lower() == home.netloc.lower() and page.path.startswith(below)
        if not is_here or len(parts) < 2 or not all(_NAME.fullmatch(part) for part in parts):
            raise NotFound(f"{project_url} is no project of {self.url}")
        return "/".join(parts)


class GitLabProject:
    """A project on GitLab. Each method says how many calls it makes."""

    def __init__(self, gitlab: GitLab, path: str, place: tuple[Kind, int | None] | None = None) -> None:
        self.path = path
        self.url = f"{gitlab.url}/{path}"
        self._gitlab = gitlab
        self._kind, self._number = place or ("merge_requests", None)
        self._project = gitlab.api.projects.get(path, lazy=True)
        self._notes = Notes(self._project, self.url, gitlab.login)
        self._statuses = Statuses(gitlab.api, gitlab.places, self._project, self.url, self._notes)

    def seen_from(self, number: int, *, is_issue: bool) -> GitLabProject:
        """The same project, whose numbers are those of issues if it is one, and whose comments are on this number."""
        return GitLabProject(self._gitlab, self.path, ("issues" if is_issue else "merge_requests", number))

    def is_private(self) -> bool:
        """Whether the world cannot read it; what all who have an account can read is private too. One call."""
        # Nobody is not told the visibility: what nobody can read is not there.
        default = "public" if self._gitlab.api.private_token is None else None
        return self._info().get("visibility", default) != "public"

    def top_files(self, ref: str) -> Sequence[str]:
        """Names of the files in the top directory at a commit, branch or tag. A call per hundred. Raises NotFound."""
        with talking():
            listed = self._project.repository_tree(ref=ref, per_page=100, iterator=True)
            return tuple(str(one["name"]) for one in listed if one["type"] == "blob")

    def file(self, path: str, ref: str) -> str:
        """A file's text (undecodable bytes replaced). One call. Raises NotFound, Refused for one above 1 MB."""
        content = bytearray()
        with talking():
            for piece in self._project.files.raw(path, ref, True, None, _PIECE, iterator=True):
                content += piece
                if len(content) > FILE_LIMIT:
                    raise Refused(f"{path} is too large to be read (more than {FILE_LIMIT} bytes)")
        return content.decode(errors="replace")

    def permission(self, login: str) -> Permission:
        """What the account may do here, by membership of the project or a group above. One call, rarely more."""
        with talking():
            for member in self._project.members_all.list(query=login, per_page=100, iterator=True):
                told = member.attributes
                if told["username"].lower() == login.lower() and told.get("state", "active") == "active":
                    level = int(told["access_level"])
                    return next((role for least, role in LEVELS if level >= least), Permission.NONE)
        return Permission.NONE

    def default_branch(self) -> str:
        """Its name. One call."""
        return str(self._info()["default_branch"])

    def commit_sha(self, ref: str) -> str:
        """The commit of ``heads/<branch>``, ``tags/<tag>`` or ``HEAD``. One call. Raises NotFound."""
        kind, _, name = ref.partition("/")
        with talking():
            match kind:
                case "heads":
                    return str(self._project.branches.get(name).attributes["commit"]["id"])
                case "tags":
                    return str(self._project.tags.get(name).attributes["commit"]["id"])
                case _:
                    return str(self._project.commits.get(ref).attributes["id"])

    def latest_release(self) -> str | None:
        """The tag of the newest release whose date has come; None without any. One call; among the newest hundred."""
        with talking():
            for release in self._project.releases.list(per_page=100, get_all=False):
                if not release.attributes.get("upcoming_release"):
                    return str(release.attributes["tag_name"])
        return None

    def pull_request(self, number: int) -> PullRequestState:
        """A merge request as it stands. One call. Raises NotFound, and TemporaryError while its commits are unknown."""
        with talking():
            told = self._project.mergerequests.get(number).attributes
            if not told.get("sha"):
                raise TemporaryError(f"{SYSTEM} does not tell yet which commits {self.path}!{number} brings")
            return PullRequestState(
                head_sha=str(told["sha"]),
                target_branch=str(told["target_branch"]),
                author=(told.get("author") or {}).get("username"),
                is_open=told["state"] == "opened",
                labels=tuple(str(label) for label in told.get("labels") or ()),
            )

    def create_check(self, check: CheckState) -> Posted:
        """Set a commit status in the pipeline of the merge request; calls as ``Statuses.set`` says."""
        return self._statuses.set(check)

    def update_check(self, check_id: str, check: CheckState) -> None:
        """Set the status anew. Calls as for ``create_check``."""
        self._statuses.set(check)

    def find_check(self, check: CheckState) -> Posted | None:
        """The newest status of this name on the commit, if it says what ours shall say. Up to three calls."""
        return self._statuses.find(check)

    def create_comment(self, number: int, body: str) -> Posted:
        """Comment on a merge request or (``seen_from``) an issue. One call."""
        return self._notes.create(self._kind, number, body)

    def update_comment(self, number: int, comment_id: str, body: str) -> None:
        """Change a comment of ours. One call."""
        self._notes.update(self._kind, number, comment_id, body)

    def find_comment(self, number: int, marker: str) -> Posted | None:
        """The newest comment of ours whose text holds the marker. One call per hundred comments."""
        return self._notes.find(self._kind, number, marker)

    def create_reaction(self, comment_id: int, content: str) -> None:
        """React to a comment on the number that the project is seen from; without any, nothing. One call."""
        if self._number is not None:
            self._notes.react(self._kind, self._number, comment_id, content)

    def close_issue(self, number: int) -> None:
        """Close an issue. One call; safe to repeat."""
        with talking(write=True):
            self._project.issues.update(number, {"state_event": "close"})

    def create_issue(self, title: str, body: str) -> Posted:
        """Open an issue; its id is its number. One call. Raises Refused where issues are off."""
        try:
            with talking(write=True):
                made = self._project.issues.create({"title": title, "description": harmless(body)}).attributes
                return self._issue(int(made["iid"]))
        except NotFound as error:
            raise Refused(str(error), status=404, answer="The project has no issues") from error

    def update_issue(self, number: int, title: str, body: str) -> None:
        """Say anew what an issue is about, and open it again. One call."""
        change = {"title": title, "description": harmless(body), "state_event": "reopen"}
        with talking(write=True):
            self._project.issues.update(number, change)

    def find_issue(self, marker: str) -> Posted | None:
        """The newest open issue of ours whose text holds the marker. One call; among our newest hundred."""
        login = self._gitlab.login()
        with talking():
            listed = self._project.issues.list(
                author_username=login,
                state="opened",
                order_by="created_at",
                sort="desc",
                per_page=100,
                get_all=False,
            )
            for issue in listed:
                told = issue.attributes
                if told["author"]["username"] == login and marker in (told.get("description") or ""):
                    return self._issue(int(told["iid"]))
        return None

    def read_access(self) -> ReadAccess | None:
        """Our account, for a project that is not public. One call. Raises NotFound, Refused without an account."""
        if not self.is_private():
            return None
        where = self.push_access()
        return ReadAccess(user=where.user, token=where.token)

    def push_access(self) -> PushAccess:
        """The project itself: whoever may merge there may make branches. No call. Raises Refused without an account."""
        token = self._gitlab.api.private_token
        if token is None:
            raise Refused(f"This service has no account at {self._gitlab.url}")
        return PushAccess(url=f"{self.url}.git", user=self._gitlab.login(), token=token)

    def pushed_sha(self, head: str) -> str:
        """The commit of a branch; "" where there is none. One call."""
        try:
            return self.commit_sha(f"heads/{head}")
        except NotFound:
            return ""

    def find_pull_request(self, head: str, branch: str) -> Posted | None:
        """The open merge request from one branch of the project for another. One call; among the newest hundred."""
        with talking():
            listed = self._project.mergerequests.list(
                state="opened", source_branch=head, target_branch=branch, per_page=100, get_all=False
            )
            for found in listed:
                told = found.attributes
                if told["source_project_id"] == told["target_project_id"]:
                    return self._merge_request(int(told["iid"]))
        return None

    def create_pull_request(self, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for a branch of the project to be merged into another. One call. Raises Refused."""
        wanted = {
            "source_branch": head,
            "target_branch": branch,
            "title": title,
            "description": harmless(body),
        }
        with talking(write=True):
            made = self._project.mergerequests.create(wanted)
            return self._merge_request(int(made.attributes["iid"]))

    def _merge_request(self, number: int) -> Posted:
        return Posted(id=str(number), url=f"{self.url}/-/merge_requests/{number}")

    def _issue(self, number: int) -> Posted:
        return Posted(id=str(number), url=f"{self.url}/-/issues/{number}")

    def _info(self) -> dict[str, Any]:
        with talking():
            info = self._gitlab.api.projects.get(self.path).attributes
            return dict(info)
