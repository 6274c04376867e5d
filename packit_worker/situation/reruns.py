"""What a re-run is about: the checks that somebody wants again, and the event at their root. Out of the journal alone.

A check is its row: found by the id that we gave the forge with it, else by the one that the forge gave it, never by its
name. The pipeline writes down what was found, so that later attempts, and the news of what was ordered, find the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from events.base import InvalidFact, UnknownTask, rebuild
from events.copr import CoprBuildEvent
from events.families import CheckRunRerun, CheckSuiteRerun, ProjectEvent, Rerun
from packit_worker.journal import builds, checks, decisions
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.events import EventRow
from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.situation import commits

#: The step and the verdict under which it is written down.
STEP, FOUND = "re-run", "found"

_WELL = (Conclusion.SUCCESS, Conclusion.NEUTRAL, Conclusion.SKIPPED)


@dataclass(frozen=True, kw_only=True)
class Again:
    """The checks that are run again, and the id of the event at their root.

    ``left_out``: checks of the same commit that belong to something else, such as another pull request with this head.
    """

    root: str
    checks: tuple[CheckRow, ...]
    left_out: tuple[CheckRow, ...] = ()

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is written down."""
        return {"event": self.root, "checks": [check.id for check in self.checks]}

    @property
    def reason(self) -> str:
        """For people."""
        left_out = f"; left out, as not about the same: {_names(self.left_out)}" if self.left_out else ""
        return f"to be run again: {_names(self.checks)}{left_out}"

    def holds(self, job: str, target: str) -> bool:
        """Whether a check of this job and target is among them."""
        return any(check.job == job and check.target == target for check in self.checks)


def split(session: Session, event: Rerun) -> list[tuple[Rerun, str]]:
    """A re-run for each subject whose checks are wanted, with that subject, where it takes its turn.

    A commit can be the head of a pull request, pushed to a branch and released: each has its own root. The subject is
    the commit where there are no checks.
    """
    subjects = dict.fromkeys(check.subject for check in _meant(session, event))
    if not isinstance(event, CheckSuiteRerun) or len(subjects) < 2:
        return [(event, next(iter(subjects), event.subject))]
    return [(replace(event, about=subject), subject) for subject in subjects]


def told(session: Session, event_id: str) -> Again | None:
    """What an earlier attempt at a re-run has found; None for events that are no re-runs."""
    found = decisions.last(session, event_id, STEP, FOUND)
    if found is None:
        return None
    rows = session.execute(select(CheckRow).where(CheckRow.id.in_(found.facts["checks"]))).scalars()
    return Again(root=found.facts["event"], checks=_ordered(rows))


def find(session: Session, event: Rerun) -> Again | None:
    """The checks that somebody wants again; None where they are none of ours."""
    found = [(check, _root_of(session, check.event_id)) for check in _meant(session, event)]
    roots = [root for _, root in found if root is not None]
    if not roots:
        return None
    subject = max(roots, key=lambda root: root.seq).subject
    # A comment may start every job that a push starts, and more.
    chosen = max(
        (root for root in roots if root.subject == subject),
        key=lambda root: (_event_of(root).by_hand, root.seq),
    )
    same = [check for check, root in found if root is not None and root.subject == subject]
    others = [check for check, root in found if root is None or root.subject != subject]
    return Again(root=chosen.id, checks=_ordered(same), left_out=_ordered(others))


def root_event(session: Session, again: Again) -> tuple[ProjectEvent, str | None]:
    """The event at the root, with the commit that it was told; and of a comment on an issue the release it was for."""
    row = _row(session, again.root)
    assert row is not None
    event = _event_of(row)
    if event.by_hand:
        read = decisions.last(session, row.id, commits.STEP, commits.READ)
        if read is not None:
            return commits.again(event, read.facts).event, read.facts.get("tag_name")
    return event, None


def _meant(session: Session, event: Rerun) -> Sequence[CheckRow]:
    """The checks that are wanted as they are now: the one, or those of the commit that failed, or all."""
    if isinstance(event, CheckRunRerun):
        return _one(session, event)
    rows = checks.of_commit(session, event.project_url, event.commit_sha)
    if isinstance(event, CheckSuiteRerun) and event.about is not None:
        rows = [row for row in rows if row.subject == event.about]
    failed = [row for row in rows if row.status == CheckStatus.COMPLETED and row.conclusion not in _WELL]
    return failed or rows


def _one(session: Session, event: CheckRunRerun) -> list[CheckRow]:
    here = (CheckRow.project_url == event.project_url, CheckRow.commit_sha == event.commit_sha)
    by_ours = select(CheckRow).where(CheckRow.id == (event.check_external_id or ""), *here)
    by_theirs = select(CheckRow).where(CheckRow.external_id == str(event.check_run_id), *here)
    found = session.execute(by_ours).scalar_one_or_none() or session.execute(by_theirs).scalar_one_or_none()
    return [found] if found is not None else []


def _root_of(session: Session, event_id: str) -> EventRow | None:
    """The event at the root of what an event has ordered: itself, what it brings news of, or what it runs again."""
    row = _row(session, event_id)
    if row is None:
        return None
    event = rebuild(row.task, dict(row.kwargs))
    match event:
        case Rerun():
            before = told(session, row.id)
            return _row(session, before.root) if before else None
        case CoprBuildEvent():
            order = builds.find(session, "copr", str(event.build_id), event.chroot or "")
            return _root_of(session, order.event_id) if order else None
        case ProjectEvent():
            return row
        case _:
            return None


def event_behind(session: Session, event_id: str) -> ProjectEvent | None:
    """The event at the root of what an event has ordered; None where this release cannot read it, or it is none."""
    try:
        root = _root_of(session, event_id)
        return _event_of(root) if root is not None else None
    except (UnknownTask, InvalidFact):
        return None


def _row(session: Session, event_id: str) -> EventRow | None:
    return session.execute(select(EventRow).where(EventRow.id == event_id)).scalar_one_or_none()


def _event_of(row: EventRow) -> ProjectEvent:
    event = rebuild(row.task, dict(row.kwargs))
    assert isinstance(event, ProjectEvent)
    return event


def _ordered(rows: Iterable[CheckRow]) -> tuple[CheckRow, ...]:
    return tuple(sorted(rows, key=lambda check: check.name))


def _names(rows: Iterable[CheckRow]) -> str:
    return ", ".join(check.name for check in rows)
