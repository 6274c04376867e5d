"""What news of a build is this?"""

from __future__ import annotations

from events.copr import CoprBuildEvent
from packit_worker.checks.verdict import Kind, Verdict, passed, refused, skipped
from packit_worker.journal.builds import SRPM_BUILDS, BuildState
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation

START, END = "start", "end"
#: Copr's number for success; every other end is a failure of some kind.
SUCCEEDED = 1


def can_be_fetched_by_copr(situation: Situation, job: Job | None) -> Verdict:
    """Copr fetches the sources itself, as anybody would, and shows them to anybody."""
    if situation.is_private:
        return refused(
            "the project is private: Copr can neither read its sources nor keep them to itself",
            "Have it built in Koji (upstream_koji_build), whose source package is made here.",
        )
    return passed("Copr can fetch the sources")


def has_started(situation: Situation, job: Job | None) -> Verdict:
    """The build has begun, and nothing later is known."""
    event = situation.event
    if not isinstance(event, CoprBuildEvent) or event.phase != START:
        return skipped("this is not the news that a build has started")
    build = situation.origin.build if situation.origin else None
    if build is None or build.state != BuildState.PENDING:
        return skipped(f"late news: the build is {build.state if build else 'unknown'} already")
    return passed("the build has started")


def has_ended(situation: Situation, job: Job | None) -> Verdict:
    """The build has ended, and that is news."""
    event = situation.event
    if not isinstance(event, CoprBuildEvent) or event.phase != END:
        return skipped("this is not the news that a build has ended")
    build = situation.origin.build if situation.origin else None
    if build is None or BuildState(build.state).is_final:
        return skipped("the end of this build has been dealt with already")
    return passed("the build has ended")


def has_succeeded(situation: Situation, job: Job | None) -> Verdict:
    """The build of a chroot has ended well, so that its packages can be tested."""
    verdict = has_ended(situation, job)
    if verdict.kind != Kind.PASS:
        return verdict
    event = situation.event
    assert isinstance(event, CoprBuildEvent)
    if event.status != SUCCEEDED:
        return skipped("a build that failed has nothing to test")
    if event.chroot == SRPM_BUILDS:
        return skipped("a source package is not tested")
    return passed("the build has succeeded")


def belongs_to_this_job(situation: Situation, job: Job | None) -> Verdict:
    """The build was ordered for this job."""
    if situation.origin is None or job is None or situation.origin.job != job.key:
        return skipped("the build was made for another job")
    return passed("the build was made for this job")


def is_tested_by_this_job(situation: Situation, job: Job | None) -> Verdict:
    """The tests of this job are those for the build and its chroot."""
    build = situation.origin.build if situation.origin else None
    if build is None or job is None:
        return skipped("there is no build to test")
    if job.config.skip_build:
        return skipped("these tests need no build; they ran when the pull request came")
    if build.chroot not in situation.chroots(job):
        return skipped(f"{build.chroot} is not among the targets of these tests")
    serving = situation.build_for(job, build.chroot)
    if serving is None or serving.key != build.job:
        return skipped("these tests use the build of another job")
    if not situation.follows(job, serving, build.chroot):
        return skipped("the comment that the build was made for does not ask for these tests")
    return passed(f"these tests are for {build.chroot}")
