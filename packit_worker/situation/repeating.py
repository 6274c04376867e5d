"""What a re-run comes to for one job: what to build, to test and to propose again. Pure.

For handlers and checks. What is to be run again, and what is there already, the journal has told the situation.
"""

from __future__ import annotations

from collections.abc import Mapping

from packit_worker.config.package import JobType
from packit_worker.journal.builds import BuildRow, BuildState
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.reporting import names
from packit_worker.situation import wanted
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def checks_of(situation: Situation, job: Job) -> tuple[CheckRow, ...]:
    """The checks of a job that are run again."""
    again = situation.origin.again if situation.origin else None
    return tuple(check for check in again.checks if check.job == job.key) if again else ()


def builds(situation: Situation, job: Job) -> tuple[str, ...]:
    """The chroots that a build job builds again: those of its own checks, and those that tests lack a build for."""
    own = [check.target for check in checks_of(situation, job) if check.kind == names.RPM_BUILD]
    lacking = [
        check.target
        for test in situation.of_type(JobType.TESTS)
        if not test.config.skip_build
        for check in checks_of(situation, test)
        if _is_served_by(situation, test, job, check.target)
        and not wanted.will_do(situation, test, job, check.target)
    ]
    return tuple(dict.fromkeys([*own, *lacking]))


def targets(situation: Situation, job: Job, kind: str) -> tuple[str, ...]:
    """The targets of a job's own checks of a kind that are run again: targets of Koji, branches of dist-git."""
    return tuple(check.target for check in checks_of(situation, job) if check.kind == kind)


def tests(situation: Situation, job: Job) -> Mapping[str, BuildRow | None]:
    """The chroots that a tests job tests again now, and the build in each; None for tests that need none.

    Tests whose build is made again, or is on its way, follow by themselves.
    """
    found: dict[str, BuildRow | None] = {}
    for check in checks_of(situation, job):
        if job.config.skip_build:
            found[check.target] = None
            continue
        serving = situation.build_for(job, check.target)
        build = wanted.last_build(situation, serving, check.target) if serving else None
        if serving is None or build is None or build.state != BuildState.SUCCESS:
            continue
        if check.target not in builds(situation, serving):
            found[check.target] = build
    return found


def builds_under_way(situation: Situation, job: Job) -> list[BuildRow]:
    """Earlier builds of what is built again that have not ended: nobody waits for them any more."""
    chroots = (*builds(situation, job), *targets(situation, job, names.KOJI_BUILD))
    return [
        row
        for row in situation.built
        if row.job == job.key and row.chroot in chroots and not BuildState(row.state).is_final
    ]


def tests_under_way(situation: Situation, job: Job, chroots: tuple[str, ...]) -> list[TestRunRow]:
    """Earlier test runs of a job in these chroots that have not ended."""
    return [
        row
        for row in situation.tested
        if row.job == job.key and row.chroot in chroots and row.ended_at is None
    ]


def _is_served_by(situation: Situation, test: Job, build: Job, chroot: str) -> bool:
    serving = situation.build_for(test, chroot)
    return serving is not None and serving.key == build.key
