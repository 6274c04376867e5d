"""What the stand-in for Pagure knows: users, projects with their git, pull requests, flags, issues.

Used inside the sandbox only.
"""

import itertools
import secrets
import threading
import time
from dataclasses import dataclass, field

from packit_worker.sandbox.git_repository import GitRepository, GitStore

LEVELS = ("owner", "admin", "commit", "collaborator", "ticket")
COMMITTERS = ("owner", "admin", "commit")
INVALID_TOKEN = (
    "Invalid or expired token. Please visit {url}/settings#api-keys to get or renew your API token."
)


class PagureError(Exception):
    """An answer of Pagure that is not a success, with its ``error_code``; `errors` are those of a form's fields."""

    def __init__(
        self, status: int, message: str, code: str = "ENOCODE", errors: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.errors = errors


def now() -> str:
    """The time as Pagure writes it: seconds since the epoch as text."""
    return str(int(time.time()))


@dataclass
class PagureUser:
    """Somebody with an account."""

    name: str
    fullname: str
    token: str | None = None


@dataclass
class PagureComment:
    """A comment on a pull request or an issue. A `notification` is Pagure's own note of what happened."""

    id: int
    comment: str
    user: PagureUser
    notification: bool = False
    date_created: str = field(default_factory=now)
    edited_on: str | None = None
    editor: PagureUser | None = None


@dataclass
class Flag:
    """A flag on a commit or a pull request. `writes` counts how often it was set."""

    uid: str
    username: str
    comment: str
    url: str
    status: str
    percent: int | None
    user: PagureUser
    commit_hash: str | None = None
    pull_request_uid: str | None = None
    date_created: str = field(default_factory=now)
    date_updated: str = field(default_factory=now)
    writes: int = 1
    history: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class PagureIssue:
    """An issue."""

    id: int
    title: str
    content: str
    user: PagureUser
    private: bool = False
    status: str = "Open"
    close_status: str | None = None
    assignee: PagureUser | None = None
    tags: list[str] = field(default_factory=list)
    comments: list[PagureComment] = field(default_factory=list)
    date_created: str = field(default_factory=now)
    last_updated: str = field(default_factory=now)
    closed_at: str | None = None


@dataclass(kw_only=True)
class PagurePullRequest:
    """A pull request. `repo_from` None is a fork that was deleted."""

    id: int
    uid: str
    title: str
    initial_comment: str | None
    user: PagureUser
    branch: str
    branch_from: str
    repo_from: "PagureProject | None"
    commit_start: str | None
    commit_stop: str | None
    status: str = "Open"
    tags: list[str] = field(default_factory=list)
    comments: list[PagureComment] = field(default_factory=list)
    flags: dict[str, Flag] = field(default_factory=dict)
    closed_by: PagureUser | None = None
    date_created: str = field(default_factory=now)
    last_updated: str = field(default_factory=now)
    closed_at: str | None = None


@dataclass(kw_only=True)
class PagureProject:
    """A project, or the fork of one (then `parent` is set and `user` is whose it is)."""

    id: int
    name: str
    namespace: str | None
    user: PagureUser
    repository: GitRepository
    description: str = ""
    parent: "PagureProject | None" = None
    private: bool = False
    issue_tracker: bool = True
    pull_requests_enabled: bool = True
    hook_key: str = field(default_factory=lambda: secrets.token_hex(20))
    access_users: dict[str, list[str]] = field(default_factory=dict)
    access_groups: dict[str, list[str]] = field(default_factory=dict)
    pull_requests: dict[int, PagurePullRequest] = field(default_factory=dict)
    issues: dict[int, PagureIssue] = field(default_factory=dict)
    commit_flags: dict[str, dict[str, Flag]] = field(default_factory=dict)
    date_created: str = field(default_factory=now)

    @property
    def path(self) -> str:
        """Namespace and name: ``rpms/hello``."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def fullname(self) -> str:
        """The name of its repository: ``rpms/hello``, ``forks/mia/rpms/hello``."""
        return f"forks/{self.user.name}/{self.path}" if self.parent else self.path

    @property
    def url_path(self) -> str:
        """Where its page is: ``rpms/hello``, ``fork/mia/rpms/hello``."""
        return f"fork/{self.user.name}/{self.path}" if self.parent else self.path

    def next_number(self) -> int:
        """The number the next issue or pull request has: they count together."""
        return max([0, *self.pull_requests, *self.issues]) + 1


class PagureState:
    """All of it, behind one lock: hold `lock` while reading or writing anything."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.store = GitStore()
        self.clear()

    def clear(self) -> None:
        """Back to an empty Pagure."""
        with self.lock:
            self.store.clear()
            self.users: dict[str, PagureUser] = {}
            self.groups: dict[str, list[str]] = {}
            self.projects: dict[str, PagureProject] = {}
            self._ids = itertools.count(1001)

    def next_id(self) -> int:
        """A number nothing else has."""
        return next(self._ids)

    def user(self, name: str) -> PagureUser:
        """The user, made if there is none."""
        if name not in self.users:
            self.users[name] = PagureUser(name, name.capitalize())
        return self.users[name]

    def by_token(self, token: str) -> PagureUser | None:
        """Whose API token this is."""
        return next((user for user in self.users.values() if token and user.token == token), None)

    def project(self, fullname: str) -> PagureProject:
        """The project: ``rpms/hello``, ``forks/mia/rpms/hello`` or ``fork/mia/rpms/hello``. Raises PagureError 404."""
        if fullname.startswith("fork/"):
            fullname = f"forks/{fullname.removeprefix('fork/')}"
        if fullname not in self.projects:
            raise PagureError(404, "Project not found", "ENOPROJECT")
        return self.projects[fullname]

    def pull_request(self, fullname: str, number: int) -> PagurePullRequest:
        """The pull request. Raises PagureError 404."""
        found = self.project(fullname).pull_requests.get(number)
        if found is None:
            raise PagureError(404, "Pull-Request not found", "ENOREQ")
        return found

    def issue(self, fullname: str, number: int) -> PagureIssue:
        """The issue. Raises PagureError 404."""
        project = self.project(fullname)
        if not project.issue_tracker:
            raise PagureError(404, "Issue tracker disabled", "ETRACKERDISABLED")
        if number not in project.issues:
            raise PagureError(404, "Issue not found", "ENOISSUE")
        return project.issues[number]

    def may_commit(self, user: PagureUser, project: PagureProject) -> bool:
        """Whether somebody may push to a project and merge into it: by name or by a group."""
        levels = [level for level in COMMITTERS if user.name in project.access_users.get(level, [])]
        groups = [group for level in COMMITTERS for group in project.access_groups.get(level, [])]
        return bool(levels) or any(user.name in self.groups.get(group, []) for group in groups)
