"""The entries of stories: every row of the journal that tells something, in words for people and facts for programs.

Pure; ``story`` finds the rows and puts the entries in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from packit_worker.journal.base import State
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.decisions import DecisionRow
from packit_worker.journal.deliveries import BODY_LEFT, Delivery
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunRow, RunState
from packit_worker.journal.test_runs import TestRunRow

#: The kinds of entries. Of entries with the same time those of an earlier kind come first.
KINDS = (
    *("received", "malformed", "held", "parsed", "event", "superseded", "claimed", "decision", "run"),
    *("effect", "build", "test_run", "check", "retry", "ignored", "dead", "done"),
)
RANK = {kind: rank for rank, kind in enumerate(KINDS)}


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
        return {name: plain(value) for name, value in vars(self).items()}


def of_delivery(row: Delivery, size: int, event: EventRow | None) -> Iterator[Entry]:
    """How a delivery came in, and how reading it ended. ``event``: what was made of it; ``size`` is in bytes."""
    left_at = row.headers.get(BODY_LEFT) if not size else None
    facts: dict[str, Any] = {"delivery": row.id, "source": row.source, "event_type": row.event_type}
    title = f"{row.source} {row.event_type}" if row.event_type else row.source
    yield Entry(
        at=row.received_at,
        kind="received",
        title=title,
        text=f"delivery {row.id}, "
        + (f"its body has left on {left_at[:10]}" if left_at else f"{size} bytes"),
        facts=facts | {"size": size, "body_sha256": row.body_sha256, "body_left_at": left_at},
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


def of_event(row: EventRow, next_step: str | None) -> Iterator[Entry]:
    """An event from its making to its end. ``next_step``: what a decision says can be done."""
    facts: dict[str, Any] = {"event": row.id, "delivery": row.delivery_id, "subject": row.subject}
    yield Entry(
        at=row.created_at,
        kind="event",
        title=row.task,
        text=f"about {row.subject}",
        url=page(row.subject),
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


def of_decision(row: DecisionRow) -> Entry:
    """A decision."""
    return Entry(
        at=row.at,
        kind="decision",
        title=f"{row.step}: {row.verdict}",
        text=row.reason,
        next_step=row.next_step,
        facts={"event": row.event_id, **_facts(row, "attempt", "step", "verdict"), **row.facts},
    )


def of_run(row: RunRow) -> Entry:
    """A run, at the moment of its end if it has ended."""
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


def of_effect(row: EffectRow) -> Entry:
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


def of_build(row: BuildRow) -> Iterator[Entry]:
    """A build in one chroot: ordered, begun, ended."""
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


def of_test_run(row: TestRunRow) -> Iterator[Entry]:
    """A request to Testing Farm: made, ended."""
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


def of_check(row: CheckRow) -> Iterator[Entry]:
    """What is in the way of showing a check; what was shown is told by its effects."""
    if row.shown_version >= row.version or not row.reason or row.state not in (State.DEAD, State.READY):
        return
    is_dead = row.state == State.DEAD
    yield Entry(
        at=(row.finished_at or row.wanted_at) if is_dead else row.due_at,
        kind="dead" if is_dead else "retry",
        title=row.name,
        text=f"{'cannot be shown' if is_dead else 'not shown yet'}: {row.reason}",
        url=row.external_url,
        facts={"event": row.event_id, "check": row.id} | _facts(row, "name", "attempts", "state"),
    )


def page(subject: str | None) -> str | None:
    """The page of what an event is about, where that has one."""
    return subject if subject and subject.startswith(("https://", "http://")) else None


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _facts(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def plain(value: Any) -> Any:
    """The value in the types that JSON has."""
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Entry():
            return value.to_json()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value
