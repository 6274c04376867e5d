"""Stories: all that is known of a delivery, out of the journal alone, in the order in which it happened.

What came of a delivery later came in as deliveries of their own (news of builds and tests); they belong to the story of
the one that ordered them. Read by the command line, the web pages and the demo; writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session, defer

from events.copr import CoprBuildEvent
from events.testing_farm import TestingFarmResultEvent
from packit_worker.journal import entries
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.decisions import DecisionRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import EffectRow
from packit_worker.journal.entries import KINDS, Entry
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunRow
from packit_worker.journal.test_runs import TestRunRow

__all__ = [
    "KINDS",
    "Entry",
    "Filter",
    "Story",
    "Summary",
    "deliveries_of_subject",
    "delivery_of",
    "find",
    "latest",
    "of_delivery",
    "subject_of_url",
    "summaries",
]

#: Orders bring news, news can order again (a build is followed by its tests): how often this is followed.
_GENERATIONS = 5


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A delivery and the event that was made of it, if any, without what followed."""

    id: str
    source: str
    event_type: str | None
    received_at: datetime
    state: str
    reason: str | None
    event_id: str | None = None
    task: str | None = None
    subject: str | None = None
    event_state: str | None = None
    event_reason: str | None = None

    @property
    def outcome(self) -> str:
        """How far it is: the state of the event, or of the delivery where there is no event."""
        return self.event_state or self.state

    @property
    def why(self) -> str | None:
        """The reason of that state."""
        return self.event_reason if self.event_state else self.reason

    @property
    def url(self) -> str | None:
        """The page of what it is about, where that has one."""
        return entries.page(self.subject)

    def to_json(self) -> dict[str, Any]:
        """The summary, or the story, as JSON has it."""
        made = {name: entries.plain(value) for name, value in vars(self).items()}
        return made | {"outcome": self.outcome, "why": self.why, "url": self.url}


@dataclass(frozen=True, kw_only=True)
class Story(Summary):
    """A delivery and all that came of it, oldest first. ``size`` is that of its body, in bytes."""

    size: int
    entries: tuple[Entry, ...]


def of_delivery(session: Session, delivery_id: str) -> Story | None:
    """The whole story of a delivery. About a dozen statements, however much came of it."""
    summary = next(iter(_summaries(session, Delivery.id == delivery_id, limit=1)), None)
    if summary is None:
        return None
    events, builds, test_runs = _family(session, delivery_id)
    ids = [event.id for event in events]
    delivery_ids = {delivery_id, *(event.delivery_id for event in events if event.delivery_id)}
    deliveries = session.execute(
        select(Delivery, func.length(Delivery.body))
        .where(Delivery.id.in_(delivery_ids))
        .order_by(Delivery.received_at, Delivery.id)
        .options(defer(Delivery.body))
    ).all()
    decisions = _rows(session, DecisionRow, DecisionRow.event_id, ids, DecisionRow.id)
    runs = _rows(session, RunRow, RunRow.event_id, ids, RunRow.id)
    effects = _rows(session, EffectRow, EffectRow.event_id, ids, EffectRow.created_at, EffectRow.key)
    checks = _rows(session, CheckRow, CheckRow.event_id, ids, CheckRow.wanted_at, CheckRow.name)
    made = {event.delivery_id: event for event in events}
    next_steps = {row.event_id: row.next_step for row in decisions if row.next_step}
    told: list[Entry] = []
    for delivery, size in deliveries:
        told += entries.of_delivery(delivery, size or 0, made.get(delivery.id))
    for event in events:
        told += entries.of_event(event, next_steps.get(event.id))
    told += map(entries.of_decision, decisions)
    told += map(entries.of_run, runs)
    told += map(entries.of_effect, effects)
    for build in builds:
        told += entries.of_build(build)
    for test_run in test_runs:
        told += entries.of_test_run(test_run)
    for check in checks:
        told += entries.of_check(check)
    told.sort(key=lambda entry: (entry.at, entries.RANK[entry.kind]))
    sizes = {delivery.id: size or 0 for delivery, size in deliveries}
    return Story(**vars(summary), size=sizes[delivery_id], entries=tuple(told))


def delivery_of(session: Session, id: str) -> str | None:
    """The delivery behind an id, be it a delivery's, an event's or a check's."""
    if session.execute(select(Delivery.id).where(Delivery.id == id)).scalar_one_or_none():
        return id
    event_id = session.execute(select(CheckRow.event_id).where(CheckRow.id == id)).scalar_one_or_none() or id
    return session.execute(select(EventRow.delivery_id).where(EventRow.id == event_id)).scalar_one_or_none()


def find(session: Session, what: str) -> list[str]:
    """The deliveries that an id, or an address as people paste it, means; oldest first."""
    what = what.strip()
    one = delivery_of(session, what)
    if one is not None:
        return [one]
    if re.match(r"[\w-]+(\.[\w-]+)+/", what):
        what = f"https://{what}"
    return deliveries_of_subject(session, what)


