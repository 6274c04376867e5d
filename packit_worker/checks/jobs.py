"""Does a job of the package configuration apply to this event? Beside its trigger: its branch, its labels."""

from __future__ import annotations

from collections.abc import Callable

from events.dist_git import DistGitCommitEvent
from events.families import ProjectEvent, PullRequest, PullRequestComment, Push
from packit_worker.config.package import JobConfig
from packit_worker.patterns import compiled
from packit_worker.ports import PullRequestState

#: What may have to be asked of the forge, each at most once per event. Raises TemporaryError.
DefaultBranch = Callable[[], str]
AskPullRequest = Callable[[int], PullRequestState]


def why_not(
    job: JobConfig, event: ProjectEvent, default_branch: DefaultBranch, pull_request: AskPullRequest
) -> str | None:
    """Why a job whose trigger is right does not apply all the same; None when it does. Raises UserError."""
    match event:
        case DistGitCommitEvent():
            # Jobs about dist-git name its branches in a key of their own.
            return None
        case Push():
            return _other_branch(job, event, default_branch)
        case PullRequest() | PullRequestComment():
            return _other_labels(job, event, pull_request)
        case _:
            return None


def _other_branch(job: JobConfig, event: Push, default_branch: DefaultBranch) -> str | None:
    if job.branch is None:
        default = event.default_branch or default_branch()
        return None if event.branch == default else f"it is for the default branch, {default}"
    if compiled(job.branch, "the branch").match(event.branch):
        return None
    return f"it is for branches that begin with {job.branch}"


def _other_labels(
    job: JobConfig, event: PullRequest | PullRequestComment, pull_request: AskPullRequest
) -> str | None:
    needed, forbidden = job.require.labels_present, job.require.labels_absent
    if not needed and not forbidden:
        return None
    labels = pull_request(event.pr_id).labels if event.labels is None else tuple(event.labels.splitlines())
    if needed and set(needed).isdisjoint(labels):
        return f"it is for pull requests with one of the labels {', '.join(needed)}"
    if found := [label for label in forbidden if label in labels]:
        return f"it is not for pull requests with the label {found[0]}"
    return None
