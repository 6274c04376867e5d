"""Facts: all that the journal knows about an event when its turn comes, read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from events.base import Event
from packit_worker import access, configs, origins
from packit_worker.configs import Reading
from packit_worker.journal import Journal, accounts, projects, runs
from packit_worker.journal.accounts import AccountRow
from packit_worker.journal.events import EventRow
from packit_worker.journal.projects import ProjectRow
from packit_worker.journal.runs import RunKey, RunRow


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was known before. ``runs`` are those of earlier attempts at the same event."""

    origin: origins.Origin | None
    project: ProjectRow | None = None
    reading: Reading | None = None
    accounts: Mapping[str, AccountRow] = field(default_factory=dict)
    runs: Mapping[RunKey, RunRow] = field(default_factory=dict)

    @property
    def installation_id(self) -> int | None:
        """The GitHub App's installation for the project, from the event or from what came before."""
        if self.origin is None:
            return None
        return self.origin.event.installation_id or (self.project.installation_id if self.project else None)


def gather(journal: Journal, row: EventRow, event: Event) -> Facts:
    """Read the facts. Raises NotYet (see ``origins``), JournalUnavailable."""
    with journal.read() as session:
        # First attempts, nearly all, have no runs to look for.
        before = runs.of_event(session, row.id) if row.attempts > 1 else {}
        origin = origins.find(session, event)
        if origin is None:
            return Facts(origin=None, runs=before)
        url = origin.event.project_url
        known: dict[str, AccountRow] = {}
        if event.checks_account:
            known = accounts.of(session, access.forge_of(url), access.accounts_of(event))
        reading = configs.kept(session, url, origin.commit_sha) if origin.commit_sha is not None else None
        return Facts(
            origin=origin,
            project=projects.get(session, url),
            reading=reading,
            accounts=known,
            runs=before,
        )
