"""Is this the place where accounts are approved?"""

from __future__ import annotations

from events.families import IssueComment
from packit_worker.checks.verdict import Verdict, passed, skipped
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def is_in_an_approval_issue(situation: Situation, job: Job | None) -> Verdict:
    """The comment is in the project whose issues ask for the approval of accounts."""
    event = situation.event
    if situation.approvals_url is None:
        return skipped("this service approves accounts by its operators only")
    if (
        not isinstance(event, IssueComment)
        or event.project_url.lower() != situation.approvals_url.rstrip("/").lower()
    ):
        return skipped(f"accounts are approved in the issues of {situation.approvals_url}")
    return passed("this is where accounts are approved")
