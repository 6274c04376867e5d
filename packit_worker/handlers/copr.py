"""Builds in Copr: ordering them, and what follows from their news."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

from sqlalchemy.orm import Session

from events.copr import CoprBuildEvent
from events.families import PullRequest, PullRequestComment, Release, UpstreamPush
from events.pagure import PullRequestCommentPagureEvent
from packit_worker.checks.build import (
    SUCCEEDED,
    belongs_to_this_job,
    can_be_fetched_by_copr,
    has_ended,
    has_started,
)
from packit_worker.checks.commands import has_something_to_build
from packit_worker.checks.permission import author_may_build, commenter_may_ask
from packit_worker.checks.verdict import Check
from packit_worker.commands import Verb
from packit_worker.config.package import JobType
from packit_worker.effecting import Calls
from packit_worker.errors import Refused, UserError
from packit_worker.handlers import notifying
from packit_worker.handlers.base import Handler
from packit_worker.journal import builds, events
from packit_worker.journal.base import now
from packit_worker.journal.builds import SRPM_BUILDS, BuildRow, BuildState
from packit_worker.orders.copr import build_order, copr_project
from packit_worker.ports import CoprBuild, CoprOrder, CoprProject, Posted
from packit_worker.registry import answers
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.situation import wanted
from packit_worker.situation.job import Job
from packit_worker.situation.origins import COPR_BUILD
from packit_worker.situation.situation import Situation

log = logging.getLogger(__name__)

#: How long a build may be silent before Copr is asked about it.
FIRST_LOOK = timedelta(seconds=30)


class CoprBuildHandler(Handler):
    """Orders a build in Copr; the SRPM is made there too, so that no code of the project runs here."""

    checks: ClassVar[tuple[Check, ...]] = (can_be_fetched_by_copr,)

    @classmethod
    def chroots(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        """What is to be built."""
        return situation.chroots(job)

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        assert job is not None
        return tuple(
            check for chroot in cls.chroots(situation, job) for check in checks_of(situation, job, chroot)
        )

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        return (
            texts.waiting_for_build() if check.kind == names.TESTING_FARM else texts.queued("The RPM build")
        )

    def run(self) -> str:
        copr = self.context.services.copr
        asked_for = self.chroots(self.context.situation, self.job)
        available = copr.available_chroots()
        chroots = tuple(chroot for chroot in asked_for if chroot in available)
        for chroot in asked_for:
            if chroot not in available:
                self._report(chroot, texts.chroot_unknown(chroot))
        if not chroots:
            return f"nothing was built: Copr knows none of {', '.join(asked_for)}"
        project = copr_project(
            self.origin.event,
            self.job,
            chroots,
            account=self.context.settings.copr.project_owner or copr.account,
            deployment=self.context.settings.deployment,
            named=self.context.situation.named,
        )
        try:
            copr.ensure_project(project)
        except Refused as error:
            raise self._refused(project, "admin", error) from error
        order = build_order(
            self.origin.event,
            self.job,
            project,
            marker=self.context.desk.marker(COPR_BUILD),
            srpm_chroot=self.context.settings.copr.srpm_chroot,
        )

        def send() -> Posted:
            return _posted(copr.build(order))

        def find() -> Posted | None:
            build = copr.find_build(order)
            return None if build is None else _posted(build)

        def confirming(session: Session, posted: Posted) -> None:
            self._write_down(session, order, posted)

        request = {"project": project.full_name, "chroots": list(chroots)}
        try:
            posted = self.context.desk.once(COPR_BUILD, "", request, Calls(send, find), confirming)
        except Refused as error:
            raise self._refused(project, "builder", error) from error
        return f"ordered Copr build {posted.id} in {project.full_name} for {', '.join(chroots)}"

    def _refused(self, project: CoprProject, permission: str, error: Refused) -> UserError:
        """What to tell people when Copr says no: its words, and what they can do."""
        message, next_step = texts.copr_refused(
            project.full_name,
            error.answer or str(error),
            # Copr's own projects of ours are nobody else's to open.
            permission if project.owner != self.context.services.copr.account else None,
            self.context.services.copr.account,
            self.again(names.RPM_BUILD),
        )
        return UserError(
            message, next_step=next_step, url=_permissions_url(self.context.settings.copr.url, project)
        )

    def _write_down(self, session: Session, order: CoprOrder, posted: Posted) -> None:
        builds.order(
            session,
            [
                self.order_row()
                | {
                    "system": "copr",
                    "build_id": posted.id,
                    "chroot": chroot,
                    "owner": order.owner,
                    "project_name": order.project,
                    "web_url": posted.url,
                    "look_at": now() + FIRST_LOOK,
                }
                for chroot in (SRPM_BUILDS, *order.chroots)
            ],
        )
        for chroot in (SRPM_BUILDS, *order.chroots):
            # News that came before the order's row was parked.
            events.wake(session, CoprBuildEvent.subject_of(int(posted.id), chroot))
        for chroot in order.chroots:
            self._report(
                chroot, texts.build_submitted(chroot, int(posted.id)), posted.url, only=names.RPM_BUILD
            )

    def _report(self, chroot: str, words: Words, url: str | None = None, only: str | None = None) -> None:
        for check in checks_of(self.context.situation, self.job, chroot):
            if only is None or check.kind == only:
                self.context.desk.report(check, words, url)


@answers(PullRequest, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS])
class PullRequestCoprBuildHandler(CoprBuildHandler):
    """Builds a pull request in Copr."""

    checks: ClassVar[tuple[Check, ...]] = (can_be_fetched_by_copr, author_may_build)


@answers(UpstreamPush, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS])
class PushCoprBuildHandler(CoprBuildHandler):
    """Builds what was pushed to a branch in Copr."""


@answers(Release, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS])
class ReleaseCoprBuildHandler(CoprBuildHandler):
    """Builds a release in Copr."""


_BUILDING = (Verb.BUILD, Verb.REBUILD_FAILED, Verb.TEST)


@answers(PullRequestComment, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS], commands=_BUILDING)
class GitHubPullRequestCommentCoprBuildHandler(CoprBuildHandler):
    """Builds a pull request in Copr when a comment asks for it."""

    # On every forge; the name is the founding design's. Its subclass below answers in its place on Pagure.
    # Whether there is anything to do comes first: who asks for nothing is not told that they may not.
    checks: ClassVar[tuple[Check, ...]] = (
        has_something_to_build,
        can_be_fetched_by_copr,
        commenter_may_ask,
    )

    @classmethod
    def chroots(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        return wanted.builds(situation, job)


@answers(
    PullRequestCommentPagureEvent, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS], commands=_BUILDING
)
class PagurePullRequestCommentCoprBuildHandler(GitHubPullRequestCommentCoprBuildHandler):
    """Builds a pull request in Copr when a comment asks for it."""


class CoprNewsHandler(Handler):
    """Something that is done about news of a build."""

    @property
    def news(self) -> CoprBuildEvent:
        assert isinstance(self.context.event, CoprBuildEvent)
        return self.context.event

    @property
    def build(self) -> BuildRow:
        assert self.origin.build is not None
        return self.origin.build

    @property
    def happened_at(self) -> datetime:
        """When it happened; where Copr did not tell, now."""
        return datetime.fromtimestamp(self.news.timestamp, UTC) if self.news.timestamp else now()

    def log_url(self) -> str | None:
        copr_build = CoprBuild(
            id=int(self.build.build_id),
            url=self.build.web_url or "",
            owner=self.build.owner,
            project=self.build.project_name,
            package=self.news.pkg,
        )
        return self.context.services.copr.log_url(copr_build, self.build.chroot)

    def report(self, words: Words, tests: Words | None, chroots: tuple[str, ...] | None = None) -> None:
        """Show ``words`` on the build's checks, and ``tests`` on those of the tests that wait for it.

        The check of a chroot that was built again since shows how the newer build is doing.
        """
        with self.context.journal.read() as session:
            overtaken = builds.overtaken(session, self.build)
        for chroot in chroots or (self.build.chroot,):
            for check in checks_of(self.context.situation, self.job, chroot):
                what = tests if check.kind == names.TESTING_FARM else words
                if what is not None and (check.kind != names.RPM_BUILD or chroot not in overtaken):
                    self.context.desk.report(check, what, self.build.web_url)


@answers(CoprBuildEvent, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS])
class CoprBuildStartHandler(CoprNewsHandler):
    """Shows that Copr has begun to build."""

    checks: ClassVar[tuple[Check, ...]] = (belongs_to_this_job, has_started)

    def run(self) -> str:
        log_url = self.log_url()
        self.context.desk.afterwards(
            lambda session: builds.start(session, self.build.id, at=self.happened_at, log_url=log_url)
        )
        if self.build.chroot == SRPM_BUILDS:
            return "the source package is being made"
        self.report(texts.build_running(self.build.chroot), None)
        return f"the build for {self.build.chroot} is running"


@answers(CoprBuildEvent, jobs=[JobType.COPR_BUILD], needed_by=[JobType.TESTS])
class CoprBuildEndHandler(CoprNewsHandler):
    """Shows how a build in Copr ended."""

    checks: ClassVar[tuple[Check, ...]] = (belongs_to_this_job, has_ended)

    def run(self) -> str:
        state = _STATES.get(self.news.status, BuildState.FAILURE)
        self.context.desk.afterwards(
            lambda session: builds.end(session, self.build.id, state, at=self.happened_at)
        )
        if self.build.chroot == SRPM_BUILDS:
            return self._srpm(state)
        if state == BuildState.SUCCESS:
            self.report(texts.build_succeeded(self.build.owner, self.build.project_name), None)
            self._tell_reviewers()
        elif state == BuildState.CANCELED:
            self.report(texts.build_canceled(self.again(names.RPM_BUILD)), texts.build_failed_before_tests())
        else:
            self.report(
                texts.build_failed(
                    self.build.chroot,
                    self.build.log_url or self.log_url(),
                    self.again(names.RPM_BUILD),
                ),
                texts.build_failed_before_tests(),
            )
            self._tell_of_failure()
        return f"the build for {self.build.chroot} ended with {state}"

    def _tell_reviewers(self) -> None:
        """Comment on a pull request how to try it, once, where the job has notifications of good builds."""
        if self.job.config.notifications.successful_build:
            text = texts.build_can_be_tried(self.build.owner, self.build.project_name)
            notifying.comment(self.context, f"{self.origin.event.subject} built", text)

    def _tell_of_failure(self) -> None:
        notifying.of_failure(
            self.context, self.build.event_id, self.build.web_url, self.build.log_url or self.log_url()
        )

    def _srpm(self, state: BuildState) -> str:
        if state == BuildState.SUCCESS:
            return "the source package is made"
        with self.context.journal.read() as session:
            rows = builds.of_build(session, "copr", self.build.build_id)
        waiting = [row for row in rows if row.chroot != SRPM_BUILDS and not BuildState(row.state).is_final]

        def end_all(session: Session) -> None:
            for row in waiting:
                builds.end(session, row.id, state, at=self.happened_at)

        # Copr sends nothing about chroots it never came to.
        self.context.desk.afterwards(end_all)
        again = self.again(names.RPM_BUILD)
        words = (
            texts.build_canceled(again)
            if state == BuildState.CANCELED
            else texts.srpm_failed(self.log_url(), again)
        )
        if waiting:
            self.report(words, texts.build_failed_before_tests(), tuple(row.chroot for row in waiting))
        if waiting and state != BuildState.CANCELED:
            self._tell_of_failure()
        return f"making the source package ended with {state}"


#: Copr's numbers for the ends of a build; every other is a failure.
_STATES: dict[int | None, BuildState] = {
    SUCCEEDED: BuildState.SUCCESS,
    2: BuildState.CANCELED,
    5: BuildState.SUCCESS,  # skipped: this version had been built before
    8: BuildState.SUCCESS,  # forked
}


def checks_of(situation: Situation, job: Job, chroot: str | None = None) -> tuple[CheckId, ...]:
    """The checks that a build job reports on: its own per chroot, and those of the tests that use its builds.

    A build that is only implied has no checks of its own: the tests' checks speak for it.
    """
    checks: list[CheckId] = []
    for target in situation.chroots(job) if chroot is None else (chroot,):
        if not job.implied:
            checks.append(
                CheckId(kind=names.RPM_BUILD, job=job.key, target=target, identifier=job.identifier)
            )
        checks += [
            CheckId(kind=names.TESTING_FARM, job=test.key, target=target, identifier=test.identifier)
            for test in situation.tests_of(job, target)
        ]
    return tuple(checks)


def _permissions_url(copr_url: str, project: CoprProject) -> str:
    owner = f"g/{project.owner[1:]}" if project.owner.startswith("@") else project.owner
    return f"{copr_url.rstrip('/')}/coprs/{quote(owner)}/{quote(project.name)}/permissions/"


def _posted(build: CoprBuild) -> Posted:
    return Posted(id=str(build.id), url=build.url)
