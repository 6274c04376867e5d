"""What happens on GitHub. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from events.families import (
    CheckRunRerun,
    CheckSuiteRerun,
    Installation,
    IssueComment,
    PullRequest,
    PullRequestComment,
    Release,
    UpstreamPush,
)


@dataclass(frozen=True, kw_only=True)
class PullRequestGHEvent(PullRequest):
    """``pull_request``: opened, reopened or synchronize."""

    task: ClassVar[str] = "task.process_pull_request_GH_event"
    forge: ClassVar[str | None] = "github"


@dataclass(frozen=True, kw_only=True)
class PullRequestCommentGHEvent(PullRequestComment):
    """``issue_comment`` on a pull request."""

    task: ClassVar[str] = "task.process_pull_request_comment_GH_event"
    forge: ClassVar[str | None] = "github"


@dataclass(frozen=True, kw_only=True)
class IssueCommentEvent(IssueComment):
    """``issue_comment`` on an issue."""

    task: ClassVar[str] = "task.process_issue_comment_event"
    forge: ClassVar[str | None] = "github"


@dataclass(frozen=True, kw_only=True)
class PushGithubGHEvent(UpstreamPush):
    """``push`` to a branch."""

    task: ClassVar[str] = "task.process_push_GH_event"
    forge: ClassVar[str | None] = "github"


@dataclass(frozen=True, kw_only=True)
class ReleaseEvent(Release):
    """``release``: published."""

    task: ClassVar[str] = "task.process_release_event"
    forge: ClassVar[str | None] = "github"


@dataclass(frozen=True, kw_only=True)
class CheckRunRerunEvent(CheckRunRerun):
    """``check_run``: rerequested."""

    task: ClassVar[str] = "task.process_check_run_rerun_GH_event"
    forge: ClassVar[str | None] = "github"


@dataclass(frozen=True, kw_only=True)
class CheckSuiteRerunEvent(CheckSuiteRerun):
    """``check_suite``: rerequested."""

    task: ClassVar[str] = "task.process_check_suite_rerun_GH_event"
    forge: ClassVar[str | None] = "github"


@dataclass(frozen=True, kw_only=True)
class InstallationEvent(Installation):
    """``installation`` created, or ``installation_repositories`` added.

    ``repositories`` is a comma-separated list of full names: a task's arguments are flat.
    """

    task: ClassVar[str] = "task.process_installation_event"
    forge: ClassVar[str | None] = "github"

    action: str
    installation_id: int
    account_login: str
    account_id: int | None
    account_url: str | None
    account_type: str | None
    sender_login: str | None
    sender_id: int | None
    created_at: str | None
    repositories: str

    @property
    def subject(self) -> str:
        """The account; GitHub does not mind the case of its name."""
        return f"installation:{self.account_login.lower()}"
