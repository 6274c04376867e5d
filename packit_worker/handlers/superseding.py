"""What a newer push makes pointless: builds, tests and checks of the commits that a pull request had before."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy.orm import Session

from events.base import rebuild
from events.families import PullRequest
from packit_worker.checks.commits import brings_newer_commits
from packit_worker.checks.verdict import Check
from packit_worker.handlers.base import Handler
from packit_worker.handlers.withdrawing import withdraw_builds, withdraw_tests
from packit_worker.journal import builds, checks, test_runs
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.ports import CheckStatus
from packit_worker.registry import answers
from packit_worker.reporting import texts


@answers(PullRequest)
class SupersededCommitsHandler(Handler):
    """Cancels what is under way for the commits that a pull request had before."""

    checks: ClassVar[tuple[Check, ...]] = (brings_newer_commits,)
    needs_approval: ClassVar[bool] = False

    def run(self) -> str:
        builds_, tests, names = self._under_way()
        if not (builds_ or tests or names):
            return "nothing was under way for an older commit"
        if not self.context.settings.copr.cancel_superseded:
            return "what is under way for older commits goes on: copr.cancel_superseded is off"
        # Deliveries overtake one another; the forge knows which commit is the newest.
        head = self.context.project().pull_request(self.event.pr_id).head_sha
        if head != self.event.commit_sha:
            return (
                f"nothing was canceled: the newest commit is {head[:12]} by now, which is told of separately"
            )
        self.context.desk.afterwards(self._end_checks)
        notes = withdraw_builds(self.context, builds_) + withdraw_tests(self.context, tests)
        return "; ".join([*notes, f"superseded checks: {', '.join(names) or 'none'}"])

    @property
    def event(self) -> PullRequest:
        assert isinstance(self.context.event, PullRequest)
        return self.context.event

    def _under_way(self) -> tuple[list[BuildRow], list[TestRunRow], list[str]]:
        event = self.event
        with self.context.journal.read() as session:
            names = {
                check.name
                for check in checks.of_subject(session, event.subject)
                if check.commit_sha != event.commit_sha and check.status != CheckStatus.COMPLETED
            }
            return (
                [row for row in builds.open_of_project(session, event.project_url) if self._is_older(row)],
                [row for row in test_runs.open_of_project(session, event.project_url) if self._is_older(row)],
                sorted(names),
            )

    def _is_older(self, row: BuildRow | TestRunRow) -> bool:
        is_ours = rebuild(row.task, dict(row.kwargs)).subject == self.event.subject
        return is_ours and row.commit_sha != self.event.commit_sha

    def _end_checks(self, session: Session) -> None:
        words = texts.superseded(self.event.commit_sha)
        for check in checks.unfinished_of_others(session, self.event.subject, self.event.commit_sha):
            self.context.desk.report_elsewhere(
                check.with_words(words.status, words.conclusion, words.title, words.summary)
            )
