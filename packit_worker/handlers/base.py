"""The base of every handler, and what one run works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from sqlalchemy.orm import Session

from events.base import Event
from packit_worker.checks.verdict import Check
from packit_worker.effecting import Call, Confirming
from packit_worker.journal import Journal
from packit_worker.journal.checks import Wanted
from packit_worker.ports import (
    Aliases,
    Copr,
    DistGit,
    FasJson,
    Forge,
    ForgeProject,
    Koji,
    Posted,
    SentWebhooks,
    TestingFarm,
)
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words, again, queued
from packit_worker.situation.job import Job
from packit_worker.situation.origins import Origin
from packit_worker.situation.situation import Situation

if TYPE_CHECKING:
    from packit_worker.cell.packit import Packit
    from packit_worker.config.service import ServiceConfig


class Services(Protocol):
    """The systems outside, as ``packit_worker.services`` brings them."""

    @property
    def fasjson(self) -> FasJson | None: ...
    @property
    def copr(self) -> Copr: ...
    @property
    def koji(self) -> Koji: ...
    @property
    def testing_farm(self) -> TestingFarm: ...
    @property
    def dist_git(self) -> DistGit | None: ...
    @property
    def aliases(self) -> Aliases: ...
    @property
    def webhooks(self) -> SentWebhooks | None: ...
    def forge(self, name_or_project_url: str) -> Forge: ...
    def packit(self) -> Packit: ...


class Desk(Protocol):
    """What the pipeline lets a run do: report, and do things outside once (``packit_worker.pipeline.desk``)."""

    def report(self, check: CheckId, words: Words, url: str | None = None) -> None:
        """From now on the check shall show this. Shown by the lane ``report``; nobody waits for it."""

    def report_elsewhere(self, check: Wanted) -> None:
        """The same for a check of another commit. May be called by what ``afterwards`` and ``once`` write."""

    def once(
        self,
        kind: str,
        about: str,
        request: Mapping[str, Any],
        call: Call,
        confirming: Confirming | None = None,
        key: str | None = None,
    ) -> Posted:
        """Do an effect once for this run. ``about`` tells it from other effects of the same kind in the run.

        ``key``: once for ever and for all runs that give the same key, instead.

        What was reported so far, and what ``confirming`` reports, is written in the transaction that confirms the
        effect.
        """

    def afterwards(self, write: Callable[[Session], object]) -> None:
        """Write to the journal in the transaction that writes down what was reported."""

    def marker(self, kind: str, about: str = "") -> str:
        """The key of an effect, to be left at the other side so that the effect can be found there."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a comment is answered: reactions, and paragraphs of Markdown made safe, with the help behind them.

    ``about``: whoever is answered about the same thing again sees the earlier answer changed.
    """

    reactions: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()
    helps: bool = False
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What one run works with."""

    event: Event
    event_id: str
    origin: Origin | None
    situation: Situation
    job: Job | None
    settings: ServiceConfig
    services: Services
    journal: Journal
    desk: Desk
    #: The project of the origin, on its forge. Raises NotFound for a forge that is none of ours.
    project: Callable[[], ForgeProject]
    reply: Reply | None = None


class Handler:
    """One thing to do in answer to an event. A handler decides nothing about failures: it raises, the pipeline acts.

    The first line of a handler's docstring is its line in the help.
    """

    #: Looked at in this order before a run; the first that is no pass decides.
    checks: ClassVar[tuple[Check, ...]] = ()
    #: The lane the run needs, where it is not the event's.
    lane: ClassVar[str | None] = None
    #: Whether an account behind the event has to be on the allowlist.
    needs_approval: ClassVar[bool] = True

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        """The checks on the commit that a run for this job reports on."""
        return ()

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        """What a check shows from the moment the run is planned."""
        return queued(check.kind)

    def __init__(self, context: Context) -> None:
        self.context = context

    def run(self) -> str:
        """Do it. Returns a note for the journal: what was done, in the past tense."""
        raise NotImplementedError

    def again(self, kind: str) -> str:
        """How people have a check of this kind run again, for the texts that say so."""
        return again(kind, self.origin.event)

    def order_row(self) -> dict[str, Any]:
        """What the row of an order says of what it is for: the columns that all orders have."""
        event = self.origin.event
        return {
            "event_id": self.context.event_id,
            "task": event.task,
            "kwargs": event.facts(),
            "project_url": event.project_url,
            "commit_sha": self.origin.commit_sha,
            "job": self.job.key,
        }

    @property
    def job(self) -> Job:
        """The job of this run, for handlers that are never run without one."""
        assert self.context.job is not None
        return self.context.job

    @property
    def origin(self) -> Origin:
        """The origin of this run, for handlers that are never run without one."""
        assert self.context.origin is not None
        return self.context.origin
