"""Builds in Koji: ordering them, and what follows from their news."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from sqlalchemy.orm import Session

from events.github import PullRequestCommentGHEvent, PullRequestGHEvent, PushGithubGHEvent, ReleaseEvent
from events.koji import KojiBuildEvent
from packit_worker.cell import git, workspace
from packit_worker.checks.build import belongs_to_this_job
from packit_worker.checks.koji import STATES, author_may_build_in_koji, is_asked_for, is_news
from packit_worker.checks.permission import commenter_may_ask
from packit_worker.checks.verdict import Check
from packit_worker.commands import Verb
from packit_worker.config.package import JobType
from packit_worker.effecting import Calls
from packit_worker.errors import Refused, UserError
from packit_worker.handlers import notifying
from packit_worker.handlers.base import Handler
from packit_worker.handlers.fetching import fetch
from packit_worker.journal import builds, events
from packit_worker.journal.base import now
from packit_worker.journal.builds import BuildRow, BuildState
from packit_worker.orders.koji import (
    asked_for,
    is_scratch,
    koji_targets,
    ref_of,
    subject_of,
    target_ref,
)
from packit_worker.ports import KojiOrder, KojiTask, Posted
from packit_worker.registry import answers
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.situation.job import Job
from packit_worker.situation.origins import KOJI_BUILD
from packit_worker.situation.situation import Situation

#: How long a task may be silent before Koji is asked about it.
FIRST_LOOK = timedelta(minutes=2)


class KojiBuildHandler(Handler):
    """Makes a source package in the jail, and orders a task in Koji for each target."""

    lane: ClassVar[str | None] = "long-running"

    @classmethod
    def targets(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        """Koji's targets for what is to be built."""
        return koji_targets(situation.chroots(job))

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        assert job is not None
        return tuple(check_of(job, target) for target in cls.targets(situation, job))

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        return texts.queued("The Koji build")

    def run(self) -> str:
        if not self.context.settings.koji.has_account:
            raise UserError(
                "This service has no account in Koji.",
                next_step="Whoever operates the service: give it one in the section koji of its configuration.",
            )
        koji = self.context.services.koji
        available = koji.targets()
        asked = self.targets(self.context.situation, self.job)
        ordered = self._ordered()
        notes: list[str] = []
        for target in asked:
            if target not in available:
                self._report(target, texts.koji_target_unknown(target))
                notes.append(f"Koji has no target {target}")
        wanted = [target for target in asked if target in available and target not in ordered]
        if wanted:
            with self._srpm() as srpm:
                notes += [self._order(target, srpm) for target in wanted]
        return "; ".join([*(f"ordered before for {target}" for target in sorted(ordered)), *notes])

    def _ordered(self) -> frozenset[str]:
        """The targets that an earlier attempt has ordered."""
        assert self.origin.commit_sha is not None
        with self.context.journal.read() as session:
            rows = builds.of_commit(session, self.origin.event.project_url, self.origin.commit_sha)
        return frozenset(
            row.chroot
            for row in rows
            if row.system == "koji" and row.job == self.job.key and row.event_id == self.context.event_id
        )

    @contextmanager
    def _srpm(self) -> Iterator[Path]:
        """The commit's source package: cloned outside of the jail, made inside. Raises UserError, TemporaryError."""
        event, commit = self.origin.event, self.origin.commit_sha
        assert commit is not None
        packit = self.context.services.packit()
        with workspace() as folder:
            # Raises NotFound for a host that is none of ours.
            target = target_ref(event, self.job)
            fetch(self.context.project(), ref_of(event), folder / "clone", also=target)
            made = folder / "srpm"
            made.mkdir()
            yield packit.srpm(
                folder / "clone",
                commit,
                made,
                package=self.job.package,
                job_index=self.job.config.index,
                merge=git.fetched(target) if target else None,
            )

    def _order(self, target: str, srpm: Path) -> str:
        koji = self.context.services.koji
        scratch = is_scratch(self.origin.event, self.job)
        marker = self.context.desk.marker(KOJI_BUILD, target)
        order = KojiOrder(target=target, marker=marker, scratch=scratch, srpm=srpm)

        def send() -> Posted:
            return _posted(koji.build(order))

        def find() -> Posted | None:
            task = koji.find_build(order)
            return None if task is None else _posted(task)

        def confirming(session: Session, posted: Posted) -> None:
            self._write_down(session, order, posted)

        request = {"target": target, "scratch": scratch, "srpm": srpm.name}
        try:
            posted = self.context.desk.once(KOJI_BUILD, target, request, Calls(send, find), confirming)
        except Refused as error:
            # The other targets are not to blame.
            self._report(target, texts.koji_refused(error.answer or str(error)))
            return f"nothing is built for {target}: {error}"
        return f"ordered Koji task {posted.id} for {target}{' (scratch)' if scratch else ''}"

    def _write_down(self, session: Session, order: KojiOrder, posted: Posted) -> None:
        builds.order(
            session,
            [
                self.order_row()
                | {
                    "system": "koji",
                    "build_id": posted.id,
                    "chroot": order.target,
                    "owner": "",
                    "project_name": "",
                    "web_url": posted.url,
                    "look_at": now() + FIRST_LOOK,
                }
            ],
        )
        # News that came before the order's row was parked.
        events.wake(session, subject_of(posted.id))
        self._report(order.target, texts.koji_submitted(order.target, posted.id, order.scratch), posted.url)

    def _report(self, target: str, words: Words, url: str | None = None) -> None:
        self.context.desk.report(check_of(self.job, target), words, url)


