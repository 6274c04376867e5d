"""Facts: all that the journal knows about an event when its turn comes, read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from events.base import Event, event_classes
from events.families import PullRequest, PullRequestComment
from packit_worker import access
from packit_worker.journal import Journal, accounts, builds, decisions, events, projects, runs, test_runs
from packit_worker.journal.accounts import AccountRow
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.events import EventRow
from packit_worker.journal.projects import ProjectRow
from packit_worker.journal.runs import RunKey, RunRow
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.situation import commits, configs, origins
from packit_worker.situation.configs import Reading
from packit_worker.situation.origins import Origin


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was known before. ``runs`` are those of earlier attempts at the same event.

    Of comments and re-runs also: the commit that an earlier attempt was told (``told``), the ``heads`` that the pull
    request had when the comment came, and what others have ``built`` and ``tested`` at the commit, newest first.
    """

    origin: origins.Origin | None
    project: ProjectRow | None = None
    reading: Reading | None = None
    accounts: Mapping[str, AccountRow] = field(default_factory=dict)
    runs: Mapping[RunKey, RunRow] = field(default_factory=dict)
    told: Mapping[str, Any] | None = None
    heads: frozenset[str] = frozenset()
    #: What an edited comment said when it was told of before, for forges that do not tell.
    comment_before: str | None = None
    built: tuple[BuildRow, ...] = ()
    tested: tuple[TestRunRow, ...] = ()

    @property
    def installation_id(self) -> int | None:
        """The GitHub App's installation for the project, from the event or from what came before."""
        if self.origin is None:
            return None
        return self.origin.event.installation_id or (self.project.installation_id if self.project else None)


def gather(journal: Journal, row: EventRow, event: Event) -> Facts:
    """Read the facts. Raises NotYet (see ``origins``), JournalUnavailable."""
    with journal.read() as session:
        # First claims, nearly all, have no runs to look for, and were told nothing. (Not attempts: some do not count.)
        before = runs.of_event(session, row.id) if row.claim > 1 else {}
        told = decisions.last(session, row.id, commits.STEP, commits.READ) if row.claim > 1 else None
        origin = origins.find(session, event, row.id)
        if origin is None:
            return Facts(origin=None, runs=before)
        url = origin.event.project_url
        known: dict[str, AccountRow] = {}
        if event.checks_account:
            known = accounts.of(session, access.forge_of(url), access.accounts_of(event))
        found = Facts(
            origin=origin,
            project=projects.get(session, url),
            accounts=known,
            runs=before,
            told=told.facts if told else None,
            heads=_heads(session, row) if isinstance(event, PullRequestComment) else frozenset(),
            comment_before=_comment_before(session, row, event),
        )
        return _at_commit(session, found, row, origin)


def at_commit(journal: Journal, facts: Facts, row: EventRow, origin: Origin) -> Facts:
    """The facts with an origin whose commit was not known before. Raises JournalUnavailable."""
    with journal.read() as session:
        return _at_commit(session, facts, row, origin)


def _at_commit(session: Session, facts: Facts, row: EventRow, origin: Origin) -> Facts:
    if origin.commit_sha is None:
        return facts
    at = origin.event.project_url, origin.commit_sha
    built: list[BuildRow] = []
    tested: list[TestRunRow] = []
    if (origin.event.by_hand or origin.again) and origin.event_id is None:
        # Without what an earlier attempt at this event has ordered: an attempt wants what the one before wanted.
        built = [build for build in builds.of_commit(session, *at) if build.event_id != row.id]
        tested = [run for run in test_runs.of_commit(session, *at) if run.event_id != row.id]
    return replace(
        facts, origin=origin, reading=configs.kept(session, *at), built=tuple(built), tested=tuple(tested)
    )


#: How many comments of a pull request are looked through for an earlier wording of one.
COMMENTS_LOOKED_AT = 100
#: The events that tell of a pull request's head.
_TELLING = [cls.task for cls in event_classes() if issubclass(cls, PullRequest)]
_ASKING = [cls.task for cls in event_classes() if issubclass(cls, PullRequestComment)]


def _comment_before(session: Session, row: EventRow, event: Event) -> str | None:
    """The last wording that came before of the comment that was edited; None where none did, or nothing was edited."""
    if not isinstance(event, PullRequestComment) or event.comment_id is None:
        return None
    if event.action != "edited" or event.comment_before is not None:
        return None
    for earlier in events.before(session, row, [event.task], limit=COMMENTS_LOOKED_AT):
        if earlier.kwargs.get("comment_id") == event.comment_id:
            return str(earlier.kwargs.get("comment", ""))
    return None


def _heads(session: Session, row: EventRow) -> frozenset[str]:
    """The newest heads that came before a comment: in an event of their own, or told to an earlier comment."""
    heads = [event.kwargs.get("commit_sha") for event in events.before(session, row, _TELLING)]
    if not heads:
        return frozenset()
    for event in events.before(session, row, _ASKING, limit=5):
        told = decisions.last(session, event.id, commits.STEP, commits.READ)
        told = told or decisions.last(session, event.id, commits.STEP, commits.MOVED)
        heads.append(told.facts.get("commit_sha") if told else None)
    return frozenset(head for head in heads if head)
