"""Is this test result news, and for which job?"""

from __future__ import annotations

from packit_worker.checks.verdict import Verdict, passed, skipped
from packit_worker.situation import Job, Situation


def were_for_this_job(situation: Situation, job: Job | None) -> Verdict:
    """The tests were asked for by this job, and have not ended before."""
    run = situation.origin.test_run if situation.origin else None
    if run is None or job is None or run.job != job.key:
        return skipped("the tests were run for another job")
    if run.ended_at is not None:
        return skipped("the result of these tests is known already")
    return passed("the tests were run for this job")
