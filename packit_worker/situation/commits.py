"""Commits that only the forge knows: the head of a pull request commented on, the commit of a tag. One call each.

The pipeline asks before it plans, and writes the answer down: a later attempt works on the same commit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from events.families import IssueComment, ProjectEvent, PullRequestComment, Release
from packit_worker.errors import UserError
from packit_worker.ports import ForgeProject, Permission

#: The step and verdicts under which it is written down, with ``commit_sha`` and ``target_branch`` as facts.
STEP, READ, MOVED = "commit", "read", "moved"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """The commit to work on, where it comes from, and the event as it reads with it."""

    event: ProjectEvent
    sha: str
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Moved(UserError):
    """A pull request has got new commits since somebody asked for something; ``sha`` is the newest."""

    def __init__(self, sha: str) -> None:
        super().__init__(
            f"the pull request has got new commits, up to {sha[:12]}, that nobody may have seen who asked for this",
            next_step="Look at them, and comment again if they are all right.",
        )
        self.sha = sha


def look_up(
    project: ForgeProject,
    event: ProjectEvent,
    *,
    seen: Collection[str],
    permission: Callable[[str], Permission],
) -> Commit | None:
    """The commit that an event is about, from the forge; None for events without any.

    ``seen``: heads of the pull request that were there when the comment came; empty where that is unknown. Raises
    UserError for a pull request that is closed or (``Moved``) has got commits of somebody who may not merge; NotFound,
    TemporaryError.
    """
    match event:
        case PullRequestComment():
            told = {event.commit_sha} if event.commit_sha else set()
            return _head(project, event, told or seen, permission)
        case Release():
            sha = project.commit_sha(f"tags/{event.tag_name}")
            return Commit(event=event, sha=sha, reason=f"the tag {event.tag_name} is {sha[:12]}")
        case IssueComment():
            tag = project.latest_release()
            sha = project.commit_sha(f"tags/{tag}" if tag else "HEAD")
            what = f"the latest release, {tag}," if tag else "the default branch (there is no release)"
            facts = {"tag_name": tag} if tag else {}
            return Commit(event=event, sha=sha, facts=facts, reason=f"{what} is at {sha[:12]}")
        case _:
            return None


def again(event: ProjectEvent, facts: Mapping[str, Any]) -> Commit:
    """The commit that an earlier attempt at the event was told."""
    if isinstance(event, PullRequestComment):
        event = replace(event, commit_sha=facts["commit_sha"], target_branch=facts.get("target_branch"))
    return Commit(event=event, sha=facts["commit_sha"], reason="an earlier attempt asked for it", facts=facts)


def _head(
    project: ForgeProject,
    event: PullRequestComment,
    seen: Collection[str],
    permission: Callable[[str], Permission],
) -> Commit:
    pull = project.pull_request(event.pr_id)
    if not pull.is_open:
        raise UserError(
            "the pull request is closed: nothing is built or tested for it any more",
            next_step="Reopen it, and comment again.",
        )
    if seen and pull.head_sha not in seen and not (pull.author and permission(pull.author).may_merge):
        # Whoever asked has looked at the commits before; these may have been pushed in the meantime for that reason.
        raise Moved(pull.head_sha)
    return Commit(
        event=replace(event, commit_sha=pull.head_sha, target_branch=pull.target_branch),
        sha=pull.head_sha,
        reason=f"the head of the pull request is {pull.head_sha[:12]}",
        facts={"target_branch": pull.target_branch},
    )
