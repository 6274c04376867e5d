"""Tests in Testing Farm: asking for them when a build is there, and what follows from their result."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from sqlalchemy.orm import Session

from events.copr import CoprBuildEvent
from events.families import PullRequest, PullRequestComment, Release, UpstreamPush
from events.testing_farm import TestingFarmResultEvent
from packit_worker.checks.build import has_succeeded, is_tested_by_this_job
from packit_worker.checks.commands import has_something_to_test
from packit_worker.checks.permission import author_may_build, commenter_may_ask
from packit_worker.checks.tests import can_be_run, needs_no_build, were_for_this_job
from packit_worker.checks.verdict import Check
from packit_worker.commands import Verb
from packit_worker.config.package import JobType
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, Refused
from packit_worker.handlers import notifying
from packit_worker.handlers.base import Handler
from packit_worker.journal import events, test_runs
from packit_worker.journal.base import now
from packit_worker.journal.builds import BuildRow
from packit_worker.orders.testing_farm import request_body
from packit_worker.ports import Conclusion, Posted, TestRequest, TestRun, TestState
from packit_worker.registry import answers
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.situation import wanted
from packit_worker.situation.job import Job
from packit_worker.situation.origins import TEST_REQUEST
from packit_worker.situation.situation import Situation

#: How long a request may be silent before Testing Farm is asked about it.
FIRST_LOOK = timedelta(seconds=60)

#: The one test of a project that brings none: whether its packages can be installed.
INSTALLATION_TEST = "/install/copr-build"


class TestsHandler(Handler):
    """Something that has packages tested in Testing Farm."""

    __test__ = False

    @classmethod
    def builds(cls, situation: Situation, job: Job) -> Mapping[str, BuildRow | None]:
        """The chroots to test on and the build to be tested in each; None for tests that need none."""
        raise NotImplementedError

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        assert job is not None
        return tuple(check_of(job, chroot) for chroot in cls.builds(situation, job))

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        return texts.queued("Testing")

    def run(self) -> str:
        notes = [
            self._request(chroot, build)
            for chroot, build in self.builds(self.context.situation, self.job).items()
        ]
        return "; ".join(notes)

    def _request(self, chroot: str, build: BuildRow | None) -> str:
        farm = self.context.services.testing_farm
        assert self.origin.commit_sha is not None
        body = request_body(
            self.origin.event,
            self.job,
            commit_sha=self.origin.commit_sha,
            chroot=chroot,
            build_id=build.build_id if build else None,
            copr_project=f"{build.owner}/{build.project_name}" if build else None,
            variables=wanted.variables(self.context.situation, self.job, chroot),
            compose=self.context.settings.testing_farm.composes,
        )
        # News of a build is of one chroot, a comment may be about several.
        about = "" if isinstance(self.context.event, CoprBuildEvent) else chroot
        request = TestRequest(body=body, marker=self.context.desk.marker(TEST_REQUEST, about))

        def send() -> Posted:
            return _posted(farm.request(request))

        def find() -> Posted | None:
            run = farm.find_request(request)
            return None if run is None else _posted(run)

        def confirming(session: Session, posted: Posted) -> None:
            test_runs.order(
                session,
                self.order_row()
                | {
                    "request_id": posted.id,
                    "chroot": chroot,
                    "build_id": build.build_id if build else None,
                    "web_url": posted.url,
                    "look_at": now() + FIRST_LOOK,
                },
            )
            events.wake(session, TestingFarmResultEvent.subject_of(posted.id))
            self.context.desk.report(check_of(self.job, chroot), texts.tests_submitted(), posted.url)

        what = {"chroot": chroot, "build": build.build_id if build else None}
        try:
            posted = self.context.desk.once(TEST_REQUEST, about, what, Calls(send, find), confirming)
        except Refused as error:
            # The tests on other chroots are not to blame.
            self.context.desk.report(
                check_of(self.job, chroot), texts.tests_refused(error.answer or str(error))
            )
            return f"no tests on {chroot}: {error}"
        return f"asked Testing Farm for tests on {chroot}: request {posted.id}"


@answers(CoprBuildEvent, jobs=[JobType.TESTS])
class GithubTestingFarmHandler(TestsHandler):
    """Has a chroot's packages tested in Testing Farm as soon as they are built."""

    checks: ClassVar[tuple[Check, ...]] = (has_succeeded, is_tested_by_this_job, can_be_run)

    @classmethod
    def builds(cls, situation: Situation, job: Job) -> Mapping[str, BuildRow | None]:
        build = situation.origin.build if situation.origin else None
        return {build.chroot: build} if build else {}


