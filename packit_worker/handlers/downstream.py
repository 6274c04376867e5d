"""Proposing releases in dist-git: one branch after the other, each once in an event, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import select

from events.families import IssueComment, Release
from packit_worker import releases
from packit_worker.cell import NoCell, workspace
from packit_worker.cell.session import PackitFailed
from packit_worker.checks.downstream import is_a_release, is_asked_to_propose
from packit_worker.checks.permission import commenter_may_ask
from packit_worker.checks.verdict import Check
from packit_worker.commands import Verb
from packit_worker.config.package import JobType
from packit_worker.errors import NotFound, RateLimited, Refused, Settling, TemporaryError, UserError
from packit_worker.handlers import downstream_issue
from packit_worker.handlers.base import Handler
from packit_worker.handlers.downstream_branch import PULL_REQUEST, Update, check_of, made_ready
from packit_worker.handlers.help import CommentHandler
from packit_worker.journal import checks as journal_checks
from packit_worker.journal import effects, runs
from packit_worker.journal.effects import EffectState
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunState
from packit_worker.ports import Conclusion
from packit_worker.registry import answers
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


@dataclass
class Outcome:
    """What has come of the branches so far. ``done`` maps a branch to its page (None: it is up to date)."""

    done: dict[str, str | None] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, TemporaryError] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """For the journal."""
        parts = [f"{branch}: {url or 'is up to date'}" for branch, url in self.done.items()]
        return "; ".join([*parts, *(f"{branch} failed: {why}" for branch, why in self.failed.items())])


class ProposingHandler(Handler):
    """Proposes a release for each branch of dist-git."""

    lane: ClassVar[str | None] = "long-running"

    @classmethod
    def branches(cls, situation: Situation, job: Job) -> tuple[str, ...]:
        """The branches that it is proposed for."""
        return situation.branches(job)

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        assert job is not None
        return tuple(check_of(job, branch) for branch in cls.branches(situation, job))

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        return texts.queued("The update in dist-git")

    def run(self) -> str:
        branches = self.branches(self.context.situation, self.job)
        outcome = self._before(branches)
        left = [branch for branch in branches if branch not in outcome.done | outcome.failed]
        upstream = True
        if left:
            try:
                with workspace() as space:
                    update = made_ready(self.context, self.job, self.tag, space)
                    update.fetch()
                    self._all(left, update, outcome)
            except TemporaryError as error:
                outcome.waiting = dict.fromkeys(left, error)
            except (UserError, Refused, NotFound) as error:
                # It is the same for all of them. What is the operator's to mend is no issue for others.
                upstream = not isinstance(error, NoCell) and self.context.services.dist_git is not None
                for branch in left:
                    if branch not in outcome.done:
                        self._failed(branch, error, outcome)
        self._wait(outcome)
        said = self.tell(outcome, upstream)
        return "; ".join(part for part in (outcome.note, said) if part)

    def tell(self, outcome: Outcome, upstream: bool) -> str:
        """Tell people beside the checks. ``upstream``: what failed is for people upstream to mend."""
        return self.update_issue(outcome, open_one=upstream)

    def update_issue(self, outcome: Outcome, *, open_one: bool) -> str:
        """Have the issue about this release say what is the matter now."""
        return downstream_issue.update(
            self.context,
            self.job,
            self.tag,
            outcome.failed,
            set(outcome.done),
            open_one and self.job.config.notifications.failure_issue,
        )

    @property
    def tag(self) -> str:
        """The tag of the release."""
        assert self.origin.released is not None
        return self.origin.released

    def _before(self, branches: Sequence[str]) -> Outcome:
        """What earlier attempts at this event have finished, well or not; a replay tries again what failed."""
        event_id, found = self.context.event_id, Outcome()
        assert self.origin.commit_sha is not None
        with self.context.journal.read() as session:
            rows = {row.key: row for row in effects.of_event(session, event_id)}
            run = runs.of_event(session, event_id).get((type(self).__name__, self.job.key, ""))
            shown = journal_checks.of_commit(session, self.origin.event.project_url, self.origin.commit_sha)
        replayed = run is not None and run.state == RunState.PLANNED and run.attempts > 0
        failed = {
            row.target: row.title
            for row in shown
            if (row.event_id, row.kind, row.job) == (event_id, names.PROPOSE_DOWNSTREAM, self.job.key)
            and row.conclusion == Conclusion.FAILURE
            and not replayed
        }
        for branch in branches:
            row = rows.get(self.context.desk.marker(PULL_REQUEST, branch))
            if row is not None and row.state == EffectState.CONFIRMED:
                found.done[branch] = row.external_url
            elif branch in failed:
                found.failed[branch] = failed[branch]
        return found

    def _all(self, branches: Sequence[str], update: Update, outcome: Outcome) -> None:
        for branch in branches:
            try:
                outcome.done[branch] = update.propose(branch).url
            except PackitFailed as error:
                if releases.NOT_DOWNLOADED in error.output:
                    outcome.waiting[branch] = TemporaryError(
                        texts.ARCHIVE_MISSING, retry_after=releases.delay(self._attempts)
                    )
                else:
                    self._failed(branch, error, outcome)
            except TemporaryError as error:
                outcome.waiting[branch] = error
            except NoCell:
                raise
            except (UserError, Refused, NotFound) as error:
                self._failed(branch, error, outcome)

    def _failed(self, branch: str, error: Exception, outcome: Outcome) -> None:
        why = str(error).partition("\n")[0]
        outcome.failed[branch] = why
        next_step = error.next_step if isinstance(error, UserError) else texts.PROPOSE_AGAIN_NEXT
        output = error.output if isinstance(error, PackitFailed) else ""
        again = self.again(names.PROPOSE_DOWNSTREAM)
        self._report(branch, texts.not_proposed(why, next_step, again, output))

    def _wait(self, outcome: Outcome) -> None:
        """Have the branches that may go well later tried again: raises for them; or give them up."""
        last = self._attempts >= self.context.settings.limits.max_attempts
        for branch, error in list(outcome.waiting.items()):
            if last and not isinstance(error, RateLimited | Settling):
                # The pipeline would say of all branches that they were given up.
                del outcome.waiting[branch]
                next_step = texts.PROPOSE_AGAIN_NEXT
                if str(error) == texts.ARCHIVE_MISSING:
                    next_step = texts.ARCHIVE_MISSING_NEXT
                self._failed(branch, UserError(str(error), next_step=next_step), outcome)
            else:
                self._report(branch, texts.proposing_again(str(error)))
        if outcome.waiting:
            errors = list(outcome.waiting.values())
            # One that failed makes the attempt count, whatever the others wait for.
            counting = [error for error in errors if not isinstance(error, RateLimited | Settling)]
            raise (counting or errors)[0]

    @property
    def _attempts(self) -> int:
        """How often this event has been tried, this time included."""
        with self.context.journal.read() as session:
            asked = select(EventRow.attempts).where(EventRow.id == self.context.event_id)
            return session.execute(asked).scalar_one()

    def _report(self, branch: str, words: Words) -> None:
        self.context.desk.report(check_of(self.job, branch), words)


@answers(Release, jobs=[JobType.PROPOSE_DOWNSTREAM])
class ProposeDownstreamHandler(ProposingHandler):
    """Proposes a release in dist-git."""

    checks: ClassVar[tuple[Check, ...]] = (is_a_release,)


@answers(IssueComment, jobs=[JobType.PROPOSE_DOWNSTREAM], commands=[Verb.PROPOSE_UPDATE])
class GitHubIssueCommentProposeUpdateHandler(ProposingHandler, CommentHandler):
    """Proposes the latest release in dist-git when a comment asks for it."""

    # Whether there is anything to do comes first: who asks for nothing is not told that they may not.
    checks: ClassVar[tuple[Check, ...]] = (is_a_release, is_asked_to_propose, commenter_may_ask)

    def tell(self, outcome: Outcome, upstream: bool) -> str:
        paragraphs = texts.proposals(self.tag, list(outcome.done.items()), list(outcome.failed.items()))
        about = f"{self.comment.subject} {self.comment.comment_id} propose-update {self.job.key}"
        try:
            said = self.answer(paragraphs, about)
        except (NotFound, Refused) as error:
            said = f"no answer could be given: {error}"
        notes = [said, self.update_issue(outcome, open_one=False)]
        if not outcome.failed:
            done = set(outcome.done)
            notes.append(downstream_issue.close(self.context, self.job, self.number, done))
        return "; ".join(note for note in notes if note)
