"""Stories: all that is known of a delivery, out of the journal alone, in the order in which it happened.

What came of a delivery later came in as deliveries of their own (news of builds and tests); they belong to the story of
the one that ordered them. Read by the command line, the web pages and the demo; writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, defer

from events.copr import CoprBuildEvent
from events.testing_farm import TestingFarmResultEvent
from packit_worker.journal.base import State
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.decisions import DecisionRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunRow, RunState
from packit_worker.journal.test_runs import TestRunRow

#: The kinds of entries. Of entries with the same time those of an earlier kind come first.
KINDS = (
    *("received", "malformed", "held", "parsed", "event", "superseded", "claimed", "decision", "run"),
    *("effect", "build", "test_run", "check", "retry", "ignored", "dead", "done"),
)
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}

#: Orders bring news, news can order again (a build is followed by its tests): how often this is followed.
_GENERATIONS = 5


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that happened. ``kind`` is one of ``KINDS``; ``text`` is for people, ``facts`` for programs."""

    at: datetime
    kind: str
    title: str
    text: str = ""
    next_step: str | None = None
    url: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON has it; times are ISO 8601 in UTC."""
        return {name: _plain(value) for name, value in vars(self).items()}


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
        return _page(self.subject)

    def to_json(self) -> dict[str, Any]:
        """The summary, or the story, as JSON has it."""
        made = {name: _plain(value) for name, value in vars(self).items()}
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
        .options(defer(Delivery.body), defer(Delivery.headers))
    ).all()
    decisions = _rows(session, DecisionRow, DecisionRow.event_id, ids, DecisionRow.id)
    runs = _rows(session, RunRow, RunRow.event_id, ids, RunRow.id)
    effects = _rows(session, EffectRow, EffectRow.event_id, ids, EffectRow.created_at, EffectRow.key)
    checks = _rows(session, CheckRow, CheckRow.event_id, ids, CheckRow.wanted_at, CheckRow.name)
    made = {event.delivery_id: event for event in events}
    next_steps = {row.event_id: row.next_step for row in decisions if row.next_step}
    entries: list[Entry] = []
    for delivery, size in deliveries:
        entries += _of_delivery(delivery, size or 0, made.get(delivery.id))
    for event in events:
        entries += _of_event(event, next_steps.get(event.id))
    entries += map(_of_decision, decisions)
    entries += map(_of_run, runs)
    entries += map(_of_effect, effects)
    for build in builds:
        entries += _of_build(build)
    for test_run in test_runs:
        entries += _of_test_run(test_run)
    for check in checks:
        entries += _of_check(check)
    entries.sort(key=lambda entry: (entry.at, _RANK[entry.kind]))
    sizes = {delivery.id: size or 0 for delivery, size in deliveries}
    return Story(**vars(summary), size=sizes[delivery_id], entries=tuple(entries))


def delivery_of(session: Session, id: str) -> str | None:
    """The delivery behind an id, be it a delivery's, an event's or a check's."""
    if session.execute(select(Delivery.id).where(Delivery.id == id)).scalar_one_or_none():
        return id
    event_id = session.execute(select(CheckRow.event_id).where(CheckRow.id == id)).scalar_one_or_none() or id
    return session.execute(select(EventRow.delivery_id).where(EventRow.id == event_id)).scalar_one_or_none()


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

    Pagure's pages say /pull-request/, its events /pull/ like those of all forges.
    """
    bare = re.split(r"[?#]", url.strip(), maxsplit=1)[0].rstrip("/")
    pull = re.fullmatch(r"(https?://[^/]+/.+?)/(?:pull|pull-request)/(\d+)(?:/.*)?", bare)
    return f"{pull[1]}/pull/{pull[2]}" if pull else bare


def latest(session: Session, limit: int, after: str | None = None) -> list[Summary]:
    """The newest deliveries, newest first; those older than the delivery ``after``, to turn pages."""
    conditions = []
    if after is not None:
        last = select(Delivery.received_at, Delivery.id).where(Delivery.id == after).scalar_subquery()
        conditions.append(tuple_(Delivery.received_at, Delivery.id) < last)
    return _summaries(session, *conditions, limit=limit)


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


def _of_delivery(row: Delivery, size: int, event: EventRow | None) -> Iterator[Entry]:
    facts: dict[str, Any] = {"delivery": row.id, "source": row.source, "event_type": row.event_type}
    title = f"{row.source} {row.event_type}" if row.event_type else row.source
    yield Entry(
        at=row.received_at,
        kind="received",
        title=title,
        text=f"delivery {row.id}, {size} bytes",
        facts=facts | {"size": size, "body_sha256": row.body_sha256},
    )
    facts |= {"attempts": row.attempts, "claimed_by": row.claimed_by}
    # What ends at the door ends a few microseconds before it is stamped as received.
    ended = max(row.finished_at or row.received_at, row.received_at)
    match row.state:
        case State.DONE:
            # Reading writes the event and its own end in one transaction: the two moments are one.
            at = min(ended, event.created_at) if event else ended
            text = f"made {event.task} of it" if event else "read"
            yield Entry(at=at, kind="parsed", title="task.parse_message", text=text, facts=facts)
        case State.READY if row.attempts and row.reason:
            yield Entry(at=row.due_at, kind="retry", title="task.parse_message", text=row.reason, facts=facts)
        case State.RUNNING:
            text = f"being read by {row.claimed_by}"
            yield Entry(at=row.claimed_at or ended, kind="claimed", title=title, text=text, facts=facts)
        case State.IGNORED | State.MALFORMED | State.HELD | State.DEAD:
            can_be_read = row.state in (State.HELD, State.DEAD)
            next_step = f"packit-worker replay {row.id}" if can_be_read else None
            text = row.reason or ""
            yield Entry(at=ended, kind=row.state, title=title, text=text, next_step=next_step, facts=facts)


def _of_event(row: EventRow, next_step: str | None) -> Iterator[Entry]:
    facts: dict[str, Any] = {"event": row.id, "delivery": row.delivery_id, "subject": row.subject}
    yield Entry(
        at=row.created_at,
        kind="event",
        title=row.task,
        text=f"about {row.subject}",
        url=_page(row.subject),
        facts=facts | {"lane": row.lane, "kwargs": row.kwargs},
    )
    if row.claimed_at is not None:
        yield Entry(
            at=row.claimed_at,
            kind="claimed",
            title=row.task,
            text=f"attempt {row.attempts} begun by {row.claimed_by}",
            facts=facts | {"attempt": row.attempts, "claimed_by": row.claimed_by, "claim": row.claim},
        )
    facts |= {"attempts": row.attempts}
    reason = row.reason or ""
    ended = row.finished_at or row.created_at
    match row.state:
        case State.READY if row.reason:
            text = f"comes again: {reason}"
            yield Entry(at=row.due_at, kind="retry", title=row.task, text=text, facts=facts)
        case State.SUPERSEDED:
            text = f"{reason} (event {row.superseded_by})"
            facts["superseded_by"] = row.superseded_by
            yield Entry(at=ended, kind="superseded", title=row.task, text=text, facts=facts)
        case State.DEAD:
            again = f"packit-worker replay {row.id}"
            yield Entry(at=ended, kind="dead", title=row.task, text=reason, next_step=again, facts=facts)
        case State.IGNORED | State.DONE:
            # Where nothing was done, what to do next stands with the decision that said so.
            step = next_step if row.state == State.IGNORED else None
            yield Entry(at=ended, kind=row.state, title=row.task, text=reason, next_step=step, facts=facts)


def _of_decision(row: DecisionRow) -> Entry:
    return Entry(
        at=row.at,
        kind="decision",
        title=f"{row.step}: {row.verdict}",
        text=row.reason,
        next_step=row.next_step,
        facts={"event": row.event_id, **_facts(row, "attempt", "step", "verdict"), **row.facts},
    )


def _of_run(row: RunRow) -> Entry:
    what = row.handler + (f" for {row.job}" if row.job else "") + (f" on {row.target}" if row.target else "")
    fate = {RunState.PLANNED: "is planned", RunState.RETRY: "to be tried again"}.get(
        RunState(row.state), row.state
    )
    facts = _facts(
        row, "handler", "job", "target", "state", "attempts", "created_at", "started_at", "finished_at"
    )
    return Entry(
        at=row.finished_at or row.started_at or row.created_at,
        kind="run",
        title=f"{what}: {fate}",
        text=row.note or "",
        facts={"event": row.event_id, "traceback": row.error} | facts,
    )


def _of_effect(row: EffectRow) -> Entry:
    """An effect at the moment it came to where it is. A check that is shown is told as such, and what it shows."""
    at = row.sent_at or row.created_at
    kind, title = "effect", f"{row.kind}: {row.state}"
    text = ", ".join(f"{name} {_word(value)}" for name, value in row.request.items() if value is not None)
    match EffectState(row.state):
        case EffectState.CONFIRMED if row.kind == "check":
            at = row.confirmed_at or at
            kind, title = "check", str(row.request.get("name"))
            text = f"{row.request.get('conclusion') or row.request.get('status')}: {row.request.get('title') or ''}"
        case EffectState.CONFIRMED:
            at = row.confirmed_at or at
            text += f"; its id there is {row.external_id}" + (
                f", after {row.sends} calls" if row.sends > 1 else ""
            )
        case EffectState.SENT:
            text += f"; call {row.sends} is out, its answer has not come" + (
                f": {row.error}" if row.error else ""
            )
        case EffectState.PLANNED:
            text += f"; not carried out yet: {row.error}"
        case EffectState.REFUSED:
            text += f"; the other side said no: {row.error}"
    facts = _facts(
        row, "key", "state", "sends", "request", "external_id", "created_at", "sent_at", "confirmed_at"
    )
    facts |= {"event": row.event_id, "effect": row.kind, "error": row.error}
    return Entry(at=at, kind=kind, title=title, text=text, url=row.external_url, facts=facts)


def _of_build(row: BuildRow) -> Iterator[Entry]:
    # The build system's clock may be behind ours, and its messages count in whole seconds.
    begun = max(row.started_at or row.submitted_at, row.submitted_at)
    moments = [(row.submitted_at, "ordered")]
    if row.started_at:
        moments.append((begun, "running"))
    if row.ended_at:
        moments.append((max(row.ended_at, begun), row.state))
    facts = {"event": row.event_id, "build": row.build_id} | _facts(row, "system", "chroot", "job")
    for at, state in moments:
        yield Entry(
            at=at,
            kind="build",
            title=f"{row.system} build {row.build_id}: {state}",
            text=row.chroot,
            url=row.web_url,
            facts=facts | {"state": state, "log_url": row.log_url},
        )


def _of_test_run(row: TestRunRow) -> Iterator[Entry]:
    moments = [(row.submitted_at, "ordered")]
    if row.ended_at:
        moments.append((max(row.ended_at, row.submitted_at), row.result or row.state))
    facts = {"event": row.event_id, "request": row.request_id, "build": row.build_id}
    for at, state in moments:
        yield Entry(
            at=at,
            kind="test_run",
            title=f"testing-farm request {row.request_id}: {state}",
            text=row.chroot,
            url=row.web_url,
            facts=facts | {"state": state} | _facts(row, "chroot", "job"),
        )


def _of_check(row: CheckRow) -> Iterator[Entry]:
    """What is in the way of showing a check; what was shown is told by its effects."""
    if row.shown_version >= row.version or not row.reason or row.state not in (State.DEAD, State.READY):
        return
    is_dead = row.state == State.DEAD
    yield Entry(
        at=(row.finished_at or row.wanted_at) if is_dead else row.due_at,
        kind="dead" if is_dead else "retry",
        title=row.name,
        text=f"cannot be shown: {row.reason}",
        url=row.external_url,
        facts={"event": row.event_id, "check": row.id} | _facts(row, "name", "attempts", "state"),
    )


def _page(subject: str | None) -> str | None:
    return subject if subject and subject.startswith(("https://", "http://")) else None


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _facts(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _plain(value: Any) -> Any:
    """The value in the types that JSON has."""
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Entry():
            return value.to_json()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
