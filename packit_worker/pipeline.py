"""The four steps for real: one ``Pipeline`` takes one event through them and notes all that is decided on the way."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TypeVar

from events.base import Event
from events.families import ProjectEvent, Result
from events.outcome import Ending, Outcome
from packit_worker import access, configs, facts, planning, registry, targets
from packit_worker.checks.verdict import Kind
from packit_worker.config.package import FILE_NAMES, PackageConfig, PackageConfigError
from packit_worker.config.service import ServiceConfig
from packit_worker.desk import RunDesk
from packit_worker.effecting import Effecting
from packit_worker.errors import NotFound, Refused, TemporaryError, UserError
from packit_worker.facts import Facts
from packit_worker.handlers.base import Context, Services
from packit_worker.hints import Hints
from packit_worker.journal import Journal, JournalUnavailable
from packit_worker.journal.base import now
from packit_worker.journal.checks import Wanted
from packit_worker.journal.claims import Claim, LostClaim
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunState
from packit_worker.ledger import Ledger
from packit_worker.origins import Origin
from packit_worker.planning import Plan, Run
from packit_worker.ports import ForgeProject, Permission
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.retrying import Retrying
from packit_worker.situation import Job, Situation

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shop:
    """What a worker process works with; made once by ``startup``."""

    settings: ServiceConfig
    journal: Journal
    services: Services
    hints: Hints

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.settings.limits.lease_seconds)

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settings.limits.settle_seconds)


class Pipeline:
    """One event's way through the four steps. Implements ``events.pipeline.Pipeline``."""

    def __init__(self, shop: Shop, claim: Claim, row: EventRow, event: Event) -> None:
        self._shop = shop
        self._row = row
        self._event = event
        self.ledger = Ledger(shop.journal, shop.hints, claim, row)
        self.retrying = Retrying(row.attempts, shop.settings.limits.max_attempts)
        self._effecting = Effecting(shop.journal, claim, lease=shop.lease, settle=shop.settle)
        self._situation: Situation | None = None
        self._permission = _remembered(self._ask_permission, str.lower)

    @cached_property
    def facts(self) -> Facts:
        """What the journal knows; read when the first step asks for it."""
        return facts.gather(self._shop.journal, self._row, self._event)

    # The four steps.

    def is_open_project(self, event: Event) -> bool:
        """The project is public, or private and let in by ``enabled_private_namespaces``."""
        if not isinstance(event, ProjectEvent):
            return True
        private = event.project_is_private
        if private is None:
            private = self._project().is_private()
        if not private:
            self.ledger.decide("private repository", "open", "the project is public")
            return True
        if access.is_let_in(event, self._shop.settings.enabled_private_namespaces):
            self.ledger.decide("private repository", "open", "the project is private, and its namespace is let in")
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
        origin = self.facts.origin
        if isinstance(event, Result) and origin is None:
            self.ledger.decide("origin", "ignored", "it is not about anything this service has ordered")
            return []
        config: PackageConfig | None = None
        jobs: list[Job] = []
        if any(answer.jobs for answer in answers):
            assert origin is not None, "only events of a project have jobs"
            config = self._config(origin)
            if config is None:
                return []
            jobs, left_out = planning.applying_jobs(config, origin.event.trigger, registry.served_jobs())
            self.ledger.decided(left_out)
        self._situation = Situation(
            event=event,
            origin=origin,
            config=config,
            jobs=tuple(jobs),
            planned_before=frozenset(self.facts.runs),
            admins=self._admins,
            chroots=_remembered(self._chroots, lambda job: job.key),
            permission=self._permission,
        )
        try:
            plan = planning.plan(self._situation, answers)
        except UserError as error:
            self._invalid(str(error), error.next_step, None)
            return []
        self.ledger.decided(plan.decisions)
        self.ledger.plan(run.key for run in plan.runs)
        self._note_project(origin)
        self._show(plan)
        if not plan.runs and not plan.refusals:
            self.ledger.decide("plan", "nothing to do", _why_nothing(plan, jobs))
        return plan.runs

    def is_approved(self, event: Event, plan: Sequence[Run]) -> bool:
        """An account behind the event is on the allowlist; else the checks that would have run say what to do."""
        user = getattr(event, "user_login", None)
        verdict = access.judge(event, self.facts.accounts, self._admins, user)
        if verdict.kind == Kind.PASS:
            self.ledger.decide("allowlist", "approved", verdict.reason)
            return True
        self.ledger.decide("allowlist", "refused", verdict.reason, next_step=verdict.next_step)
        self.ledger.plan([])
        for run in plan:
            self._tell(run, texts.refused(verdict.reason, verdict.next_step))
        return False

    def run(self, run: Run) -> Outcome:
        """Run one handler; whatever it raises is the ending of this run alone."""
        self.ledger.commit(self._shop.lease)
        handler, job, target = run.key
        before = self.facts.runs.get(run.key)
        if before is not None and before.state in (RunState.DONE, RunState.FAILED):
            return Outcome(
                handler=handler, job=job, target=target, ending=Ending(before.state), note=before.note or ""
            )
        if run.handler.lane is not None and run.handler.lane != self._row.lane:
            return Outcome(handler=handler, job=job, target=target, ending=Ending.DEFERRED, note=run.handler.lane)
        started = now()
        ending, note, error = self._run(run)
        self.ledger.result(
            {
                "handler": handler,
                "job": job,
                "target": target,
                "state": RunState(ending.value),
                "note": note,
                "error": error,
                "started_at": started,
                "finished_at": now(),
            }
        )
        return Outcome(handler=handler, job=job, target=target, ending=ending, note=note)

    # What the steps are made of.

    def _run(self, run: Run) -> tuple[Ending, str, str | None]:
        """Ending, note and (of a bug) the traceback."""
        try:
            return Ending.DONE, run.handler(self._context(run)).run(), None
        except (LostClaim, JournalUnavailable):
            raise
        except UserError as error:
            self._tell(run, texts.user_error(str(error), error.next_step))
            return Ending.FAILED, str(error), None
        except Refused as error:
            self._tell(run, texts.user_error(str(error), texts.REFUSED_NEXT))
            return Ending.FAILED, str(error), None
        except TemporaryError as error:
            if self.retrying.another(error):
                return Ending.RETRY, str(error), None
            self._tell(run, texts.gave_up(str(error), self._row.attempts))
            return Ending.FAILED, f"given up after {self._row.attempts} attempts: {error}", None
        except Exception as error:
            log.exception("%s has a bug", run.handler.__name__)
            self._tell(run, texts.our_fault(self._row.id))
            return Ending.FAILED, f"a bug: {type(error).__name__}", traceback.format_exc()

    def _context(self, run: Run) -> Context:
        assert self._situation is not None
        return Context(
            event=self._event,
            event_id=self._row.id,
            origin=self.facts.origin,
            situation=self._situation,
            job=run.job,
            settings=self._shop.settings,
            services=self._shop.services,
            journal=self._shop.journal,
            desk=RunDesk(
                run=run, event_id=self._row.id, ledger=self.ledger, effecting=self._effecting, want=self._want
            ),
        )

    def _config(self, origin: Origin) -> PackageConfig | None:
        """The package configuration at the origin's commit; None after it was decided what follows from having none."""
        step = "package configuration"
        if origin.commit_sha is None:
            self.ledger.decide(step, "ignored", "the event names no commit to read it at")
            return None
        reading = self.facts.reading
        if reading is None:
            reading = configs.read(self._project(), origin.commit_sha)
            self.ledger.read(origin.event.project_url, origin.commit_sha, reading)
        at = origin.commit_sha[:12]
        if reading.path is None:
            self.ledger.decide(
                step,
                "none",
                f"there is no package configuration at {at}",
                next_step=f"Add {FILE_NAMES[0]} to the top directory of the project.",
            )
            return None
        try:
            config = configs.understand(reading, origin.event.project_url)
        except PackageConfigError as error:
            self._invalid(str(error), "Correct the package configuration and push again.", error)
            return None
        self.ledger.decide(step, "read", f"{reading.path} at {at}")
        return config

    def _invalid(self, message: str, next_step: str, error: PackageConfigError | None) -> None:
        """The package configuration cannot be used: one neutral check says why."""
        self.ledger.decide("package configuration", "invalid", message, next_step=next_step)
        if isinstance(self._event, Result):
            return
        self._note_project(self.facts.origin)
        mistakes = [texts.Mistake(message=message)]
        if error is not None:
            mistakes = [
                texts.Mistake(
                    message=f"{problem.dotted}: {problem.message}" if problem.dotted else problem.message,
                    line=problem.line,
                    column=problem.column,
                    nearest=problem.nearest,
                )
                for problem in error.problems
            ]
        words = texts.bad_config(error.path if error else "the package configuration", mistakes)
        self._want(CheckId(kind=names.PACKAGE_CONFIG, job="", target=""), words, None)

    def _chroots(self, job: Job) -> tuple[str, ...]:
        wanted = job.config.targets or targets.DEFAULT_TARGETS
        return targets.chroots(wanted, self._shop.services.aliases.expand)

    def _ask_permission(self, login: str) -> Permission:
        try:
            return self._project().permission(login)
        except NotFound:
            return Permission.NONE

    def _project(self) -> ForgeProject:
        assert self.facts.origin is not None
        url = self.facts.origin.event.project_url
        return self._shop.services.forge(url).project(url, self.facts.installation_id)

    @property
    def _admins(self) -> frozenset[str]:
        return frozenset(admin.lower() for admin in self._shop.settings.admins)

    def _show(self, plan: Plan) -> None:
        for run in plan.runs:
            if run.key in self.facts.runs:
                continue  # an earlier attempt has shown it, and may have shown more since
            for check in run.shows:
                self._want(check, run.handler.first_words(check), None)
        for refusal in plan.refusals:
            self._tell(refusal.run, texts.refused(refusal.verdict.reason, refusal.verdict.next_step))

    def _tell(self, run: Run, words: Words) -> None:
        """Say it on all the checks of a run."""
        for check in run.shows:
            self._want(check, words, None)

    def _want(self, check: CheckId, words: Words, url: str | None) -> None:
        origin = self.facts.origin
        assert origin is not None and origin.commit_sha is not None
        event_id = origin.event_id or self._row.id
        # A check run shows the name of the App beside its own; a commit status has to bring it along.
        prefix = "" if origin.event.forge == "github" else f"{self._shop.settings.check_prefix}/"
        self.ledger.want(
            Wanted(
                project_url=origin.event.project_url,
                commit_sha=origin.commit_sha,
                name=prefix + check.name,
                kind=check.kind,
                job=check.job,
                target=check.target,
                subject=origin.event.subject,
                installation_id=self.facts.installation_id,
                event_id=event_id,
                status=words.status,
                conclusion=words.conclusion,
                title=words.title,
                summary=words.summary,
                url=url or f"{self._shop.settings.server_url}/events/{event_id}",
            )
        )

    def _note_project(self, origin: Origin | None) -> None:
        """Keep what an event says about its project, where it is news."""
        if origin is None or isinstance(self._event, Result):
            return
        event, known = origin.event, self.facts.project
        news = known is None or (
            (event.project_is_private is not None and event.project_is_private != known.is_private)
            or (event.installation_id is not None and event.installation_id != known.installation_id)
        )
        if news:
            self.ledger.seen(
                event.project_url, is_private=event.project_is_private, installation_id=event.installation_id
            )


Q = TypeVar("Q")
A = TypeVar("A")


def _remembered(ask: Callable[[Q], A], key: Callable[[Q], str]) -> Callable[[Q], A]:
    """Ask once per key: the same question of one event gets the same answer."""
    answers: dict[str, A] = {}

    def remembered(question: Q) -> A:
        if key(question) not in answers:
            answers[key(question)] = ask(question)
        return answers[key(question)]

    return remembered


def _why_nothing(plan: Plan, jobs: Sequence[Job]) -> str:
    if not jobs:
        return "no job of the package configuration is for events of this kind"
    reasons = dict.fromkeys(decision.reason for decision in plan.decisions)
    return "no handler has anything to do: " + "; ".join(reasons)