class TestsWithoutBuildHandler(TestsHandler):
    """Runs the tests that need no build (skip_build) at once."""

    @classmethod
    def builds(cls, situation: Situation, job: Job) -> Mapping[str, BuildRow | None]:
        return dict.fromkeys(situation.chroots(job))


@answers(PullRequest, jobs=[JobType.TESTS])
class PullRequestTestingFarmHandler(TestsWithoutBuildHandler):
    """Runs the tests of a pull request that need no build (skip_build) at once."""

    checks: ClassVar[tuple[Check, ...]] = (needs_no_build, can_be_run, author_may_build)


@answers(UpstreamPush, jobs=[JobType.TESTS])
@answers(Release, jobs=[JobType.TESTS])
class PushTestingFarmHandler(TestsWithoutBuildHandler):
    """Runs the tests of a branch or release that need no build (skip_build) at once."""

    checks: ClassVar[tuple[Check, ...]] = (needs_no_build, can_be_run)


@answers(PullRequestComment, jobs=[JobType.TESTS], commands=[Verb.TEST, Verb.RETEST_FAILED])
class GitHubPullRequestCommentTestingFarmHandler(TestsHandler):
    """Has what is built already tested in Testing Farm when a comment asks for it."""

    checks: ClassVar[tuple[Check, ...]] = (has_something_to_test, can_be_run, commenter_may_ask)

    @classmethod
    def builds(cls, situation: Situation, job: Job) -> Mapping[str, BuildRow | None]:
        return wanted.tests(situation, job).builds


@answers(TestingFarmResultEvent, jobs=[JobType.TESTS])
class TestingFarmResultsHandler(Handler):
    """Shows what Testing Farm says of the tests."""

    __test__ = False
    checks: ClassVar[tuple[Check, ...]] = (were_for_this_job,)

    def run(self) -> str:
        known = self.origin.test_run
        assert known is not None
        try:
            run = self.context.services.testing_farm.get_request(known.request_id)
        except NotFound:
            # Only the call-back's word is left, and that was not signed by anybody.
            return f"Testing Farm knows no request {known.request_id}"
        self.context.desk.afterwards(
            lambda session: test_runs.update_state(session, run.id, run.state, run.overall, run.url)
        )
        words = self._words(run)
        self.context.desk.report(check_of(self.job, known.chroot), words, run.url or known.web_url)
        if words.conclusion in (Conclusion.FAILURE, Conclusion.TIMED_OUT):
            url = run.url or known.web_url
            notifying.of_failure(self.context, known.event_id, url, url)
        return f"tests on {known.chroot}: {run.state}" + (f", {run.overall}" if run.overall else "")

    def _words(self, run: TestRun) -> Words:
        assert isinstance(self.context.event, TestingFarmResultEvent)
        again = self.again(names.TESTING_FARM)
        only_installation = self.context.event.tests == INSTALLATION_TEST
        if not run.state.is_final:
            return texts.tests_running()
        if run.state == TestState.CANCELED:
            return texts.tests_canceled(again)
        if run.state == TestState.ERROR or run.overall not in ("passed", "failed", "skipped"):
            return texts.tests_errored(run.summary, again)
        if run.overall == "failed":
            return texts.tests_failed(only_installation, run.summary, again)
        return texts.tests_passed(only_installation)


def check_of(job: Job, chroot: str) -> CheckId:
    """The check of a tests job for one chroot."""
    return CheckId(kind=names.TESTING_FARM, job=job.key, target=chroot, identifier=job.identifier)


def _posted(run: TestRun) -> Posted:
    return Posted(id=run.id, url=run.url)
