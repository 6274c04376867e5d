"""What the stand-in for GitLab knows: users, projects with their git, merge requests, issues, notes, statuses.

Used inside the sandbox only.
"""

import itertools
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from packit_worker.sandbox.git_repository import GitRepository, GitStore

#: https://docs.gitlab.com/api/members/#roles
REPORTER, DEVELOPER, MAINTAINER, OWNER = 20, 30, 40, 50
VISIBILITY = {"private": 0, "internal": 10, "public": 20}


class GitLabError(Exception):
    """An answer of GitLab that is not a success; `field` is under which name its words stand."""

    def __init__(self, status: int, message: str, field: str = "message") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field


def now() -> str:
    """The time as GitLab's API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class GitLabUser:
    """Somebody with an account; whoever has a token can use the API."""

    id: int
    username: str
    token: str | None = None


@dataclass
class Note:
    """A comment. `emoji` are the names of reactions with who gave them."""

    id: int
    body: str
    author: GitLabUser
    system: bool = False
    internal: bool = False
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    emoji: list[tuple[str, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class GitLabIssue:
    """An issue."""

    id: int
    iid: int
    title: str
    description: str
    author: GitLabUser
    confidential: bool = False
    state: str = "opened"
    labels: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    created_at: str = field(default_factory=now)


@dataclass(kw_only=True)
class MergeRequest:
    """A merge request. `source` None is a fork that was deleted; `before` the head it had until the last push."""

    id: int
    iid: int
    title: str
    description: str
    author: GitLabUser
    source: "GitLabProject | None"
    source_branch: str
    target_branch: str
    sha: str
    before: str | None = None
    state: str = "opened"
    labels: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    created_at: str = field(default_factory=now)

    @property
    def draft(self) -> bool:
        """Whether its title says that it is one."""
        return self.title.startswith("Draft:")


@dataclass(kw_only=True)
class Status:
    """A commit status. `history` holds its states, oldest first."""

    id: int
    sha: str
    ref: str
    name: str
    status: str
    author: GitLabUser
    target_url: str | None = None
    description: str | None = None
    created_at: str = field(default_factory=now)
    history: list[str] = field(default_factory=list)


@dataclass
class GitLabRelease:
    """A release. One that is `upcoming` has a date to come."""

    tag: str
    name: str
    upcoming: bool = False


@dataclass(kw_only=True)
class GitLabProject:
    """A project; `path` is its whole path: ``acme/tools/hello``. `members` maps user names to access levels."""

    id: int
    path: str
    repository: GitRepository
    visibility: str = "public"
    issues_enabled: bool = True
    forked_from: "GitLabProject | None" = None
    hook_token: str = field(default_factory=lambda: secrets.token_hex(20))
    members: dict[str, int] = field(default_factory=dict)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    issues: dict[int, GitLabIssue] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    releases: list[GitLabRelease] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        """The path of its group or owner."""
        return self.path.rpartition("/")[0]


class GitLabState:
    """All of it, behind one lock: hold `lock` while reading or writing anything."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.store = GitStore()
        self.clear()

    def clear(self) -> None:
        """Back to an empty GitLab."""
        with self.lock:
            self.store.clear()
            self.users: dict[str, GitLabUser] = {}
            self.projects: dict[str, GitLabProject] = {}
            self._ids = itertools.count(70001)

    def next_id(self) -> int:
        """A number nothing else has."""
        return next(self._ids)

    def user(self, username: str) -> GitLabUser:
        """The user, made if there is none."""
        if username not in self.users:
            self.users[username] = GitLabUser(self.next_id(), username)
        return self.users[username]

    def by_token(self, token: str) -> GitLabUser | None:
        """Whose access token this is."""
        return next((user for user in self.users.values() if token and user.token == token), None)

    def project(self, path_or_id: str) -> GitLabProject:
        """The project with this path, or number. Raises GitLabError 404."""
        for project in self.projects.values():
            if path_or_id in (project.path, str(project.id)):
                return project
        raise GitLabError(404, "404 Project Not Found")

    def merge_request(self, path: str, iid: int) -> MergeRequest:
        """The merge request. Raises GitLabError 404."""
        found = self.project(path).merge_requests.get(iid)
        if found is None:
            raise GitLabError(404, "404 Not found")
        return found

    def issue(self, path: str, iid: int) -> GitLabIssue:
        """The issue. Raises GitLabError 404, 403 where issues are off."""
        project = self.project(path)
        if not project.issues_enabled:
            raise GitLabError(403, "403 Forbidden")
        if iid not in project.issues:
            raise GitLabError(404, "404 Not found")
        return project.issues[iid]

    def level(self, user: GitLabUser | None, project: GitLabProject) -> int:
        """The access level somebody has; 0 for a stranger."""
        return project.members.get(user.username, 0) if user else 0

    def may_read(self, user: GitLabUser | None, project: GitLabProject) -> bool:
        """Whether somebody, or nobody, sees the project."""
        if project.visibility == "public":
            return True
        return user is not None and (project.visibility == "internal" or self.level(user, project) > 0)
