"""What the commands of a comment come to for one job: the chroots to build, the chroots to test. Pure.

For handlers and checks. What is there already, the journal has told the situation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packit_worker.commands import Command, Verb
from packit_worker.journal.builds import BuildRow, BuildState
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.situation.job import Job
from packit_worker.situation.origins import asked_of
from packit_worker.situation.situation import Situation, tests_follow

#: What Testing Farm says of tests that went well.
PASSED = "passed"


@dataclass(frozen=True, kw_only=True)
class Tests:
    """Tests that can be asked for now: the build to be tested in each chroot, None where they need none."""

    __test__ = False

    builds: Mapping[str, BuildRow | None]
    #: Why the other chroots that were asked for are left out, if any are.
    left_out: str


def builds(situation: Situation, job: Job) -> tuple[str, ...]:
    """The chroots that the commands want built by a build job: told so, failed before, or lacking for tests."""
    return tuple(
        chroot
        for chroot in situation.chroots(job)
        if any(_wants_build(situation, command, job, chroot) for command in situation.asked.commands)
    )


def _wants_build(situation: Situation, command: Command, job: Job, chroot: str) -> bool:
    match command.verb:
        case Verb.BUILD:
            return situation.means(command, job, chroot)
        case Verb.REBUILD_FAILED:
            return has_failed(situation, job, chroot) and situation.means(command, job, chroot)
        case Verb.TEST:
            return any(
                situation.means(command, test, chroot) and not will_do(situation, test, job, chroot)
                for test in situation.tests_of(job, chroot)
            )
        case _:
            return False


def tests(situation: Situation, job: Job) -> Tests:
    """What a tests job can test now, of what the commands want tested."""
    found: dict[str, BuildRow | None] = {}
    left_out: dict[str, None] = {}
    for chroot in situation.chroots(job):
        if not any(_wants_tests(situation, command, job, chroot) for command in situation.asked.commands):
            continue
        if job.config.skip_build:
            found[chroot] = None
            continue
        serving = situation.build_for(job, chroot)
        build = last_build(situation, serving, chroot) if serving else None
        if build is not None and build.state == BuildState.SUCCESS:
            found[chroot] = build
        elif build is not None and not BuildState(build.state).is_final:
            left_out["a build is on its way; the tests follow by themselves"] = None
        else:
            left_out["there is no build to be tested; the tests follow when it is there"] = None
    return Tests(builds=found, left_out="; ".join(left_out) or "no target of these tests is asked for")


def _wants_tests(situation: Situation, command: Command, job: Job, chroot: str) -> bool:
    if not situation.means(command, job, chroot):
        return False
    if command.verb == Verb.RETEST_FAILED:
        run = last_test(situation, job, chroot)
        return run is not None and run.ended_at is not None and run.result != PASSED
    return command.verb == Verb.TEST


def variables(situation: Situation, job: Job, chroot: str) -> dict[str, str]:
    """The variables that the commands set for these tests; of several values the last counts."""
    found: dict[str, str] = {}
    for command in situation.asked.of(Verb.TEST, Verb.RETEST_FAILED):
        if situation.means(command, job, chroot):
            found |= dict(command.env)
    return found


def last_build(situation: Situation, job: Job, chroot: str) -> BuildRow | None:
    """The newest build that other events have ordered for a job in a chroot."""
    return next((row for row in situation.built if row.job == job.key and row.chroot == chroot), None)


def has_failed(situation: Situation, job: Job, chroot: str) -> bool:
    """Whether the newest build for a job in a chroot, or for a target of Koji, has failed or was canceled."""
    return _has_failed(last_build(situation, job, chroot))


def last_test(situation: Situation, job: Job, chroot: str) -> TestRunRow | None:
    """The newest test run that other events have asked for."""
    return next((row for row in situation.tested if row.job == job.key and row.chroot == chroot), None)


def _has_failed(row: BuildRow | None) -> bool:
    return row is not None and row.state in (BuildState.FAILURE, BuildState.CANCELED)


def will_do(situation: Situation, test: Job, build: Job, chroot: str) -> bool:
    """Whether there is a build that the tests can use, or one on its way that they follow on as they are wanted."""
    row = last_build(situation, build, chroot)
    if row is None or _has_failed(row):
        return False
    if row.state == BuildState.SUCCESS:
        return True
    # Variables are set by the comment that ordered the build; the one on its way knows nothing of them.
    return not variables(situation, test, chroot) and tests_follow(
        situation, asked_of(row.task, row.kwargs), test, build, chroot
    )
