"""Tests in Testing Farm: asking for them when a build is there, and what follows from their result."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from sqlalchemy.orm import Session

from events.copr import CoprBuildEvent
from events.testing_farm import TestingFarmResultEvent
from packit_worker.checks.build import has_succeeded, is_tested_by_this_job
from packit_worker.checks.tests import were_for_this_job
from packit_worker.checks.verdict import Check
from packit_worker.config.package import JobType
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound
from packit_worker.handlers.base import Handler
from packit_worker.journal import events, test_runs
from packit_worker.journal.base import now
from packit_worker.origins import TEST_REQUEST
from packit_worker.ports import Posted, TestRequest, TestRun, TestState
from packit_worker.registry import answers
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.situation import Job, Situation
from packit_worker.test_requests import request_body

#: How long a request may be silent before Testing Farm is asked about it.
FIRST_LOOK = timedelta(seconds=60)

#: The one test of a project that brings none: whether its packages can be installed.
INSTALLATION_TEST = "/install/copr-build"


@answers(CoprBuildEvent, jobs=[JobType.TESTS])
class GithubTestingFarmHandler(Handler):
    """Has a chroot's packages tested in Testing Farm as soon as they are built."""

    checks: ClassVar[tuple[Check, ...]] = (has_succeeded, is_tested_by_this_job)

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        assert job is not None and situation.origin is not None and situation.origin.build is not None
        return (check_of(job, situation.origin.build.chroot),)

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        return texts.queued("Testing")

    def run(self) -> str:
        farm = self.context.services.testing_farm
        build = self.origin.build
        assert build is not None
        marker = self.context.desk.marker(TEST_REQUEST)
        body = request_body(
            self.origin.event,
            self.job,
            build_id=build.build_id,
            chroot=build.chroot,
            copr_project=f"{build.owner}/{build.project_name}",
            compose=self.context.settings.testing_farm.composes,
        )
        request = TestRequest(body=body, marker=marker)

        def send() -> Posted:
            return _posted(farm.request(request))

        def find() -> Posted | None:
            run = farm.find_request(request)
            return None if run is None else _posted(run)

        def confirming(session: Session, posted: Posted) -> None:
            event = self.origin.event
            test_runs.order(
                session,
                {
                    "request_id": posted.id,
                    "event_id": self.context.event_id,
                    "task": event.task,
                    "kwargs": event.facts(),
                    "project_url": event.project_url,
                    "commit_sha": self.origin.commit_sha,
                    "job": self.job.key,
                    "chroot": build.chroot,
                    "build_id": build.build_id,
                    "web_url": posted.url,
                    "look_at": now() + FIRST_LOOK,
                },
            )
            events.wake(session, TestingFarmResultEvent.subject_of(posted.id))
            self.context.desk.report(check_of(self.job, build.chroot), texts.tests_submitted(), posted.url)

        about = {"chroot": build.chroot, "build": build.build_id}
        posted = self.context.desk.once(TEST_REQUEST, "", about, Calls(send, find), confirming)
        return f"asked Testing Farm for tests on {build.chroot}: request {posted.id}"


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
        return f"tests on {known.chroot}: {run.state}" + (f", {run.overall}" if run.overall else "")

    def _words(self, run: TestRun) -> Words:
        assert isinstance(self.context.event, TestingFarmResultEvent)
        only_installation = self.context.event.tests == INSTALLATION_TEST
        if not run.state.is_final:
            return texts.tests_running()
        if run.state == TestState.CANCELED:
            return texts.tests_canceled()
        if run.state == TestState.ERROR or run.overall not in ("passed", "failed", "skipped"):
            return texts.tests_errored(run.summary)
        if run.overall == "failed":
            return texts.tests_failed(only_installation, run.summary)
        return texts.tests_passed(only_installation)


def check_of(job: Job, chroot: str) -> CheckId:
    """The check of a tests job for one chroot."""
    return CheckId(kind=names.TESTING_FARM, job=job.key, target=chroot, identifier=job.identifier)


def _posted(run: TestRun) -> Posted:
    return Posted(id=run.id, url=run.url)
