"""Simulation: what a message would lead to in a project with a given package configuration. Nothing is done.

The message goes through the real parser and the real pipeline, up to the plan; only what would be asked outside is
given: the project's files are those of a folder, its permissions and its pull requests are as the simulation says.
Used by the command line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from events.base import Event
from events.pipeline import in_place
from packit_worker import access, migrations
from packit_worker.broker.celery_app import create_app
from packit_worker.broker.hints import Hints
from packit_worker.config.package import FILE_NAMES
from packit_worker.config.service import ServiceConfig
from packit_worker.errors import NotFound
from packit_worker.handlers.base import Services as ServicesProtocol
from packit_worker.intake import Unreadable, decode
from packit_worker.interrupting import Progress
from packit_worker.journal import Journal, accounts
from packit_worker.journal.accounts import Approval
from packit_worker.journal.base import now
from packit_worker.journal.checks import Wanted
from packit_worker.journal.claims import Claim
from packit_worker.journal.decisions import Decision
from packit_worker.journal.events import EventRow
from packit_worker.pipeline.planning import Run
from packit_worker.pipeline.steps import Pipeline
from packit_worker.ports import Aliases, Forge, ForgeProject, Permission, PullRequestState
from packit_worker.shop import Shop
from parsers.parsing import parse
from parsers.sending import held

#: A commit that the simulation speaks of where the message names none.
COMMIT = "0" * 40
EVENT_ID = "simulated"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the world outside would say. ``folder`` holds the project's files; ``config`` is the configuration in it."""

    config: Path
    permission: Permission = Permission.WRITE
    is_approved: bool = True
    is_private: bool = False
    default_branch: str = "main"


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What would come of an event: every decision, the runs that follow, and what checks would show at first."""

    event: Event
    decisions: tuple[Decision, ...]
    runs: tuple[Run, ...]
    checks: tuple[Wanted, ...]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What would come of a message: events, or the reason why there are none."""

    events: tuple[Foreseen, ...] = ()
    ignored: str | None = None
    malformed: str | None = None


def simulate(
    settings: ServiceConfig,
    aliases: Aliases,
    given: Given,
    source: str,
    event_type: str | None,
    raw: bytes,
) -> Simulation:
    """What a message would lead to. Raises TemporaryError where an alias cannot be looked up, NotFound, Refused."""
    try:
        body = decode(raw)
    except Unreadable as error:
        return Simulation(malformed=str(error))
    with held() as sendings:
        parsed = parse(source, event_type, body)
    if parsed.malformed is not None or parsed.ignored is not None:
        return Simulation(malformed=parsed.malformed, ignored=parsed.ignored)
    with tempfile.TemporaryDirectory(prefix="packit-worker-") as folder:
        journal = Journal(f"sqlite:///{folder}/journal.sqlite")
        try:
            migrations.upgrade(journal)
            shop = Shop(
                settings,
                journal,
                cast(ServicesProtocol, _Services(given, aliases)),
                Hints(create_app("memory://")),
            )
            return Simulation(events=tuple(_foresee(shop, given, made.event) for made in sendings))
        finally:
            journal.dispose()


def _foresee(shop: Shop, given: Given, event: Event) -> Foreseen:
    row = EventRow(
        id=EVENT_ID,
        task=event.task,
        lane=event.lane,
        kwargs=event.facts(),
        subject=event.subject,
        attempts=1,
        claim=1,
        created_at=now(),
    )
    if given.is_approved:
        with shop.journal.write() as session:
            for name in access.accounts_of(event):
                forge = access.forge_of(getattr(event, "project_url", ""))
                accounts.change(
                    session, forge, name, Approval.APPROVED_MANUALLY, by="simulation", why="as told"
                )
    pipeline = _Planning(shop, Claim(EventRow, EVENT_ID, 1), row, event, _Untimed())
    with in_place(pipeline):
        event.process()
    return Foreseen(
        event=event,
        decisions=pipeline.ledger.decisions,
        runs=tuple(pipeline.would_run),
        checks=pipeline.ledger.wanted,
    )


class _Planning(Pipeline):
    """The pipeline, but that nothing runs."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.would_run: list[Run] = []

    def run(self, run: Run) -> Any:
        """Note the run."""
        self.would_run.append(run)


class _Untimed(Progress):
    def goes_on(self) -> None:
        """Nobody waits."""


@dataclass
class _Services:
    """The only systems that planning asks."""

    given: Given
    aliases: Aliases
    fasjson: None = field(default=None)

    def forge(self, name_or_project_url: str) -> Forge:
        """Any forge: it has the project that is simulated."""
        return cast(Forge, self)

    def project(self, project_url: str, installation_id: int | None = None) -> ForgeProject:
        """The project that is simulated."""
        return cast(ForgeProject, _Project(project_url, self.given))


@dataclass
class _Project:
    """A project whose files are those of a folder. It can be read, and nothing can be done in it."""

    url: str
    given: Given

    def seen_from(self, number: int, is_issue: bool) -> _Project:
        return self

    def is_private(self) -> bool:
        return self.given.is_private

    def top_files(self, ref: str) -> Sequence[str]:
        here = self.given.config
        files = sorted(path.name for path in here.parent.iterdir() if path.is_file() and path != here)
        name = here.name if here.name in FILE_NAMES else FILE_NAMES[0]
        return [name, *(file for file in files if file not in FILE_NAMES)]

    def file(self, path: str, ref: str) -> str:
        if path in FILE_NAMES:
            return self.given.config.read_text(errors="replace")
        raise NotFound(f"the simulation does not read {path}")

    def permission(self, login: str) -> Permission:
        return self.given.permission

    def default_branch(self) -> str:
        return self.given.default_branch

    def commit_sha(self, ref: str) -> str:
        return COMMIT

    def latest_release(self) -> str | None:
        return None

    def pull_request(self, number: int) -> PullRequestState:
        return PullRequestState(
            head_sha=COMMIT, target_branch=self.given.default_branch, author=None, is_open=True
        )
