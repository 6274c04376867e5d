"""What happens on Pagure. Standard library only.

Pagure tells everything twice when a project has a hook and the service listens to the bus as well: ``same_as`` is how
the two are known for one. Both carry the same body, so that what stands in it makes the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from events.families import PullRequest, PullRequestComment, UpstreamPush


@dataclass(frozen=True, kw_only=True)
class PullRequestPagureEvent(PullRequest):
    """``pull-request.new``, ``.updated``, ``.rebased`` or ``.reopened``. A fork belongs to ``base_repo_owner``.

    The ``base_repo_*`` are None when the fork is gone, or the change comes from another host.
    """

    task: ClassVar[str] = "task.process_pull_request_pagure_event"
    forge: ClassVar[str | None] = "pagure"

    base_repo_owner: str | None = None
    #: When the pull request last changed, as ISO text.
    updated_at: str | None = None

    @property
    def subject(self) -> str:
        """The page of the pull request."""
        return f"{self.project_url}/pull-request/{self.pr_id}"

    @property
    def source_url(self) -> str | None:
        """The page of the fork. A pull request from the project itself names its owner, who then has no fork of it."""
        return _fork(self)

    @property
    def same_as(self) -> str | None:
        """Told at one time of one commit."""
        if self.updated_at is None:
            return None
        return f"{self.subject}:{self.action}:{self.commit_sha}:{self.updated_at}"


@dataclass(frozen=True, kw_only=True)
class PullRequestCommentPagureEvent(PullRequestComment):
    """``pull-request.comment.added`` (created) or ``.edited``."""

    task: ClassVar[str] = "task.process_pull_request_comment_pagure_event"
    forge: ClassVar[str | None] = "pagure"

    base_repo_owner: str | None = None
    #: When the comment was written, or edited, as ISO text.
    updated_at: str | None = None

    @property
    def subject(self) -> str:
        """The page of the pull request."""
        return f"{self.project_url}/pull-request/{self.pr_id}"

    @property
    def source_url(self) -> str | None:
        """The page of the fork. A pull request from the project itself names its owner, who then has no fork of it."""
        return _fork(self)

    @property
    def same_as(self) -> str | None:
        """One wording of one comment."""
        if self.comment_id is None or self.updated_at is None:
            return None
        # Its clock has no fractions: two edits may bear the same second.
        wording = sha256(self.comment.encode()).hexdigest()[:16]
        return f"{self.subject}#comment-{self.comment_id}:{self.action}:{self.updated_at}:{wording}"


@dataclass(frozen=True, kw_only=True)
class PushPagureEvent(UpstreamPush):
    """``git.receive`` of an upstream project."""

    task: ClassVar[str] = "task.process_push_pagure_event"
    forge: ClassVar[str | None] = "pagure"

    @property
    def same_as(self) -> str | None:
        """One move of a branch."""
        return f"{self.subject}:{self.commit_sha_before}:{self.commit_sha}"


def _fork(event: PullRequestPagureEvent | PullRequestCommentPagureEvent) -> str | None:
    project = "/".join(filter(None, (event.target_repo_namespace, event.target_repo_name)))
    path = "/".join(filter(None, (event.base_repo_namespace, event.base_repo_name)))
    home = event.project_url.removesuffix(f"/{project}")
    if event.base_repo_owner is None or not path or home == event.project_url:
        return None
    return f"{home}/fork/{event.base_repo_owner}/{path}"
