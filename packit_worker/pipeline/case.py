"""The case: one event at work, with what is known about it and what may be asked. Nothing in it decides or acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

from events.base import Event
from events.families import IssueComment, PullRequest, PullRequestComment, Result
from packit_worker import access, releases, targets
from packit_worker.commands import Asked
from packit_worker.config.package import PackageConfig
from packit_worker.errors import NotFound
from packit_worker.journal.events import EventRow
from packit_worker.pipeline import facts
from packit_worker.pipeline.facts import Facts
from packit_worker.pipeline.ledger import Ledger
from packit_worker.ports import ForgeProject, Permission
from packit_worker.shop import Shop
from packit_worker.situation.job import Job
from packit_worker.situation.origins import Origin
from packit_worker.situation.situation import Situation


class Case:
    """What all steps of one event share. What they come to is noted in its ledger."""

    def __init__(self, shop: Shop, row: EventRow, event: Event, ledger: Ledger) -> None:
        self.shop = shop
        self.row = row
        self.event = event
        self.ledger = ledger
        #: What an account may do in the project; the forge is asked at most once per account. Raises TemporaryError.
        self.permission = remembered(self._ask_permission, str.lower)
        #: Whether the world cannot read the project; known from the first step.
        self.is_private = False
        #: Known once something was planned.
        self.situation: Situation | None = None

    @cached_property
    def facts(self) -> Facts:
        """What the journal knows; read when the first step asks for it. Raises NotYet, JournalUnavailable."""
        return facts.gather(self.shop.journal, self.row, self.event)

    def is_at(self, origin: Origin) -> None:
        """From now on the commit is known that the event is about. Raises JournalUnavailable."""
        self.facts = facts.at_commit(self.shop.journal, self.facts, self.row, origin)

    def project(self) -> ForgeProject:
        """The project of the origin, on its forge. Raises NotFound for a forge that is none of ours."""
        assert self.facts.origin is not None
        event = self.facts.origin.event
        url = event.project_url
        project = self.shop.services.forge(url).project(url, self.facts.installation_id)
        match event:
            case PullRequest() | PullRequestComment():
                return project.seen_from(event.pr_id, is_issue=False)
            case IssueComment():
                return project.seen_from(event.issue_id, is_issue=True)
            case _:
                return project

    @property
    def admins(self) -> frozenset[str]:
        """The logins, in lower case, of the service's administrators on the forge of the origin."""
        settings, origin = self.shop.settings, self.facts.origin
        forge = access.forge_of(origin.event.project_url) if origin else ""
        return access.admins_on(settings.admins, forge, access.forge_of(settings.github.web_url))

    def named(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The chroots that names of targets stand for. Raises UserError, TemporaryError."""
        return targets.chroots(names, self.shop.services.aliases.expand)

    def situate(
        self, asked: Asked, origin: Origin | None, config: PackageConfig | None, jobs: Sequence[Job]
    ) -> Situation:
        """The situation with these jobs, which the case is in from now on."""
        self.situation = Situation(
            event=self.event,
            origin=origin,
            config=config,
            jobs=tuple(jobs),
            planned_before=frozenset(self.facts.runs),
            admins=self.admins,
            chroots=remembered(self._chroots, lambda job: job.key),
            branches=remembered(self._branches, lambda job: job.key),
            permission=self.permission,
            asked=asked,
            named=remembered(self.named, " ".join),
            built=self.facts.built,
            tested=self.facts.tested,
            is_private=self.is_private,
            app_id=self.shop.settings.github.app_id,
            approvals_url=self.shop.settings.approval_repository_url,
        )
        return self.situation

    def note_project(self, origin: Origin | None) -> None:
        """Keep what an event says about its project, where it is news."""
        if origin is None or isinstance(self.event, Result):
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

    def _chroots(self, job: Job) -> tuple[str, ...]:
        return self.named(job.config.targets or targets.DEFAULT_TARGETS)

    def _branches(self, job: Job) -> tuple[str, ...]:
        names = job.config.dist_git_branches or releases.DEFAULT_BRANCHES
        return targets.branches(names, self.shop.services.aliases.expand)

    def _ask_permission(self, login: str) -> Permission:
        try:
            return self.project().permission(login)
        except NotFound:
            return Permission.NONE


Q = TypeVar("Q")
A = TypeVar("A")


def remembered(ask: Callable[[Q], A], key: Callable[[Q], str]) -> Callable[[Q], A]:
    """Ask once per key: the same question of one event gets the same answer."""
    answers: dict[str, A] = {}

    def answer(question: Q) -> A:
        if key(question) not in answers:
            answers[key(question)] = ask(question)
        return answers[key(question)]

    return answer
