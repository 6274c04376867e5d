"""What happens on GitLab. Standard library only.

GitLab counts merge requests and issues apart, and its pages have a dash in front: the subjects are these pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from events.families import IssueComment, ProjectEvent, PullRequest, PullRequestComment, Release, UpstreamPush


@dataclass(frozen=True, kw_only=True)
class MergeRequest(ProjectEvent):
    """Whatever happens to a merge request; stands before the family, for GitLab has other pages and refs."""

    pr_id: int

    @property
    def subject(self) -> str:
        """The page of the merge request."""
        return f"{self.project_url}/-/merge_requests/{self.pr_id}"

    @property
    def head_ref(self) -> str:
        """Where the target's repository keeps the head, wherever the commits come from."""
        return f"refs/merge-requests/{self.pr_id}/head"


@dataclass(frozen=True, kw_only=True)
class MergeRequestGitlabEvent(MergeRequest, PullRequest):
    """``Merge Request Hook``: open, reopen, or an update that brings commits. ``pr_id`` is the ``iid``."""

    task: ClassVar[str] = "task.process_merge_request_gitlab_event"
    forge: ClassVar[str | None] = "gitlab"


@dataclass(frozen=True, kw_only=True)
class MergeRequestCommentGitlabEvent(MergeRequest, PullRequestComment):
    """``Note Hook`` on a merge request. ``pr_id`` is the ``iid``; of a closed one no commit is told."""

    task: ClassVar[str] = "task.process_merge_request_comment_gitlab_event"
    forge: ClassVar[str | None] = "gitlab"


@dataclass(frozen=True, kw_only=True)
class IssueCommentGitlabEvent(IssueComment):
    """``Note Hook`` on an issue. ``issue_id`` is the ``iid``."""

    task: ClassVar[str] = "task.process_issue_comment_gitlab_event"
    forge: ClassVar[str | None] = "gitlab"

    @property
    def subject(self) -> str:
        return f"{self.project_url}/-/issues/{self.issue_id}"


@dataclass(frozen=True, kw_only=True)
class PushGitlabEvent(UpstreamPush):
    """``Push Hook``: new commits on a branch."""

    task: ClassVar[str] = "task.process_push_gitlab_event"
    forge: ClassVar[str | None] = "gitlab"

    @property
    def subject(self) -> str:
        return f"{self.project_url}/-/tree/{quote(self.branch)}"


@dataclass(frozen=True, kw_only=True)
class ReleaseGitlabEvent(Release):
    """``Release Hook``: create."""

    task: ClassVar[str] = "task.process_release_gitlab_event"
    forge: ClassVar[str | None] = "gitlab"

    @property
    def subject(self) -> str:
        return f"{self.project_url}/-/releases/{quote(self.tag_name, safe='')}"
