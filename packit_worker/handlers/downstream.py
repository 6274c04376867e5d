"""Proposing releases in dist-git: one branch after the other, each once.

packit works on a branch in the jail, without tokens. What it has committed is pushed from outside, to a branch of our
fork with a name that is the same each time; by it the pull request is found again, and updated instead of doubled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from sqlalchemy import select

from events.families import Release
from events.github import IssueCommentEvent
from packit_worker import releases
from packit_worker.cell import Cell, NoCell, git, workspace
from packit_worker.cell.missing import no_cell
from packit_worker.cell.packit import Packit
from packit_worker.cell.session import PackitFailed
from packit_worker.checks.downstream import is_a_release, is_asked_to_propose
from packit_worker.checks.permission import commenter_may_ask
from packit_worker.checks.verdict import Check
from packit_worker.commands import Verb
from packit_worker.config.package import JobType
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, RateLimited, Refused, Settling, TemporaryError, UserError
from packit_worker.handlers.base import Handler
from packit_worker.handlers.help import CommentHandler
from packit_worker.journal import effects
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.koji_orders import address_of
from packit_worker.ports import Conclusion, DistGit, Posted
from packit_worker.registry import answers
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.situation import Job, Situation

PULL_REQUEST, ISSUE, CLOSED = "dist_git_pull_request", "release_issue", "close_issue"


@dataclass(frozen=True, kw_only=True)
class Wanting:
    """What is to be proposed: a release, and the package that it is for, with its namespace (``rpms/hello``)."""

    tag: str
    version: str
    package: str


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What it is proposed with. ``space`` is a directory of ours."""

    dist_git: DistGit
    packit: Packit
    space: Path


