"""Planning: handlers x jobs x checks -> runs, with a reason for every one that is not taken.

Pure but for the questions a ``Situation`` may ask. The pipeline writes the plan down and runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from events.families import ProjectEvent
from packit_worker.checks.jobs import AskPullRequest, DefaultBranch, why_not
from packit_worker.checks.verdict import Kind, Verdict, passed
from packit_worker.commands import Verb
from packit_worker.config.package import JobConfig, JobTrigger, JobType, PackageConfig
from packit_worker.handlers.base import Handler, Reply
from packit_worker.journal.decisions import Decision
from packit_worker.journal.runs import RunKey
from packit_worker.registry import Answer
from packit_worker.reporting.names import CheckId
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation

#: Types of jobs that some handler runs, of whatever event.
Served = frozenset[JobType]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A handler about to run for a job (None: it needs none). ``shows``: the checks it reports on.

    ``reply``: what is to be said to a comment, of a run that says it.
    """

    handler: type[Handler]
    job: Job | None
    shows: tuple[CheckId, ...] = ()
    reply: Reply | None = None

    @property
    def key(self) -> RunKey:
        return (self.handler.__name__, self.job.key if self.job else "", "")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A run that would have been, the verdict against it, and the checks that shall say so."""

    run: Run
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What shall run, what may not, and why everything else is not.

    ``idle``: verbs of a comment that nothing runs for, and why.
    """

    runs: tuple[Run, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    decisions: tuple[Decision, ...] = ()
    idle: Mapping[Verb, str] = field(default_factory=dict)


def applying_jobs(
    config: PackageConfig,
    event: ProjectEvent,
    served: Served,
    deployment: str,
    default_branch: DefaultBranch,
    pull_request: AskPullRequest,
) -> tuple[list[Job], list[Decision]]:
    """The jobs of a configuration that an event starts, and a decision for each of the others.

    A monorepo's job stands once per package. Tests without any build among the jobs for such events get an implied
    one. ``deployment`` is what this service is called. Raises UserError, TemporaryError.
    """
    jobs: list[Job] = []
    decisions: list[Decision] = []
    builds_listed = False
    for job in config.views():
        name = f"job {job.index + 1}, {job.type}@{job.trigger}"
        if job.trigger != event.trigger:
            reason: str | None = f"it is for {job.trigger} events, this is a {event.trigger} event"
        elif job.packit_instances and deployment not in job.packit_instances:
            reason = (
                f"it is for {' and '.join(job.packit_instances)} (packit_instances), and this is {deployment}"
            )
        elif job.type not in served:
            reason = f"no handler yet for {job.type} jobs"
        elif job.type == JobType.KOJI_BUILD and job.trigger == JobTrigger.COMMIT:
            reason = "a koji_build for commits is for those of dist-git, which this service does not build"
        else:
            reason = why_not(job, event, default_branch, pull_request)
            builds_listed = builds_listed or (reason is None and job.type == JobType.COPR_BUILD)
            if job.manual_trigger and not event.by_hand:
                reason = reason or "it has manual_trigger: only a comment starts it"
        if reason is None:
            jobs.append(_job(job, job.packages[0] if config.is_monorepo else None))
        else:
            decisions.append(_not(name, reason))
    return jobs if builds_listed else jobs + _implied_builds(jobs), decisions


def _job(job: JobConfig, package: str | None) -> Job:
    key = f"{job.index}:{job.type}" + (f":{package}" if package else "")
    return Job(key=key, config=job, identifier=job.identifier, package=package)


def _implied_builds(jobs: Sequence[Job]) -> list[Job]:
    """The build that tests need and no job lists: one per package, for the targets of all its tests."""
    implied: dict[str | None, Job] = {}
    for test in jobs:
        if test.type != JobType.TESTS or test.config.skip_build:
            continue
        before = implied.get(test.package)
        targets = (before.config.targets if before else ()) + test.config.targets
        config = replace(
            before.config if before else test.config,
            type=JobType.COPR_BUILD,
            targets=tuple(dict.fromkeys(targets)),
            trigger=JobTrigger(test.config.trigger),
        )
        key = f"implied:{JobType.COPR_BUILD}" + (f":{test.package}" if test.package else "")
        implied[test.package] = Job(
            key=key, config=config, identifier=test.package, package=test.package, implied=True
        )
    return list(implied.values())


def plan(situation: Situation, answers: Iterable[Answer]) -> Plan:
    """What the situation asks for. Raises TemporaryError, UserError from the situation's questions."""
    runs: list[Run] = []
    refusals: list[Refusal] = []
    decisions: list[Decision] = []
    idle: dict[Verb, list[str]] = {}
    busy: set[Verb] = set()
    for answer in answers:
        name = answer.handler.__name__
        verbs = {command.verb for command in situation.asked.of(*answer.commands)}
        if answer.commands and not verbs:
            decisions.append(_not(name, "the comment does not ask for it"))
            continue
        before = len(runs) + len(refusals), len(decisions)
        jobs: list[Job | None] = list(situation.of_type(*answer.jobs)) if answer.jobs else [None]
        if not jobs:
            wanted = " or ".join(answer.jobs)
            decisions.append(_not(name, f"no {wanted} job applies to this event"))
        for job in jobs:
            label = f"{name} for {job.label}" if job else name
            verdict = _verdict(answer.handler, situation, job) or passed(answer.about)
            if verdict.kind == Kind.SKIP:
                decisions.append(_not(label, verdict.reason))
                continue
            run = Run(handler=answer.handler, job=job, shows=answer.handler.shows(situation, job))
            if verdict.kind == Kind.PASS:
                runs.append(run)
                decisions.append(Decision(step=label, verdict="run", reason=verdict.reason))
            else:
                refusals.append(Refusal(run=run, verdict=verdict))
                decisions.append(
                    Decision(
                        step=label, verdict="refused", reason=verdict.reason, next_step=verdict.next_step
                    )
                )
        if len(runs) + len(refusals) > before[0]:
            busy |= verbs
        for verb in verbs:
            idle.setdefault(verb, []).extend(decision.reason for decision in decisions[before[1] :])
    return Plan(
        runs=tuple(runs),
        refusals=tuple(refusals),
        decisions=tuple(decisions),
        idle={verb: "; ".join(dict.fromkeys(why)) for verb, why in idle.items() if verb not in busy},
    )


def _verdict(handler: type[Handler], situation: Situation, job: Job | None) -> Verdict | None:
    """The verdict of a handler's checks: the first that is no pass, else the reasons of all; None without checks."""
    if (handler.__name__, job.key if job else "", "") in situation.planned_before:
        # Looking again would find what the earlier attempt did, and take it for somebody else's.
        return passed("planned by an earlier attempt")
    reasons: list[str] = []
    for check in handler.checks:
        verdict = check(situation, job)
        if verdict.kind != Kind.PASS:
            return verdict
        reasons.append(verdict.reason)
    return passed("; ".join(reasons)) if reasons else None


def _not(step: str, reason: str) -> Decision:
    return Decision(step=step, verdict="not taken", reason=reason)
