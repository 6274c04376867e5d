"""What the worker asks of the systems outside, as protocols and the values that pass through them.

Ground floor: anybody may import it. ``packit_worker.clients`` holds one implementation per system. Every method raises
the errors of ``packit_worker.errors`` and no others: TemporaryError (nothing happened), Unanswered (a write may have
happened), RateLimited, NotFound, Refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Permission(StrEnum):
    """What an account may do in a project. WRITE and ADMIN may merge, and so may have builds made."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def may_merge(self) -> bool:
        return self in (Permission.WRITE, Permission.ADMIN)


class CheckStatus(StrEnum):
    """How far a check is, in the words of GitHub's check runs; forges with fewer words map them."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    """How a completed check went, in the words of GitHub's check runs."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True, kw_only=True)
class CheckState:
    """What a check on a commit shall show. ``name`` is stable for the life of the commit.

    ``marker`` is our own id of the check, kept by the forge (external_id), by which it is found again. ``summary`` is
    Markdown that has been made safe; its first line says what to do.
    """

    commit_sha: str
    name: str
    marker: str
    status: CheckStatus
    conclusion: Conclusion | None = None
    title: str
    summary: str = ""
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Posted:
    """Something that was created outside: its id there and, if it has one, its web page."""

    id: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class PullRequestState:
    """A pull request as it stands. ``author`` None is a deleted account."""

    head_sha: str
    target_branch: str
    author: str | None
    is_open: bool
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PushAccess:
    """Where git takes a branch of ours, and as whom: for https, with ``token`` as the password."""

    url: str
    user: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ReadAccess:
    """As whom git reads a project that the world cannot read: for https, with ``token`` as the password."""

    user: str
    token: str = field(repr=False)


