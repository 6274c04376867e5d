"""What handlers subscribe to: the kinds of event that every forge has, and those of build and test systems.

A family fixes the names of the facts; concrete classes (``...Event``) add the forge, the task and facts of their own.
Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from events.base import Event


@dataclass(frozen=True, kw_only=True)
class ProjectEvent(Event):
    """Something that happened in a project on a forge.

    ``project_url`` is the web page of the project the package configuration belongs to (no ``.git``, no trailing
    slash). ``project_is_private`` and ``installation_id`` are None where the message does not tell.
    """

    project_url: str
    project_is_private: bool | None = None
    #: GitHub App installation that sent the event; saves a call to find it.
    installation_id: int | None = None

    @property
    def source_url(self) -> str | None:
        """The page of the fork that the commit comes from, where the project itself need not have it by now."""
        return None


@dataclass(frozen=True, kw_only=True)
class PullRequest(ProjectEvent):
    """A pull or merge request was opened, reopened or got new commits: ``action`` is ``opened``, ``reopened``, or the
    forge's own word for new commits (GitHub's ``synchronize``, GitLab's ``update``).

    ``base_repo_*`` is where the change comes from (the fork) and ``target_repo_*`` where it shall go, in the words of
    the founding design; ``base_ref`` is the branch it comes from, ``target_branch`` the one it is meant for.
    """

    trigger: ClassVar[str | None] = "pull_request"

    action: str
    pr_id: int
    commit_sha: str
    user_login: str
    base_repo_namespace: str | None
    base_repo_name: str | None
    base_ref: str | None
    target_repo_namespace: str | None
    target_repo_name: str
    target_branch: str | None = None
    #: The names of its labels, one a line; None where the message does not tell.
    labels: str | None = None

    @property
    def brings_newer_commits(self) -> bool:
        """Whether the pull request had other commits before."""
        return self.action not in ("opened", "reopened")

    @property
    def subject(self) -> str:
        """The page of the pull request."""
        return f"{self.project_url}/pull/{self.pr_id}"

    @property
    def head_ref(self) -> str:
        """The full name of the ref in the project's repository that leads to its head."""
        return f"refs/pull/{self.pr_id}/head"


@dataclass(frozen=True, kw_only=True)
class PullRequestComment(ProjectEvent):
    """Somebody commented on a pull request. Where the message tells no commit, ``commit_sha`` is None.

    ``comment_before`` is what an edited comment said until then; None where the message does not tell.
    """

    trigger: ClassVar[str | None] = "pull_request"
    by_hand: ClassVar[bool] = True

    action: str
    pr_id: int
    comment: str
    comment_id: int | None = None
    commit_sha: str | None = None
    user_login: str
    #: Whether the account is a program's; None where the forge does not tell.
    user_is_bot: bool | None = None
    base_repo_namespace: str | None = None
    base_repo_name: str | None = None
    target_repo_namespace: str | None
    target_repo_name: str
    target_branch: str | None = None
    comment_before: str | None = None
    #: The names of the pull request's labels, one a line; None where the message does not tell.
    labels: str | None = None

    @property
    def subject(self) -> str:
        """The page of the pull request."""
        return f"{self.project_url}/pull/{self.pr_id}"

    @property
    def head_ref(self) -> str:
        """The full name of the ref in the project's repository that leads to its head."""
        return f"refs/pull/{self.pr_id}/head"


@dataclass(frozen=True, kw_only=True)
class IssueComment(ProjectEvent):
    """Somebody commented on an issue. ``comment_before``: see ``PullRequestComment``."""

    trigger: ClassVar[str | None] = "release"
    by_hand: ClassVar[bool] = True

    action: str
    issue_id: int
    comment: str
    comment_id: int | None = None
    user_login: str
    #: Whether the account is a program's; None where the forge does not tell.
    user_is_bot: bool | None = None
    repo_namespace: str | None
    repo_name: str
    comment_before: str | None = None

    @property
    def subject(self) -> str:
        """The page of the issue."""
        return f"{self.project_url}/issues/{self.issue_id}"


@dataclass(frozen=True, kw_only=True)
class Push(ProjectEvent):
    """New commits on a branch. ``branch`` is the bare name (it may hold slashes), ``commit_sha`` the new head."""

    trigger: ClassVar[str | None] = "commit"

    repo_namespace: str | None
    repo_name: str
    branch: str
    commit_sha: str
    commit_sha_before: str | None = None
    user_login: str | None = None
    #: The project's default branch; None where the message does not tell.
    default_branch: str | None = None

    @property
    def subject(self) -> str:
        """The page of the branch."""
        return f"{self.project_url}/tree/{quote(self.branch)}"


@dataclass(frozen=True, kw_only=True)
class UpstreamPush(Push):
    """A push to a project that is built and tested; what is pushed to dist-git is not."""


@dataclass(frozen=True, kw_only=True)
class Release(ProjectEvent):
    """A release was published."""

    trigger: ClassVar[str | None] = "release"

    repo_namespace: str | None
    repo_name: str
    tag_name: str
    user_login: str | None = None

    @property
    def subject(self) -> str:
        """The page of the release."""
        return f"{self.project_url}/releases/tag/{quote(self.tag_name)}"


@dataclass(frozen=True, kw_only=True)
class Rerun(ProjectEvent):
    """Somebody wants checks of a commit run again. ``user_login`` is who pressed the button."""

    repo_namespace: str | None
    repo_name: str
    commit_sha: str
    user_login: str
    #: Whose checks they are: an App's id and its name in links; None where the message does not tell.
    app_id: int | None = None
    app_slug: str | None = None

    @property
    def subject(self) -> str:
        """The page of the commit. Where the journal knows the checks, their subject counts instead."""
        return f"{self.project_url}/commit/{self.commit_sha}"


@dataclass(frozen=True, kw_only=True)
class CheckRunRerun(Rerun):
    """One check is wanted again.

    ``check_external_id`` is what we called it when we made it, ``check_run_id`` what the forge calls it. Its name is
    for people.
    """

    check_external_id: str | None
    check_run_id: int
    check_name: str


@dataclass(frozen=True, kw_only=True)
class CheckSuiteRerun(Rerun):
    """All checks that an App has on a commit are wanted again.

    ``about`` is the subject whose checks are meant, where the commit has those of several: each is an event of its own.
    """

    check_suite_id: int
    about: str | None = None


@dataclass(frozen=True, kw_only=True)
class Installation(Event):
    """Somebody installed the service for an account."""

    checks_project: ClassVar[bool] = False
    checks_account: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Result(Event):
    """News of work that an earlier event ordered; the order was let in already, so nobody is asked again."""

    checks_project: ClassVar[bool] = False
    checks_account: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Build(Result):
    """News of a build that a build system works on."""


@dataclass(frozen=True, kw_only=True)
class TestResult(Result):
    """News of a test run."""

    #: Not a test class, whatever its name makes pytest believe.
    __test__: ClassVar[bool] = False
