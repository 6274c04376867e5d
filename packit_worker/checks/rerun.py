"""May these checks be run again, and is there something to do for this job?"""

from __future__ import annotations

from events.families import Rerun
from packit_worker.checks.permission import may_merge
from packit_worker.checks.verdict import Verdict, passed, skipped
from packit_worker.reporting import names
from packit_worker.situation import repeating
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def is_of_our_app(situation: Situation, job: Job | None) -> Verdict:
    """The checks are those of this service, and not of another App in the same project."""
    event = situation.event
    if not isinstance(event, Rerun):
        return skipped("nobody wants anything to be run again")
    if event.app_id is not None and situation.app_id is not None and event.app_id != situation.app_id:
        return skipped(f"it belongs to another App, {event.app_slug or event.app_id}")
    return passed("it belongs to this service")


def presser_may_ask(situation: Situation, job: Job | None) -> Verdict:
    """Whoever may merge may have things run again, whoever the author is."""
    event = situation.event
    assert isinstance(event, Rerun)
    return may_merge(
        situation,
        event.user_login,
        "may not have this run again",
        "Somebody with write or admin permission in the project can run it again, with the same button.",
    )


def has_builds_to_repeat(situation: Situation, job: Job | None) -> Verdict:
    """A chroot of this job is to be built again."""
    assert job is not None
    chroots = repeating.builds(situation, job)
    if chroots:
        return passed(f"to be built again for {', '.join(chroots)}")
    again = situation.origin.again if situation.origin else None
    if again is not None and {check.kind for check in again.checks} == {names.TESTING_FARM}:
        return skipped("what is to be tested again has a build already, or no use for one")
    return skipped("no build of this job is wanted again")


def has_targets_to_repeat(situation: Situation, job: Job | None) -> Verdict:
    """A target of this job is to be built in Koji again."""
    assert job is not None
    targets = repeating.targets(situation, job, names.KOJI_BUILD)
    if targets:
        return passed(f"to be built again for {', '.join(targets)}")
    return skipped("no Koji build of this job is wanted again")


def has_branches_to_repeat(situation: Situation, job: Job | None) -> Verdict:
    """A release is to be proposed again for a branch of this job."""
    assert job is not None
    branches = repeating.targets(situation, job, names.PROPOSE_DOWNSTREAM)
    if branches:
        return passed(f"to be proposed again for {', '.join(branches)}")
    return skipped("no update of this job is wanted again")


def has_tests_to_repeat(situation: Situation, job: Job | None) -> Verdict:
    """A chroot of this job is to be tested again, and there is a build for it (or it needs none)."""
    assert job is not None
    chroots = repeating.tests(situation, job)
    if chroots:
        return passed(f"to be tested again on {', '.join(chroots)}")
    if repeating.checks_of(situation, job):
        return skipped("there is no build to be tested yet; the tests follow when it is there")
    return skipped("no tests of this job are wanted again")