@dataclass
class Outcome:
    """What has come of the branches so far. ``done`` maps a branch to the pull request (None: it is up to date)."""

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
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        assert job is not None
        return tuple(check_of(job, branch) for branch in situation.branches(job))

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        return texts.queued("The update in dist-git")

    def run(self) -> str:
        outcome = Outcome()
        known = self._known()
        for branch in self.context.situation.branches(self.job):
            if branch in known:
                outcome.done[branch] = known[branch].external_url
        left = [branch for branch in self.context.situation.branches(self.job) if branch not in outcome.done]
        upstream = True
        if left:
            try:
                with workspace() as space:
                    self._all(left, self._wanting(), self._tools(space), outcome)
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
        raise NotImplementedError

    @property
    def tag(self) -> str:
        """The tag of the release."""
        assert self.origin.released is not None
        return self.origin.released

    def _known(self) -> dict[str, EffectRow]:
        """Branches that an earlier attempt at this event has finished."""
        with self.context.journal.read() as session:
            rows = {row.key: row for row in effects.of_event(session, self.context.event_id)}
        keys = {
            branch: self.context.desk.marker(PULL_REQUEST, branch)
            for branch in self.context.situation.branches(self.job)
        }
        return {
            branch: rows[key]
            for branch, key in keys.items()
            if key in rows and rows[key].state == EffectState.CONFIRMED
        }

    def _wanting(self) -> Wanting:
        """What is to be proposed. Raises UserError."""
        config, settings = self.job.config, self.context.settings.dist_git
        if config.dist_git_base_url and _host(config.dist_git_base_url) != _host(settings.url):
            raise UserError(
                f"This service proposes at {settings.url}, and nowhere else.",
                next_step="Take dist_git_base_url out of the package configuration.",
            )
        assert config.downstream_package_name is not None
        return Wanting(
            tag=self.tag,
            version=releases.version_of(self.tag, config.upstream_tag_template, config.upstream_package_name),
            package=f"{config.dist_git_namespace or settings.namespace}/{config.downstream_package_name}",
        )

    def _tools(self, space: Path) -> Tools:
        """What is worked with. Raises UserError, NoCell: without a jail nothing is run."""
        dist_git = self.context.services.dist_git
        if dist_git is None:
            message, next_step = texts.no_dist_git_account()
            raise UserError(message, next_step=next_step)
        packit = self.context.services.packit()
        reason = Cell.available()
        if reason is not None:
            raise no_cell(reason)
        return Tools(dist_git=dist_git, packit=packit, space=space)

    def _all(self, branches: Sequence[str], wanting: Wanting, tools: Tools, outcome: Outcome) -> None:
        url = self.origin.event.project_url
        # Raises NotFound for a host that is none of ours.
        self.context.services.forge(url)
        commit = git.clone(
            f"{url}.git", f"refs/tags/{wanting.tag}", tools.space / "upstream", allow=[address_of(url)]
        )
        if commit != self.origin.commit_sha:
            raise UserError(
                f"the tag {wanting.tag} has been moved to {commit[:12]} since it was released",
                next_step="Leave tags where they are, and publish a new release.",
            )
        for branch in branches:
            try:
                posted = self._branch(branch, wanting, tools)
                outcome.done[branch] = posted.url
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

    def _branch(self, branch: str, wanting: Wanting, tools: Tools) -> Posted:
        """Propose the release for a branch; the pull request, or a Posted without id where nothing is to be done."""
        dist_git, package, version = tools.dist_git, wanting.package, wanting.version
        assert self.origin.commit_sha is not None
        self._report(branch, texts.proposing(branch, version))
        folder = tools.space / hashlib.sha256(branch.encode()).hexdigest()[:16]
        archives = folder / "archives"
        archives.mkdir(parents=True)
        url = dist_git.url_of(package)
        git.clone(
            url, git.full_ref(f"refs/heads/{branch}"), folder / "clone", tags=False, allow=[address_of(url)]
        )
        proposal = tools.packit.propose_downstream(
            tools.space / "upstream",
            self.origin.commit_sha,
            folder / "clone",
            branch,
            version,
            archives,
            package=self.job.package,
        )
        request = {"package": package, "branch": branch, "version": version}
        if proposal is None:
            return self._once(
                branch,
                request,
                Calls(lambda: Posted(id=""), lambda: None),
                texts.nothing_to_propose(branch, version),
            )
        for archive in proposal.archives:
            dist_git.upload(package, archive)
        head = releases.head_branch(version, branch)
        self._push(f"{proposal.commit}:refs/heads/{head}", package, head, folder / "clone", dist_git)

        def find() -> Posted | None:
            return dist_git.find_pull_request(package, head, branch)

        def send() -> Posted:
            # One that is there, of an earlier event, shows what has just been pushed.
            body = texts.update_body(self.tag, self.origin.commit_sha or "", self.origin.event.project_url)
            title = releases.title(version, branch)
            return find() or dist_git.create_pull_request(package, head, branch, title, body)

        return self._once(
            branch, request | {"head": head}, Calls(send, find), texts.proposed(branch, version)
        )

    def _push(self, refspec: str, package: str, head: str, clone: Path, dist_git: DistGit) -> None:
        """Put the commit into our fork. Safe to repeat: nobody else pushes there."""
        token = self.context.settings.dist_git.token
        assert token is not None
        dist_git.ensure_fork(package)
        url = dist_git.fork_url(package)
        git.push(
            clone,
            url,
            refspec,
            token=token.reveal(),
            user=dist_git.login,
            expected=dist_git.fork_branch(package, head),
            allow=[address_of(url)],
        )

    def _once(self, branch: str, request: dict[str, str], call: Calls, words: Words) -> Posted:
        return self.context.desk.once(
            PULL_REQUEST, branch, request, call, lambda _, posted: self._report(branch, words, posted.url)
        )

    def _failed(self, branch: str, error: Exception, outcome: Outcome) -> None:
        why = str(error).partition("\n")[0]
        outcome.failed[branch] = why
        next_step = error.next_step if isinstance(error, UserError) else texts.PROPOSE_AGAIN_NEXT
        output = error.output if isinstance(error, PackitFailed) else ""
        self._report(branch, texts.not_proposed(why, next_step, output))

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

    def _report(self, branch: str, words: Words, url: str | None = None) -> None:
        self.context.desk.report(check_of(self.job, branch), words, url)

    # The issue upstream.

    def update_issue(self, outcome: Outcome, *, open_one: bool) -> str:
        """Have the one issue about this release say what is the matter now; closed, where nothing is."""
        project, url = self.context.project(), self.origin.event.project_url
        marker = releases.marker(url, self.tag)
        key = f"{ISSUE}/{hashlib.sha256(marker.encode()).hexdigest()}"
        with self.context.journal.read() as session:
            there = session.get(EffectRow, key)
        known = there is not None and there.state == EffectState.CONFIRMED
        failed = [*outcome.failed.items(), *self._of_other_jobs()]
        if not known and not (open_one and outcome.failed):
            return ""
        title = texts.propose_failed_title(self.tag)
        body = texts.propose_failed_body(self.tag, failed, marker)
        request = {"project": url, "tag": self.tag}
        written = False

        def create() -> Posted:
            nonlocal written
            written = True
            return project.create_issue(title, body)

        try:
            posted = self.context.desk.once(
                ISSUE, self.tag, request, Calls(create, lambda: project.find_issue(marker)), key=key
            )
            if written:
                return f"opened the issue {posted.url}"

            def change() -> Posted:
                if failed:
                    project.update_issue(int(posted.id), title, body)
                else:
                    project.close_issue(int(posted.id))
                return posted

            about = f"{key}/{self.context.event_id}/{self.job.key}"
            # Saying the same a second time changes nothing, so there is nothing to look for.
            self.context.desk.once(
                ISSUE if failed else CLOSED, self.tag, request, Calls(change, lambda: None), key=about
            )
        except (NotFound, Refused) as error:
            return f"no issue: {error}"
        return f"{'updated' if failed else 'closed'} the issue {posted.url}"

    def _of_other_jobs(self) -> list[tuple[str, str]]:
        """Branches that other jobs have failed to propose this release for."""
        with self.context.journal.read() as session:
            rows = session.execute(
                select(CheckRow.target, CheckRow.title).where(
                    CheckRow.project_url == self.origin.event.project_url,
                    CheckRow.commit_sha == self.origin.commit_sha,
                    CheckRow.kind == names.PROPOSE_DOWNSTREAM,
                    CheckRow.conclusion == Conclusion.FAILURE,
                    CheckRow.job != self.job.key,
                )
            )
            return [(target, title) for target, title in rows]


@answers(Release, jobs=[JobType.PROPOSE_DOWNSTREAM])
class ProposeDownstreamHandler(ProposingHandler):
    """Proposes a release in dist-git."""

    checks: ClassVar[tuple[Check, ...]] = (is_a_release,)

    def tell(self, outcome: Outcome, upstream: bool) -> str:
        return self.update_issue(outcome, open_one=upstream)


@answers(IssueCommentEvent, jobs=[JobType.PROPOSE_DOWNSTREAM], commands=[Verb.PROPOSE_UPDATE])
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
        return "; ".join(part for part in (said, self.update_issue(outcome, open_one=False)) if part)


def check_of(job: Job, branch: str) -> CheckId:
    """The check that a job reports on for a branch of dist-git."""
    return CheckId(kind=names.PROPOSE_DOWNSTREAM, job=job.key, target=branch, identifier=job.identifier)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
