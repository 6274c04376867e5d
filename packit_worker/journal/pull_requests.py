"""A pull request push by push: what was shown, built and tested for each of its commits. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.events import EventRow
from packit_worker.journal.test_runs import TestRunRow

#: What pages of pull requests are called on GitHub, Pagure and GitLab; the subjects of their events are these pages.
_PAGES = ("pull", "pull-request", "-/merge_requests")
#: Of a pull request with more events than that the oldest are left out.
_MOST_EVENTS = 500


@dataclass(frozen=True, kw_only=True)
class Push:
    """A commit of a pull request. ``events`` name it, oldest first; builds and test runs are newest first."""

    commit_sha: str
    events: list[EventRow] = field(default_factory=list)
    checks: list[CheckRow] = field(default_factory=list)
    builds: list[BuildRow] = field(default_factory=list)
    test_runs: list[TestRunRow] = field(default_factory=list)

    @property
    def last_at(self) -> datetime | None:
        """When the last event that names it was made, or a check of it was wanted last."""
        moments = [event.created_at for event in self.events] + [check.wanted_at for check in self.checks]
        return max(moments, default=None)


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request. ``subject`` is its page on the forge, ``pushes`` are newest first."""

    subject: str
    pushes: list[Push]


def of_project(session: Session, project_url: str, number: int) -> PullRequest | None:
    """A pull request of a project, if anything is known of it. Four statements."""
    subjects = [f"{project_url}/{page}/{number}" for page in _PAGES]
    events = _all(
        session,
        select(EventRow)
        .where(EventRow.subject.in_(subjects))
        .order_by(EventRow.seq.desc())
        .limit(_MOST_EVENTS),
    )
    checks = _all(session, select(CheckRow).where(CheckRow.subject.in_(subjects)).order_by(CheckRow.name))
    if not events and not checks:
        return None
    found: dict[str, Push] = {}
    turns = {event.id: event.seq for event in events}
    # The commit of the newest event first; commits that only checks name, by the event that wanted them.
    named = [(event.seq, event.kwargs.get("commit_sha")) for event in events]
    named += [(turns.get(check.event_id, 0), check.commit_sha) for check in checks]
    for _, commit in sorted(((turn, commit) for turn, commit in named if commit is not None), reverse=True):
        found.setdefault(commit, Push(commit_sha=commit))
    for event in reversed(events):
        if event.kwargs.get("commit_sha") is not None:
            found[event.kwargs["commit_sha"]].events.append(event)
    for check in checks:
        found[check.commit_sha].checks.append(check)
    for build in _ordered_for(session, BuildRow, project_url, number, found, BuildRow.id.desc()):
        found[build.commit_sha].builds.append(build)
    for run in _ordered_for(session, TestRunRow, project_url, number, found, TestRunRow.submitted_at.desc()):
        found[run.commit_sha].test_runs.append(run)
    subject = (events or checks)[0].subject
    return PullRequest(subject=subject, pushes=list(found.values()))


def _ordered_for(
    session: Session, model: Any, project_url: str, number: int, commits: Iterable[str], order: Any
) -> list[Any]:
    """What was ordered for these commits in the name of the pull request: a branch may have the same commit."""
    rows = _all(
        session,
        select(model)
        .where(model.project_url == project_url, model.commit_sha.in_(list(commits)))
        .order_by(order),
    )
    return [row for row in rows if row.kwargs.get("pr_id") == number]


def _all(session: Session, statement: Any) -> list[Any]:
    return list(session.execute(statement).scalars())
