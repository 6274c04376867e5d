"""The planner: what runs for an event, noted in the ledger. ``planning`` decides, without a side effect."""

from __future__ import annotations

from collections.abc import Sequence

from events.families import IssueComment, PullRequestComment
from packit_worker import registry
from packit_worker.commands import Asked
from packit_worker.config.package import PackageConfig
from packit_worker.errors import UserError
from packit_worker.pipeline import comment, conversing, package_config, planning
from packit_worker.pipeline.case import Case, remembered
from packit_worker.pipeline.commit import at_its_commit
from packit_worker.pipeline.package_config import Unusable
from packit_worker.pipeline.planning import Plan, Run
from packit_worker.pipeline.reporter import Reporter
from packit_worker.registry import Answer
from packit_worker.situation.job import Job
from packit_worker.situation.origins import Origin


class Planner:
    """Plans one event."""

    def __init__(self, case: Case, reporter: Reporter) -> None:
        self._case = case
        self._reporter = reporter

    def plan(self, answers: Sequence[Answer], asked: Asked) -> Plan:
        """The plan for these lines of the table. Raises Unusable, UserError where there can be none, TemporaryError."""
        case = self._case
        origin = case.facts.origin
        config: PackageConfig | None = None
        jobs: list[Job] = []
        try:
            if any(answer.jobs for answer in answers):
                origin = at_its_commit(case)
                config = package_config.of_origin(case, self._reporter, origin)
                jobs = self._jobs(config, origin)
            plan = planning.plan(case.situate(asked, origin, config, jobs), answers)
        except Unusable:
            raise
        except UserError as error:
            if config is not None:
                raise package_config.cannot_be_used(case, self._reporter, error) from error
            raise
        case.ledger.decided(plan.decisions)
        case.ledger.plan(run.key for run in plan.runs)
        case.note_project(origin)
        if not plan.runs and not plan.refusals:
            case.ledger.decide("plan", "nothing to do", _why_nothing(plan, jobs))
        return plan

    def without_jobs(self, answers: Sequence[Answer]) -> Sequence[Run]:
        """What is done where no configuration can be used: a newer commit ends the work on older ones all the same."""
        situation = self._case.situate(Asked(), self._case.facts.origin, None, [])
        plan = planning.plan(situation, [answer for answer in answers if not answer.jobs])
        if not plan.runs:
            return []
        self._case.ledger.decided(plan.decisions)
        self._case.ledger.plan(run.key for run in plan.runs)
        return plan.runs

    def commands(self, event: PullRequestComment | IssueComment, answers: Sequence[Answer]) -> Sequence[Run]:
        """The runs that answer a comment: what it asks for, a reaction, and an answer where one is due."""
        asked = comment.heard(self._case, event)
        if not asked:
            return []
        self._case.situate(asked, self._case.facts.origin, None, [])
        plan, trouble = Plan(), None
        try:
            plan = self.plan([answer for answer in answers if asked.of(*answer.commands)], asked)
        except UserError as error:
            trouble = error
        runs = conversing.around(event, asked, plan, trouble)
        self._case.ledger.plan(run.key for run in runs)
        return runs

    def _jobs(self, config: PackageConfig, origin: Origin) -> list[Job]:
        project = self._case.project
        jobs, left_out = planning.applying_jobs(
            config,
            origin.event,
            registry.served_jobs(),
            self._case.shop.settings.deployment,
            lambda: project().default_branch(),
            remembered(lambda number: project().pull_request(number), str),
        )
        self._case.ledger.decided(left_out)
        return jobs


def _why_nothing(plan: Plan, jobs: Sequence[Job]) -> str:
    if not jobs:
        return "no job of the package configuration is for events of this kind"
    reasons = dict.fromkeys(decision.reason for decision in plan.decisions)
    return "no handler has anything to do: " + "; ".join(reasons)
