"""The four steps for real: one ``Pipeline`` takes one event through them and notes all that is decided on the way."""

from __future__ import annotations

from collections.abc import Sequence

from events.base import Event
from events.families import IssueComment, ProjectEvent, PullRequestComment, Rerun, Result
from events.outcome import Outcome
from packit_worker import access, registry
from packit_worker.checks.verdict import Kind
from packit_worker.commands import Asked
from packit_worker.effecting import Effecting
from packit_worker.interrupting import Progress
from packit_worker.journal import effects
from packit_worker.journal.claims import Claim
from packit_worker.journal.events import EventRow
from packit_worker.pipeline import conversing
from packit_worker.pipeline.case import Case
from packit_worker.pipeline.ledger import Ledger
from packit_worker.pipeline.package_config import Unusable
from packit_worker.pipeline.planner import Planner
from packit_worker.pipeline.planning import Run
from packit_worker.pipeline.reporter import Reporter
from packit_worker.pipeline.runner import Runner
from packit_worker.reporting import texts
from packit_worker.retrying import Retrying
from packit_worker.shop import Shop
from packit_worker.situation import origins, reruns


class Pipeline:
    """One event's way through the four steps. Implements ``events.pipeline.Pipeline``."""

    def __init__(self, shop: Shop, claim: Claim, row: EventRow, event: Event, progress: Progress) -> None:
        self._shop = shop
        self._row = row
        self.ledger = Ledger(shop.journal, shop.hints, claim, row)
        self.retrying = Retrying(
            row.attempts, shop.settings.limits.max_attempts, since=row.created_at, owes=self._owes
        )
        self._case = Case(shop, row, event, self.ledger)
        self._reporter = Reporter(self._case)
        self._planner = Planner(self._case, self._reporter)
        effecting = Effecting(shop.journal, claim, lease=shop.lease, settle=shop.settle)
        self._runner = Runner(self._case, self._reporter, effecting, self.retrying, progress)

    def is_open_project(self, event: Event) -> bool:
        """The project is public, or private and let in by ``enabled_private_namespaces``."""
        if not isinstance(event, ProjectEvent) or (
            isinstance(event, Rerun) and self._case.facts.origin is None
        ):
            return True
        private = event.project_is_private
        if private is None:
            private = self._case.project().is_private()
        self._case.is_private = private
        if not private:
            self.ledger.decide("private repository", "open", "the project is public")
            return True
        if access.is_let_in(event, self._shop.settings.enabled_private_namespaces):
            self.ledger.decide(
                "private repository", "open", "the project is private, and its namespace is let in"
            )
            return True
        self.ledger.decide(
            "private repository",
            "refused",
            "the project is private, and this service serves private projects of configured namespaces only",
            next_step="An operator can add the namespace to enabled_private_namespaces.",
        )
        return False

    def plan(self, event: Event) -> Sequence[Run]:
        """The runs that answer the event."""
        answers = registry.answers_to(type(event))
        if not answers:
            self.ledger.decide("handlers", "ignored", f"{registry.NO_HANDLER_YET} for {type(event).__name__}")
            return []
        if isinstance(event, PullRequestComment | IssueComment):
            return self._planner.commands(event, answers)
        origin = self._case.facts.origin
        if isinstance(event, Result | Rerun) and origin is None:
            self.ledger.decide("origin", "ignored", "it is not about anything this service has ordered")
            return []
        if isinstance(event, Rerun) and origin is not None and origin.again is not None:
            again = origin.again
            self.ledger.decide(reruns.STEP, reruns.FOUND, again.reason, facts=again.facts)
        try:
            plan = self._planner.plan(answers, origins.asked_by(origin.event) if origin else Asked())
        except Unusable:
            return self._planner.without_jobs(answers)
        self._reporter.show(plan.runs)
        for refusal in plan.refusals:
            words = texts.refused(refusal.verdict.reason, refusal.verdict.next_step)
            self._reporter.tell(refusal.run, words)
        return plan.runs

    def is_approved(self, event: Event, plan: Sequence[Run]) -> bool:
        """An account behind the event is on the allowlist; else the checks that would have run say what to do."""
        if not any(run.handler.needs_approval for run in plan):
            self.ledger.decide("allowlist", "approved", "nothing runs that an account has to be approved for")
            return True
        user = getattr(event, "user_login", None)
        verdict = access.judge(event, self._case.facts.accounts, self._case.admins, user)
        if verdict.kind == Kind.PASS:
            self.ledger.decide("allowlist", "approved", verdict.reason)
            if event.by_hand:
                self._reporter.show(plan)
            return True
        self.ledger.decide("allowlist", "refused", verdict.reason, next_step=verdict.next_step)
        if event.by_hand:
            # Whoever has no say here does not change what the checks of others show.
            answering = conversing.refused(event, verdict.reason, verdict.next_step)
            self.ledger.plan(run.key for run in answering)
            for run in answering:
                self.run(run)
            return False
        self.ledger.plan([])
        for run in plan:
            self._reporter.tell(run, texts.refused(verdict.reason, verdict.next_step))
        return False

    def run(self, run: Run) -> Outcome:
        """Run one handler; whatever it raises is the ending of this run alone."""
        return self._runner.run(run)

    def _owes(self) -> bool:
        with self._shop.journal.read() as session:
            return effects.is_any_unknown(session, self._row.id)