def deliveries_of_subject(session: Session, subject_url: str) -> list[str]:
    """The deliveries about a pull request (branch, release, build...), oldest first; see ``subject_of_url``."""
    statement = (
        select(Delivery.id)
        .join(EventRow, EventRow.delivery_id == Delivery.id)
        .where(EventRow.subject == subject_of_url(subject_url))
        .order_by(EventRow.seq)
    )
    return list(session.execute(statement).scalars())


def subject_of_url(url: str) -> str:
    """The subject that a pasted address means: no query, fragment, trailing slash or tab of a pull request's page.

    GitHub's pages say /pull/, Pagure's /pull-request/, GitLab's /-/merge_requests/, and so do their events.
    """
    bare = re.split(r"[?#]", url.strip(), maxsplit=1)[0].rstrip("/")
    pull = re.fullmatch(r"(https?://[^/]+/.+?/(?:pull|pull-request|-/merge_requests)/\d+)(?:/.*)?", bare)
    return pull[1] if pull else bare


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which deliveries are wanted: from a source, with an outcome, about a project or something in it (``about``)."""

    source: str | None = None
    outcome: str | None = None
    about: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL has it."""
        found: list[ColumnElement[bool]] = []
        if self.source:
            found.append(Delivery.source == self.source)
        if self.outcome:
            found.append(func.coalesce(EventRow.state, Delivery.state) == self.outcome)
        if self.about:
            subject = subject_of_url(self.about)
            below = EventRow.subject.startswith(f"{subject}/", autoescape=True)
            found.append((EventRow.subject == subject) | below)
        return found


def latest(
    session: Session, limit: int, after: str | None = None, wanted: Filter | None = None
) -> list[Summary]:
    """The newest deliveries, newest first; those older than the delivery ``after``, to turn pages."""
    conditions = (wanted or Filter()).conditions()
    if after is not None:
        last = select(Delivery.received_at, Delivery.id).where(Delivery.id == after).scalar_subquery()
        conditions.append(tuple_(Delivery.received_at, Delivery.id) < last)
    return _summaries(session, *conditions, limit=limit)


def summaries(session: Session, ids: Sequence[str]) -> list[Summary]:
    """These deliveries, oldest first."""
    return _summaries(session, Delivery.id.in_(ids), limit=len(ids))[::-1]


def _summaries(session: Session, *conditions: Any, limit: int) -> list[Summary]:
    statement = (
        select(
            *(
                Delivery.id,
                Delivery.source,
                Delivery.event_type,
                Delivery.received_at,
                Delivery.state,
                Delivery.reason,
            ),
            EventRow.id.label("event_id"),
            EventRow.task,
            EventRow.subject,
            EventRow.state.label("event_state"),
            EventRow.reason.label("event_reason"),
        )
        .outerjoin(EventRow, EventRow.delivery_id == Delivery.id)
        .where(*conditions)
        .order_by(Delivery.received_at.desc(), Delivery.id.desc(), EventRow.seq)
        .limit(limit)
    )
    return [Summary(**row) for row in session.execute(statement).mappings()]


def _family(session: Session, delivery_id: str) -> tuple[list[EventRow], list[BuildRow], list[TestRunRow]]:
    """The events of a delivery, what they ordered, and the events that brought news of it, generation by generation."""
    events: dict[str, EventRow] = {}
    builds: list[BuildRow] = []
    test_runs: list[TestRunRow] = []
    youngest = _rows(session, EventRow, EventRow.delivery_id, [delivery_id], EventRow.seq)
    for _ in range(_GENERATIONS):
        youngest = [event for event in youngest if event.id not in events]
        events |= {event.id: event for event in youngest}
        ids = [event.id for event in youngest]
        ordered = _rows(session, BuildRow, BuildRow.event_id, ids, BuildRow.id)
        asked = _rows(
            session, TestRunRow, TestRunRow.event_id, ids, TestRunRow.submitted_at, TestRunRow.request_id
        )
        builds += ordered
        test_runs += asked
        subjects = {_subject_of_build(build) for build in ordered}
        subjects |= {TestingFarmResultEvent.subject_of(run.request_id) for run in asked}
        youngest = _rows(session, EventRow, EventRow.subject, sorted(subjects), EventRow.seq)
    return sorted(events.values(), key=lambda event: event.seq), builds, test_runs


def _subject_of_build(build: BuildRow) -> str:
    if build.system == "copr" and build.build_id.isdigit():
        return CoprBuildEvent.subject_of(int(build.build_id), build.chroot)
    return f"{build.system}:{build.build_id}:{build.chroot}"


def _rows(session: Session, model: Any, column: Any, values: Sequence[str], *order: Any) -> list[Any]:
    """The rows whose column has one of these values; nothing is asked where there are none."""
    if not values:
        return []
    return list(session.execute(select(model).where(column.in_(values)).order_by(*order)).scalars())
