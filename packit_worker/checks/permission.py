"""May this account have work done in this project?"""

from __future__ import annotations

from events.families import IssueComment, PullRequest, PullRequestComment
from packit_worker.checks.verdict import Verdict, passed, refused, skipped
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def author_may_build(situation: Situation, job: Job | None) -> Verdict:
    """The author of a pull request may have it built if they could merge it; others wait for a maintainer."""
    event = situation.event
    if not isinstance(event, PullRequest):
        return skipped("only pull requests have an author")
    return may_merge(
        situation,
        event.user_login,
        "may not have builds made here",
        "Somebody with write or admin permission in the project can allow it: by commenting /packit build on the "
        "pull request.",
    )


def commenter_may_ask(situation: Situation, job: Job | None) -> Verdict:
    """Commands are for those who may merge, whoever the author is: what they ask for is done with our rights."""
    event = situation.event
    if not isinstance(event, PullRequestComment | IssueComment):
        return skipped("only comments hold commands")
    return may_merge(
        situation,
        event.user_login,
        "may not ask for this here",
        "Somebody with write or admin permission in the project can ask for it, with the same comment.",
    )


def may_merge(situation: Situation, login: str, may_not: str, next_step: str) -> Verdict:
    """An account may merge in the project, or is an administrator of this service; else it ``may_not``."""
    if login.lower() in situation.admins:
        return passed(f"{login} is an administrator of this service")
    permission = situation.permission(login)
    if permission.may_merge:
        return passed(f"{login} has {permission} permission in the project")
    return refused(
        f"{login} {may_not}: it takes write permission in the project, {login} has {permission}", next_step
    )
