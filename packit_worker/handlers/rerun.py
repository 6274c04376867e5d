"""Running again: builds, tests and proposals whose check somebody wants again, in whatever state it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlalchemy.orm import Session

from events.families import Rerun
from packit_worker.checks.build import can_be_fetched_by_copr
from packit_worker.checks.downstream import is_a_release
from packit_worker.checks.rerun import (
    has_branches_to_repeat,
    has_builds_to_repeat,
    has_targets_to_repeat,
    has_tests_to_repeat,
    is_of_our_app,
    presser_may_ask,
)
from packit_worker.checks.tests import can_be_run
from packit_worker.checks.verdict import Check
from packit_worker.config.package import JobType
from packit_worker.handlers.copr import CoprBuildHandler
from packit_worker.handlers.downstream import ProposingHandler
from packit_worker.handlers.koji import KOJI_JOBS, KojiBuildHandler
from packit_worker.handlers.testing_farm import TestsHandler
from packit_worker.handlers.withdrawing import withdraw
from packit_worker.journal.builds import BuildRow
from packit_worker.ports import CoprOrder, Posted
from packit_worker.registry import answers
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.situation import repeating
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


@answers(Rerun, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS])
class RerunCoprBuildHandler(CoprBuildHandler):
    """Builds again when a check, or all of them, are wanted to be run again."""

    checks: ClassVar[tuple[Check, ...]] = (
        is_of_our_app,
        has_builds_to_repeat,
        can_be_fetched_by_copr,
        presser_may_ask,
    )

    @classmethod
    def chroots(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        return repeating.builds(situation, job)

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        """Only what somebody has pressed: the tests that follow keep their results until the build is ordered."""
        return tuple(check for check in super().shows(situation, job) if _is_pressed(situation, check))

    def run(self) -> str:
        situation = self.context.situation
        chroots = self.chroots(situation, self.job)
        tests = [
            row
            for chroot in chroots
            for test in situation.tests_of(self.job, chroot)
            for row in repeating.tests_under_way(situation, test, (chroot,))
        ]
        notes = withdraw(self.context, repeating.builds_under_way(situation, self.job), tests)
        return "; ".join([*notes, super().run()])

    def _write_down(self, session: Session, order: CoprOrder, posted: Posted) -> None:
        super()._write_down(session, order, posted)
        for chroot in order.chroots:
            self._report(chroot, texts.waiting_for_build(), only=names.TESTING_FARM)


@answers(Rerun, jobs=[JobType.TESTS])
class RerunTestingFarmHandler(TestsHandler):
    """Tests again what is built when a check, or all of them, are wanted to be run again."""

    checks: ClassVar[tuple[Check, ...]] = (is_of_our_app, has_tests_to_repeat, can_be_run, presser_may_ask)

    @classmethod
    def builds(cls, situation: Situation, job: Job) -> Mapping[str, BuildRow | None]:
        return repeating.tests(situation, job)

    def run(self) -> str:
        situation = self.context.situation
        chroots = tuple(self.builds(situation, self.job))
        notes = withdraw(self.context, [], repeating.tests_under_way(situation, self.job, chroots))
        return "; ".join([*notes, super().run()])


@answers(Rerun, jobs=KOJI_JOBS)
class RerunKojiBuildHandler(KojiBuildHandler):
    """Builds in Koji again when a check, or all of them, are wanted to be run again."""

    checks: ClassVar[tuple[Check, ...]] = (is_of_our_app, has_targets_to_repeat, presser_may_ask)

    @classmethod
    def targets(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        return repeating.targets(situation, job, names.KOJI_BUILD)

    def run(self) -> str:
        notes = withdraw(self.context, repeating.builds_under_way(self.context.situation, self.job), [])
        return "; ".join([*notes, super().run()])


@answers(Rerun, jobs=[JobType.PROPOSE_DOWNSTREAM])
class RerunProposeDownstreamHandler(ProposingHandler):
    """Proposes a release again when a check, or all of them, are wanted to be run again."""

    checks: ClassVar[tuple[Check, ...]] = (
        is_of_our_app,
        has_branches_to_repeat,
        is_a_release,
        presser_may_ask,
    )

    @classmethod
    def branches(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        return repeating.targets(situation, job, names.PROPOSE_DOWNSTREAM)


def _is_pressed(situation: Situation, check: CheckId) -> bool:
    again = situation.origin.again if situation.origin else None
    return again is not None and again.holds(check.job, check.target)
