"""Can the tests of this job be run, and when; is this result news, and for which job?"""

from __future__ import annotations

from packit_worker.checks.verdict import Verdict, passed, refused, skipped
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def were_for_this_job(situation: Situation, job: Job | None) -> Verdict:
    """The tests were asked for by this job, and have not ended before."""
    run = situation.origin.test_run if situation.origin else None
    if run is None or job is None or run.job != job.key:
        return skipped("the tests were run for another job")
    if run.ended_at is not None:
        return skipped("the result of these tests is known already")
    return passed("the tests were run for this job")


def needs_no_build(situation: Situation, job: Job | None) -> Verdict:
    """The tests can be run before anything is built."""
    if job is None or not job.config.skip_build:
        return skipped("these tests run when the build is there")
    return passed("these tests need no build")


def can_be_run(situation: Situation, job: Job | None) -> Verdict:
    """The public Testing Farm is the only one that this service can ask, and it fetches the tests as anybody would."""
    if job is not None and job.config.use_internal_tf:
        return refused(
            "the tests want the internal Testing Farm (use_internal_tf), which this service cannot ask",
            "Take use_internal_tf out of the job in the package configuration to run them in the public one.",
        )
    if situation.is_private and job is not None and not job.config.fmf_url:
        return refused(
            "the project is private: Testing Farm cannot read its tests",
            "Keep the tests in a public repository, and name it in fmf_url.",
        )
    return passed("they are for the public Testing Farm")
