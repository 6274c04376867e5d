"""The four steps for real: one ``Pipeline`` takes one event through them and notes all that is decided on the way."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property, partial
from typing import TypeVar

from events.base import Event
from events.families import IssueComment, ProjectEvent, PullRequest, PullRequestComment, Rerun, Result
from events.outcome import Ending, Outcome
from packit_worker import (
    access,
    commits,
    configs,
    conversing,
    facts,
    metrics,
    origins,
    planning,
    registry,
    releases,
    reruns,
    sentry,
    targets,
)
from packit_worker.checks.verdict import Kind
from packit_worker.commands import Asked, Mistake
from packit_worker.config.package import FILE_NAMES, PackageConfig, PackageConfigError
from packit_worker.config.service import ServiceConfig
from packit_worker.configs import Reading
from packit_worker.desk import RunDesk
from packit_worker.effecting import Effecting
from packit_worker.errors import NotFound, Refused, TemporaryError, UserError
from packit_worker.facts import Facts
from packit_worker.handlers.base import Context, Services
from packit_worker.hints import Hints
from packit_worker.interrupting import Limit, Progress, TimedOut
from packit_worker.journal import Journal, JournalUnavailable, Session, checks, effects
from packit_worker.journal.base import now
from packit_worker.journal.checks import Wanted
from packit_worker.journal.claims import Claim, LostClaim
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunState
from packit_worker.ledger import Ledger
from packit_worker.origins import Origin
from packit_worker.planning import Plan, Run
from packit_worker.ports import ForgeProject, Permission
from packit_worker.registry import Answer
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Saying, Words
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
    #: Seconds between the moment work is told to stop and the end of a process where it does not.
    grace: float = 30.0

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.settings.limits.lease_seconds)

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settings.limits.settle_seconds)

    def limit(self, lane: str) -> Limit:
        """How long work of a lane may take."""
        return Limit(self.settings.lanes[lane].soft_time_limit, self.grace)


class Unusable(UserError):
    """There is no package configuration, or none that can be used; what follows has been decided and shown."""


class Pipeline:
    """One event's way through the four steps. Implements ``events.pipeline.Pipeline``."""

    def __init__(self, shop: Shop, claim: Claim, row: EventRow, event: Event, progress: Progress) -> None:
        self._shop = shop
        self._row = row
        self._event = event
        self._progress = progress
        self.ledger = Ledger(shop.journal, shop.hints, claim, row)
        self.retrying = Retrying(
            row.attempts, shop.settings.limits.max_attempts, since=row.created_at, owes=self._owes
        )
        self._effecting = Effecting(shop.journal, claim, lease=shop.lease, settle=shop.settle)
        self._situation: Situation | None = None
        self._is_private = False
        self._permission = _remembered(self._ask_permission, str.lower)

    @cached_property
    def facts(self) -> Facts:
        """What the journal knows; read when the first step asks for it."""
        return facts.gather(self._shop.journal, self._row, self._event)

    # The four steps.

    def is_open_project(self, event: Event) -> bool:
        """The project is public, or private and let in by ``enabled_private_namespaces``."""
        if not isinstance(event, ProjectEvent) or (isinstance(event, Rerun) and self.facts.origin is None):
            return True
        private = event.project_is_private
        if private is None:
            private = self._project().is_private()
        self._is_private = private
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
            return self._plan_commands(event, answers)
        origin = self.facts.origin
        if isinstance(event, Result | Rerun) and origin is None:
            self.ledger.decide("origin", "ignored", "it is not about anything this service has ordered")
            return []
        if isinstance(event, Rerun) and origin is not None and origin.again is not None:
            again = origin.again
            self.ledger.decide(reruns.STEP, reruns.FOUND, again.reason, facts=again.facts)
        try:
            plan = self._planned(answers, origins.asked_by(origin.event) if origin else Asked())
        except Unusable:
            return self._plan_without_jobs(answers)
        self._show(plan.runs)
        for refusal in plan.refusals:
            self._tell(refusal.run, texts.refused(refusal.verdict.reason, refusal.verdict.next_step))
        return plan.runs

    def is_approved(self, event: Event, plan: Sequence[Run]) -> bool:
        """An account behind the event is on the allowlist; else the checks that would have run say what to do."""
        if not any(run.handler.needs_approval for run in plan):
            self.ledger.decide("allowlist", "approved", "nothing runs that an account has to be approved for")
            return True
        user = getattr(event, "user_login", None)
        verdict = access.judge(event, self.facts.accounts, self._admins, user)
        if verdict.kind == Kind.PASS:
            self.ledger.decide("allowlist", "approved", verdict.reason)
            if event.by_hand:
                self._show(plan)
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
            return Outcome(
                handler=handler, job=job, target=target, ending=Ending.DEFERRED, note=run.handler.lane
            )
        started = now()
        ending, note, error = self._run(run)
        metrics.job_duration_seconds.labels(handler, ending.value).observe((now() - started).total_seconds())
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

    def _plan_without_jobs(self, answers: Sequence[Answer]) -> Sequence[Run]:
        """What is done where no configuration can be used: a newer commit ends the work on older ones all the same."""
        self._situation = self._situated(Asked(), self.facts.origin, None, [])
        plan = planning.plan(self._situation, [answer for answer in answers if not answer.jobs])
        if not plan.runs:
            return []
        self.ledger.decided(plan.decisions)
        self.ledger.plan(run.key for run in plan.runs)
        return plan.runs

    def _plan_commands(
        self, event: PullRequestComment | IssueComment, answers: Sequence[Answer]
    ) -> Sequence[Run]:
        """The runs that answer a comment: what it asks for, a reaction, and an answer where one is due."""
        asked = self._heard(event)
        if not asked:
            return []
        self._situation = self._situated(asked, self.facts.origin, None, [])
        plan, trouble = Plan(), None
        try:
            plan = self._planned([answer for answer in answers if asked.of(*answer.commands)], asked)
        except UserError as error:
            trouble = error
        runs = conversing.around(event, asked, plan, trouble)
        self.ledger.plan(run.key for run in runs)
        return runs

    def _heard(self, event: PullRequestComment | IssueComment) -> Asked:
        """What a comment asks for; nothing, with the reason written down, if it asks for nothing."""
        if event.user_is_bot or self._shop.services.forge(event.project_url).is_ours(event.user_login):
            self.ledger.decide(
                "comment", "ignored", f"{event.user_login} is a program, and programs give no commands"
            )
            return Asked()
        if event.comment_before is None and self.facts.comment_before is not None:
            event = replace(event, comment_before=self.facts.comment_before)
        asked = origins.asked_by(event)
        if not asked:
            new = "new " if event.comment_before is not None else ""
            self.ledger.decide("comment", "ignored", f"the comment holds no {new}command")
            return asked
        asked = self._with_real_targets(asked)
        for mistake in asked.mistakes:
            self.ledger.decide("comment", "mistake", mistake.message, next_step=mistake.nearest)
        for command in asked.commands:
            self.ledger.decide("comment", "understood", f"it asks for {command.verb}")
        return asked

    def _with_real_targets(self, asked: Asked) -> Asked:
        """The same, with commands that name what cannot be a target among the mistakes."""
        commands, mistakes = [], list(asked.mistakes)
        for command in asked.commands:
            try:
                self._named(command.targets)
                commands.append(command)
            except UserError as error:
                mistakes.append(
                    Mistake(line=f"/packit {command.verb}", message=f"{error}. {error.next_step}")
                )
        return Asked(commands=tuple(commands), mistakes=tuple(mistakes))

    def _planned(self, answers: Sequence[Answer], asked: Asked) -> Plan:
        """The plan for these lines of the table, written down. Raises UserError where there can be none."""
        origin = self.facts.origin
        config: PackageConfig | None = None
        jobs: list[Job] = []
        try:
            if any(answer.jobs for answer in answers):
                origin = self._at_its_commit()
                config = self._config(origin)
                jobs, left_out = planning.applying_jobs(
                    config,
                    origin.event,
                    registry.served_jobs(),
                    self._shop.settings.deployment,
                    lambda: self._project().default_branch(),
                    _remembered(lambda number: self._project().pull_request(number), str),
                )
                self.ledger.decided(left_out)
            self._situation = self._situated(asked, origin, config, jobs)
            plan = planning.plan(self._situation, answers)
        except Unusable:
            raise
        except UserError as error:
            if config is not None:
                self._invalid(str(error), error.next_step, None)
                raise Unusable(str(error), next_step=error.next_step) from error
            raise
        self.ledger.decided(plan.decisions)
        self.ledger.plan(run.key for run in plan.runs)
        self._note_project(origin)
        if not plan.runs and not plan.refusals:
            self.ledger.decide("plan", "nothing to do", _why_nothing(plan, jobs))
        return plan

    def _situated(
        self, asked: Asked, origin: Origin | None, config: PackageConfig | None, jobs: Sequence[Job]
    ) -> Situation:
        return Situation(
            event=self._event,
            origin=origin,
            config=config,
            jobs=tuple(jobs),
            planned_before=frozenset(self.facts.runs),
            admins=self._admins,
            chroots=_remembered(self._chroots, lambda job: job.key),
            branches=_remembered(self._branches, lambda job: job.key),
            permission=self._permission,
            asked=asked,
            named=_remembered(self._named, " ".join),
            built=self.facts.built,
            tested=self.facts.tested,
            is_private=self._is_private,
            app_id=self._shop.settings.github.app_id,
            approvals_url=self._shop.settings.approval_repository_url,
        )

    def _at_its_commit(self) -> Origin:
        """The origin with its commit, which the forge is asked for where the event does not tell it.

        Raises UserError where nothing may be done for it, NotFound, TemporaryError.
        """
        origin = self.facts.origin
        assert origin is not None, "only events of a project have jobs"
        if origin.commit_sha is not None:
            return origin
        if self.facts.told is not None:
            found: commits.Commit | None = commits.again(origin.event, self.facts.told)
        else:
            try:
                found = commits.look_up(
                    self._project(), origin.event, seen=self.facts.heads, permission=self._permission
                )
            except commits.Moved as error:
                self.ledger.decide(
                    commits.STEP,
                    commits.MOVED,
                    str(error),
                    next_step=error.next_step,
                    facts={"commit_sha": error.sha},
                )
                raise
            except UserError as error:
                self.ledger.decide(commits.STEP, "refused", str(error), next_step=error.next_step)
                raise
        if found is None:
            return origin
        self.ledger.decide(
            commits.STEP, commits.READ, found.reason, facts={**found.facts, "commit_sha": found.sha}
        )
        tag = found.facts.get("tag_name")
        origin = replace(origin, event=found.event, commit_sha=found.sha, tag_name=tag)
        self.facts = facts.at_commit(self._shop.journal, self.facts, self._row, origin)
        return origin

    def _run(self, run: Run) -> tuple[Ending, str, str | None]:
        """Ending, note and (of a bug) the traceback."""
        self._progress.goes_on()
        try:
            return Ending.DONE, run.handler(self._context(run)).run(), None
        except (LostClaim, JournalUnavailable):
            raise
        except UserError as error:
            self._tell(run, texts.user_error(str(error), error.next_step), error.url)
            return Ending.FAILED, str(error), None
        except (Refused, NotFound) as error:
            self._tell(run, texts.user_error(str(error), texts.REFUSED_NEXT))
            return Ending.FAILED, str(error), None
        except TemporaryError as error:
            if self.retrying.another(error):
                return Ending.RETRY, str(error), None
            sentry.report(error, run.handler.__name__)
            self._tell(run, partial(texts.gave_up, str(error), self._row.attempts))
            return Ending.FAILED, f"given up after {self._row.attempts} attempts: {error}", None
        except TimedOut as late:
            self._progress.goes_on()
            log.error("%s %s", run.handler.__name__, late)
            sentry.report(late, run.handler.__name__)
            self._tell(run, partial(texts.timed_out, str(late)))
            return Ending.FAILED, str(late), traceback.format_exc()
        except Exception as error:
            log.exception("%s has a bug", run.handler.__name__)
            sentry.report(error, run.handler.__name__)
            self._tell(run, partial(texts.our_fault, self._row.id))
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
            project=self._project,
            reply=run.reply,
        )

    def _read_config(self, event: ProjectEvent, sha: str) -> Reading:
        """Read it where the commit comes from; in the project itself where that is gone, or is no place of its own."""
        source = event.source_url
        if source is not None:
            try:
                return configs.read(self._shop.services.forge(source).project(source), sha)
            except NotFound as error:
                log.info("no configuration was read at %s: %s", source, error)
        return configs.read(self._project(), sha)

    def _config(self, origin: Origin) -> PackageConfig:
        """The package configuration at the origin's commit. Raises Unusable after it was decided what follows."""
        step = "package configuration"
        if origin.commit_sha is None:
            reason = "the event names no commit to read it at"
            self.ledger.decide(step, "ignored", reason)
            raise Unusable(reason, next_step="")
        reading = self.facts.reading
        if reading is None:
            reading = self._read_config(origin.event, origin.commit_sha)
            self.ledger.read(origin.event.project_url, origin.commit_sha, reading)
        at = origin.commit_sha[:12]
        if reading.path is None:
            reason = f"there is no package configuration at {at}"
            next_step = f"Add {FILE_NAMES[0]} to the top directory of the project."
            self.ledger.decide(step, "none", reason, next_step=next_step)
            raise Unusable(reason, next_step=next_step)
        try:
            config = configs.understand(reading, origin.event.project_url)
        except PackageConfigError as error:
            next_step = "Correct the package configuration and push again."
            self._invalid(str(error), next_step, error)
            raise Unusable(str(error), next_step=next_step) from error
        self.ledger.decide(step, "read", f"{reading.path} at {at}")
        return config

    def _invalid(self, message: str, next_step: str, error: PackageConfigError | None) -> None:
        """The package configuration cannot be used: one neutral check says why."""
        self.ledger.decide("package configuration", "invalid", message, next_step=next_step)
        if isinstance(self._event, Result) or not self._event.shows_bad_config:
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
        return self._named(job.config.targets or targets.DEFAULT_TARGETS)

    def _branches(self, job: Job) -> tuple[str, ...]:
        names = job.config.dist_git_branches or releases.DEFAULT_BRANCHES
        return targets.branches(names, self._shop.services.aliases.expand)

    def _named(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return targets.chroots(names, self._shop.services.aliases.expand)

    def _owes(self) -> bool:
        with self._shop.journal.read() as session:
            return effects.is_any_unknown(session, self._row.id)

    def _ask_permission(self, login: str) -> Permission:
        try:
            return self._project().permission(login)
        except NotFound:
            return Permission.NONE

    def _project(self) -> ForgeProject:
        assert self.facts.origin is not None
        event = self.facts.origin.event
        url = event.project_url
        project = self._shop.services.forge(url).project(url, self.facts.installation_id)
        match event:
            case PullRequest() | PullRequestComment():
                return project.seen_from(event.pr_id, is_issue=False)
            case IssueComment():
                return project.seen_from(event.issue_id, is_issue=True)
            case _:
                return project

    @property
    def _admins(self) -> frozenset[str]:
        settings, origin = self._shop.settings, self.facts.origin
        forge = access.forge_of(origin.event.project_url) if origin else ""
        return access.admins_on(settings.admins, forge, access.forge_of(settings.github.web_url))

    def _show(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.key in self.facts.runs:
                continue  # an earlier attempt has shown it, and may have shown more since
            for check in run.shows:
                self._want(check, run.handler.first_words(check), None)

    def _tell(self, run: Run, words: Saying, url: str | None = None) -> None:
        """Say it on all the checks of a run; of a run about news, on those that were waiting for the news.

        What has gone well in this event stays so, whatever becomes of the rest of the run.
        """
        origin = self.facts.origin
        for check in self._not_well(run.shows):
            again = texts.again(check.kind, origin.event if origin else None)
            self._want(check, texts.said(words, again), url)
        if not run.shows and origin is not None and origin.event_id is not None:
            jobs = self._waiting_jobs(run, origin)
            self.ledger.also(lambda session: end_waiting(self.ledger, session, origin, words, jobs))

    def _not_well(self, shown: Sequence[CheckId]) -> Sequence[CheckId]:
        """The checks that this event has not shown a success on, at this attempt or an earlier one."""
        if not shown:
            return shown
        with self._shop.journal.read() as session:
            well = {(row.kind, row.job, row.target) for row in checks.gone_well(session, self._row.id)}
        return [check for check in shown if (check.kind, check.job, check.target) not in well]

    def _waiting_jobs(self, run: Run, origin: Origin) -> frozenset[str]:
        """The jobs whose checks wait for the news that a run is about."""
        jobs = {origin.job or ""}
        if run.job is not None and origin.build is not None and self._situation is not None:
            try:
                jobs |= {test.key for test in self._situation.tests_of(run.job, origin.build.chroot)}
            except (UserError, TemporaryError) as error:
                log.warning("cannot tell which tests wait for %s: %s", origin.build.chroot, error)
        return frozenset(jobs)

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


def end_waiting(
    ledger: Ledger, session: Session, origin: Origin, words: Saying, jobs: Collection[str] | None = None
) -> None:
    """Give the checks that wait for news of a build or of tests their last words; of these jobs, or of all.

    Checks of a source package there are none: what waits for it waits for the packages, too.
    """
    about = origin.build or origin.test_run
    if about is None or origin.event_id is None:
        return
    for check in checks.unfinished(session, origin.event_id, about.chroot):
        if jobs is None or check.job in jobs:
            shown = texts.said(words, texts.again(check.kind, origin.event))
            ledger.want(check.with_words(shown.status, shown.conclusion, shown.title, shown.summary))


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