#: ``koji_build`` of a pull request or release is the same by another name; of a commit it is dist-git's (``planning``).
KOJI_JOBS = (JobType.UPSTREAM_KOJI_BUILD, JobType.KOJI_BUILD)


# Of GitHub only, and so are pull requests and pushes below: other forges have no such jobs.
@answers(ReleaseEvent, jobs=KOJI_JOBS)
class ReleaseGithubKojiBuildHandler(KojiBuildHandler):
    """Builds a release in Koji."""


@answers(PullRequestGHEvent, jobs=KOJI_JOBS)
class PullRequestGithubKojiBuildHandler(KojiBuildHandler):
    """Makes scratch builds of a pull request in Koji."""

    checks: ClassVar[tuple[Check, ...]] = (author_may_build_in_koji,)


@answers(PushGithubGHEvent, jobs=KOJI_JOBS)
class PushGithubKojiBuildHandler(KojiBuildHandler):
    """Builds what was pushed to a branch in Koji."""


@answers(
    PullRequestCommentGHEvent,
    jobs=KOJI_JOBS,
    commands=[Verb.PRODUCTION_BUILD, Verb.REBUILD_FAILED],
)
class GitHubPullRequestCommentKojiBuildHandler(KojiBuildHandler):
    """Makes scratch builds of a pull request in Koji when a comment asks for it."""

    checks: ClassVar[tuple[Check, ...]] = (is_asked_for, commenter_may_ask)

    @classmethod
    def targets(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        return asked_for(situation, job)


@answers(KojiBuildEvent, jobs=KOJI_JOBS)
class KojiBuildReportHandler(Handler):
    """Shows what Koji tells of a build."""

    checks: ClassVar[tuple[Check, ...]] = (belongs_to_this_job, is_news)

    def run(self) -> str:
        state, target = STATES[self.news.state], self.build.chroot
        if state == BuildState.RUNNING:
            self.context.desk.afterwards(
                lambda session: builds.start(
                    session, self.build.id, at=_moment(self.news.started_at), log_url=self._log_url()
                )
            )
        else:
            self.context.desk.afterwards(
                lambda session: builds.end(session, self.build.id, state, at=_moment(self.news.completed_at))
            )
        with self.context.journal.read() as session:
            overtaken = target in builds.overtaken(session, self.build)
        if not overtaken:
            # The task's page stays the check's link, whatever becomes of it.
            self.context.desk.report(check_of(self.job, target), self._words(state), self.build.web_url)
            if state == BuildState.FAILURE:
                notifying.of_failure(
                    self.context,
                    self.build.event_id,
                    self.build.web_url,
                    self._log_url() or self.build.log_url,
                )
        return f"the Koji task {self.build.build_id} for {target}: {state}"

    @property
    def news(self) -> KojiBuildEvent:
        assert isinstance(self.context.event, KojiBuildEvent)
        return self.context.event

    @property
    def build(self) -> BuildRow:
        assert self.origin.build is not None
        return self.origin.build

    def _words(self, state: BuildState) -> Words:
        target = self.build.chroot
        match state:
            case BuildState.RUNNING:
                return texts.koji_running(target)
            case BuildState.SUCCESS:
                return texts.koji_succeeded(target, is_scratch(self.origin.event, self.job))
            case BuildState.CANCELED:
                return texts.koji_canceled(self.again(names.KOJI_BUILD))
            case _:
                return texts.koji_failed(
                    target, self._log_url() or self.build.log_url, self.again(names.KOJI_BUILD)
                )

    def _log_url(self) -> str | None:
        task = self.news.rpm_build_task_id
        try:
            return None if task is None else self.context.services.koji.log_url(task)
        except UserError:
            return None


def check_of(job: Job, target: str) -> CheckId:
    """The check that a job reports on for a target of Koji."""
    return CheckId(kind=names.KOJI_BUILD, job=job.key, target=target, identifier=job.identifier)


def _posted(task: KojiTask) -> Posted:
    return Posted(id=str(task.id), url=task.url)


def _moment(text: str | None) -> datetime:
    """When it happened; where Koji did not tell, now."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return now()
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
