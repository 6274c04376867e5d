"""What about the commits of a pull request?"""

from __future__ import annotations

from events.families import PullRequest
from packit_worker.checks.verdict import Verdict, passed, skipped
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def brings_newer_commits(situation: Situation, job: Job | None) -> Verdict:
    """The pull request had other commits before."""
    event = situation.event
    if not isinstance(event, PullRequest) or not event.brings_newer_commits:
        return skipped("a pull request that is opened had no commits before")
    return passed("the pull request had other commits before")
