"""A forge and a project on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from packit_worker.ports.checks import CheckState
from packit_worker.ports.posted import Posted


class Permission(StrEnum):
    """What an account may do in a project. WRITE and ADMIN may merge, and so may have builds made."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def may_merge(self) -> bool:
        return self in (Permission.WRITE, Permission.ADMIN)


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


class Forge(Protocol):
    """A forge: GitHub, Pagure..."""

    def project(self, project_url: str, installation_id: int | None = None) -> ForgeProject:
        """The project with this web page. No call is made for it."""

    def is_ours(self, login: str) -> bool:
        """Whether the account is the one that we write with, as far as it is known without a call."""