class ForgeProject(Protocol):
    """A project on a forge, as the service's account there sees it."""

    url: str

    def seen_from(self, number: int, *, is_issue: bool) -> ForgeProject:
        """The same project, as seen from a pull request or an issue: some forges count them apart. No call."""

    def is_private(self) -> bool:
        """Whether the world cannot read it. One call."""

    def top_files(self, ref: str) -> Sequence[str]:
        """Names of the files in the top directory at a commit, branch or tag. One call. Raises NotFound."""

    def file(self, path: str, ref: str) -> str:
        """A file's text (undecodable bytes replaced). One call. Raises NotFound."""

    def permission(self, login: str) -> Permission:
        """What the account may do here. One call; an account nobody knows has none."""

    def default_branch(self) -> str:
        """Its name. One call."""

    def commit_sha(self, ref: str) -> str:
        """The commit of ``heads/<branch>``, ``tags/<tag>`` or ``HEAD``. One call. Raises NotFound."""

    def latest_release(self) -> str | None:
        """The tag of the newest release; None when there is none. One call."""

    def pull_request(self, number: int) -> PullRequestState:
        """A pull request as it stands. One call. Raises NotFound."""

    def create_check(self, check: CheckState) -> Posted:
        """Show a check for the first time. One call. Where the forge lets us write no check runs, a commit status."""

    def update_check(self, check_id: str, check: CheckState) -> None:
        """Change a check that was created before. One call."""

    def find_check(self, check: CheckState) -> Posted | None:
        """The check with this commit, name and marker, if it is there. One call."""

    def create_comment(self, number: int, body: str) -> Posted:
        """Comment on a pull request or issue."""

    def update_comment(self, number: int, comment_id: str, body: str) -> None:
        """Change a comment of ours."""

    def find_comment(self, number: int, marker: str) -> Posted | None:
        """The newest comment of ours whose text holds the marker."""

    def create_reaction(self, comment_id: int, content: str) -> None:
        """React to a comment: ``eyes``, ``confused``... One call; safe to repeat. Nothing where there are none."""

    def close_issue(self, number: int) -> None:
        """Close an issue, as done. One call; safe to repeat."""

    def create_issue(self, title: str, body: str) -> Posted:
        """Open an issue."""

    def update_issue(self, number: int, title: str, body: str) -> None:
        """Say anew what an issue of ours is about. Safe to repeat."""

    def find_issue(self, marker: str) -> Posted | None:
        """The newest open issue of ours whose text holds the marker."""

    def read_access(self) -> ReadAccess | None:
        """As whom git fetches from ``url``; None where the world may. One call or two. Raises Refused, NotFound."""

    # Pull requests of ours come from a branch of the project itself where we may push to it, else from our fork: which
    # one is the forge's to know, and the four agree on it.

    def push_access(self) -> PushAccess:
        """Where a branch is pushed that a pull request shall come from. Makes the fork where it takes one.

        Raises Refused where we have no account, TemporaryError while the fork is being made.
        """

    def pushed_sha(self, head: str) -> str:
        """The commit of a branch where ``push_access`` leads; "" where there is none. One call."""

    def find_pull_request(self, head: str, branch: str) -> Posted | None:
        """The open pull request from the branch ``head`` where ``push_access`` leads, for ``branch``. One call."""

    def create_pull_request(self, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for ``head`` to be merged into ``branch``; its id is its number. One call. Raises Refused."""


class DistGit(Protocol):
    """Dist-git: packages on a Pagure, and the lookaside cache. Packages are named with namespace: ``rpms/hello``."""

    login: str

    def url_of(self, package: str) -> str:
        """Where git finds a package. No call."""

    def fork_url(self, package: str) -> str:
        """Where git finds our fork of a package. No call."""

    def commit_url(self, package: str, commit: str) -> str:
        """The page of a commit. No call."""

    def ensure_fork(self, package: str) -> None:
        """Have a fork of our own. Safe to repeat. Raises TemporaryError while it is being made."""

    def fork_branch(self, package: str, branch: str) -> str:
        """The commit of a branch of our fork; "" where there is none."""

    def find_pull_request(self, package: str, head: str, branch: str) -> Posted | None:
        """Our open pull request from the fork's ``head`` for ``branch``."""

    def create_pull_request(self, package: str, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for the fork's ``head`` to be merged into ``branch``. One call."""

    def upload(self, package: str, archive: Path) -> None:
        """Have an archive in the lookaside cache. Safe to repeat."""


class Forge(Protocol):
    """A forge: GitHub, Pagure..."""

    def project(self, project_url: str, installation_id: int | None = None) -> ForgeProject:
        """The project with this web page. No call is made for it."""

    def is_ours(self, login: str) -> bool:
        """Whether the account is the one that we write with, as far as it is known without a call."""


@dataclass(frozen=True, kw_only=True)
class SentWebhook:
    """One attempt of a forge to deliver a webhook.

    ``guid`` is the delivery's id, which all attempts share; ``id`` is that of the attempt. ``status_code`` is what was
    answered, by us or by whoever stands in front of us.
    """

    id: int
    guid: str
    event_type: str
    action: str | None
    delivered_at: datetime
    status_code: int

    @property
    def failed(self) -> bool:
        return not 200 <= self.status_code < 300


class SentWebhooks(Protocol):
    """The webhooks that a forge has sent, as it remembers them."""

    def deliveries(self, since: datetime) -> Iterator[SentWebhook]:
        """The attempts since then, newest first. One call per hundred, made as they are needed."""

    def redeliver(self, attempt_id: int) -> None:
        """Have it sent once more, with the same guid. One call; safe to repeat. Raises NotFound for one too old."""


@dataclass(frozen=True, kw_only=True)
class CoprProject:
    """How a Copr project shall be set up. ``delete_after_days`` None: kept for ever."""

    owner: str
    name: str
    chroots: tuple[str, ...]
    description: str = ""
    instructions: str = ""
    additional_repos: tuple[str, ...] = ()
    unlisted_on_hp: bool = True
    delete_after_days: int | None = 60
    enable_net: bool = False
    bootstrap: str | None = None
    module_hotfixes: bool = False
    #: Of some chroots what they have beside: ``additional_packages``, ``additional_repos``, ``additional_modules``,
    #: ``with_opts``, ``without_opts``, each a list.
    chroot_settings: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class CoprOrder:
    """A build to be made in Copr: the SRPM is made there too, by ``script`` (source method "custom").

    ``marker`` is a line of the script; by it the build is found again when no answer came to the order.
    """

    owner: str
    project: str
    chroots: tuple[str, ...]
    script: str
    script_chroot: str
    script_builddeps: tuple[str, ...]
    marker: str
    enable_net: bool = False
    timeout: int | None = None


@dataclass(frozen=True, kw_only=True)
class CoprBuild:
    """A build as Copr has it. ``chroots`` maps chroot -> Copr's word for its state."""

    id: int
    url: str
    owner: str = ""
    project: str = ""
    state: str = ""
    package: str | None = None
    chroots: Mapping[str, str] = field(default_factory=dict)


class Copr(Protocol):
    """Copr: https://copr.fedorainfracloud.org/api_3."""

    @property
    def account(self) -> str:
        """The account the service works as."""

    def available_chroots(self) -> frozenset[str]:
        """Names of the chroots that Copr can build in (those starting with an underscore left out)."""

    def ensure_project(self, project: CoprProject) -> None:
        """Create the project, or add what it lacks: chroots are only ever added. Safe to repeat.

        Raises Refused where we may not change it, with Copr's words.
        """

    def build(self, order: CoprOrder) -> CoprBuild:
        """Order a build. One call."""

    def find_build(self, order: CoprOrder) -> CoprBuild | None:
        """The build that was ordered with this marker, if Copr has it."""

    def get_build(self, build_id: int) -> CoprBuild:
        """A build with the state of each chroot. Raises NotFound."""

    def cancel_build(self, build_id: int) -> None:
        """Cancel a build that has not ended. One that has ended stays as it is."""

    def build_url(self, build_id: int) -> str:
        """The build's web page."""

    def log_url(self, build: CoprBuild, chroot: str) -> str:
        """The build log of one chroot."""


@dataclass(frozen=True, kw_only=True)
class KojiOrder:
    """A build to be made in Koji from an SRPM on disk, or from git (``git+https://...#<sha>``).

    ``marker`` is kept with the task; by it the task is found again when no answer came to the order.
    """

    target: str
    marker: str
    scratch: bool
    srpm: Path | None = None
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class KojiTask:
    """A task as Koji has it. ``arch_tasks`` maps architecture -> the task that builds there, once there are any."""

    id: int
    url: str
    state: str
    target: str | None = None
    scratch: bool = False
    arch_tasks: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        return self.state in ("CLOSED", "CANCELED", "FAILED")


class Koji(Protocol):
    """Koji: https://koji.fedoraproject.org/koji/api."""

    def targets(self) -> frozenset[str]:
        """Names of the targets that can be built for."""

    def build(self, order: KojiOrder) -> KojiTask:
        """Order a build. One call, after the source package was uploaded."""

    def find_build(self, order: KojiOrder) -> KojiTask | None:
        """The task that was ordered with this marker, if Koji has it."""

    def task(self, task_id: int) -> KojiTask:
        """A task with those that build for an architecture. Raises NotFound."""

    def cancel(self, task_id: int) -> None:
        """Cancel a task that has not ended. One that has ended stays as it is."""

    def log_url(self, arch_task_id: int) -> str:
        """The build log of a task that builds for an architecture."""


@dataclass(frozen=True, kw_only=True)
class TestRequest:
    """Tests to be run in Testing Farm for one chroot. ``body`` is the API's request without its notification."""

    __test__ = False

    body: Mapping[str, object]
    #: Kept by Testing Farm in the environment's variables; by it the request is found again.
    marker: str


class TestState(StrEnum):
    """How far a request is, in the words of Testing Farm."""

    __test__ = False

    NEW = "new"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELED = "canceled"
    CANCEL_REQUESTED = "cancel-requested"

    @property
    def is_final(self) -> bool:
        return self in (TestState.COMPLETE, TestState.ERROR, TestState.CANCELED)


@dataclass(frozen=True, kw_only=True)
class TestRun:
    """A request as Testing Farm has it. ``overall`` is passed, failed, error, skipped, unknown... or None."""

    __test__ = False

    id: str
    state: TestState
    overall: str | None = None
    summary: str | None = None
    url: str | None = None


class TestingFarm(Protocol):
    """Testing Farm v0.1: https://api.dev.testing-farm.io/redoc."""

    def request(self, request: TestRequest) -> TestRun:
        """Ask for tests; news of them is sent to our call-back. One call."""

    def find_request(self, request: TestRequest) -> TestRun | None:
        """The request that was made with this marker, if Testing Farm has it."""

    def get_request(self, request_id: str) -> TestRun:
        """A request with its result. One call. Raises NotFound."""

    def cancel_request(self, request_id: str) -> None:
        """Cancel a request that is not final."""


@dataclass(frozen=True, kw_only=True)
class FasAccount:
    """A Fedora account, as it is published: whose GitHub account it claims to be, and its groups."""

    login: str
    github_username: str | None
    groups: tuple[str, ...] = ()


class FasJson(Protocol):
    """Fedora's accounts: https://fasjson.fedoraproject.org/docs/v1/."""

    def account(self, login: str) -> FasAccount:
        """An account with its groups. Two calls. Raises NotFound."""

    def of_github(self, github_username: str) -> FasAccount | None:
        """The account that claims this GitHub account, without its groups; None where there is none. One call."""


class Aliases(Protocol):
    """What names such as fedora-stable stand for today."""

    def expand(self, alias: str) -> tuple[str, ...] | None:
        """Distribution names with version (``fedora-43``), newest first; None for a name that is no alias."""
