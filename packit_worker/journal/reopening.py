"""Work that has ended is opened again on an operator's word: a delivery to be read, an event to be processed.

Used by ``replaying`` and by the web. What was done outside stays done: effects have keys, and one that is confirmed is
not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from packit_worker.journal.base import State, now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import BODY_LEFT, Delivery
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunRow, RunState

#: Ends after which a delivery can be read again.
UNREAD = (State.HELD, State.MALFORMED, State.DEAD, State.IGNORED)
#: Ends after which an event can be processed again. Ignored ones too: whoever was refused may be approved by now.
PROCESSED = (State.DEAD, State.DONE, State.IGNORED)


class NotReplayable(Exception):
    """It cannot be replayed; the text says why, ``next_step`` what to do instead."""

    def __init__(self, message: str, *, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What a replay does, or would do. ``kind`` is delivery or event; ``stays`` is what is not done again."""

    kind: str
    id: str
    was: str
    steps: Sequence[str]
    stays: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """What is let go of, or would be. ``kind`` is delivery or event; ``was`` says for each part why it was given up."""

    kind: str
    id: str
    was: Sequence[str]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def reopen(
    session: Session, id: str, *, dry_run: bool, foretell: Callable[[Delivery], str] | None = None
) -> tuple[Replay, Delivery | EventRow]:
    """Let the delivery be read or the event be processed again; what is done then, and the row to hint at.

    A delivery that was read leads to its event. ``foretell`` says what reading a delivery will come to. ``dry_run``:
    nothing is written. Raises NotReplayable.
    """
    row = _find(session, id)
    if isinstance(row, EventRow):
        return _event(session, row, dry_run), row
    return _delivery(session, row, dry_run, foretell), row


def drop(session: Session, id: str, why: str, *, dry_run: bool = False) -> Dropped:
    """Let go of what was given up: a delivery, or an event with its checks. It counts as ignored from now on.

    ``dry_run``: nothing is written. Raises NotReplayable for what is not dead.
    """
    row = _find(session, id)
    dead: list[Delivery | EventRow | CheckRow] = [row] if row.state == State.DEAD else []
    if isinstance(row, EventRow):
        dead += _dead_checks(session, row)
    kind = "delivery" if isinstance(row, Delivery) else "event"
    if not dead:
        raise NotReplayable(
            f"{kind} {row.key} is {row.state}: only what was given up can be dropped",
            next_step=f"packit-worker explain {row.key}",
        )
    was = [_why(each) for each in dead]
    for each in () if dry_run else dead:
        _change(session, each, state=State.IGNORED, reason=f"dropped by an operator: {why}")
    return Dropped(kind=kind, id=row.key, was=was)


def _find(session: Session, id: str) -> Delivery | EventRow:
    delivery = session.get(Delivery, id)
    if delivery is not None and delivery.state != State.DONE:
        return delivery
    is_id = EventRow.delivery_id == id if delivery is not None else EventRow.id == id
    event = session.execute(
        select(EventRow).where(is_id).order_by(EventRow.seq).limit(1)
    ).scalar_one_or_none()
    if event is None:
        raise NotReplayable(
            f"the journal knows no delivery or event {id}",
            next_step="packit-worker explain, with a pull request's URL, tells the ids of its deliveries and events.",
        )
    return event


def _delivery(
    session: Session, row: Delivery, dry_run: bool, foretell: Callable[[Delivery], str] | None
) -> Replay:
    if row.state not in UNREAD:
        raise NotReplayable(
            f"delivery {row.id} is {row.state}: it is going to be read",
            next_step="Wait for it, or see that workers of the lane parse and the sweeper run.",
        )
    if row.body is None:
        raise NotReplayable(
            f"the body of delivery {row.id} has left on {row.headers[BODY_LEFT][:10]}",
            next_step="Have the forge send it again; retention in the configuration says for how long bodies are kept.",
        )
    was = f"{row.state}: {row.reason}" if row.reason else row.state
    _reopen(session, row, attempts=0, dry_run=dry_run)
    step = f"read it again as {row.event_type or 'a message without a type'} from {row.source}"
    steps = [f"{step}: {foretell(row)}" if foretell else step]
    return Replay(kind="delivery", id=row.id, was=was, steps=steps)


def _event(session: Session, row: EventRow, dry_run: bool) -> Replay:
    if row.state == State.SUPERSEDED:
        raise NotReplayable(
            f"event {row.id} is superseded: {row.reason}",
            next_step=f"packit-worker replay {row.superseded_by}",
        )
    if row.state not in PROCESSED:
        raise NotReplayable(
            f"event {row.id} is {row.state}: it is going to be processed",
            next_step=f"packit-worker explain {row.id}",
        )
    was = f"{row.state}: {row.reason}" if row.reason else row.state
    runs = list(
        session.execute(select(RunRow).where(RunRow.event_id == row.id).order_by(RunRow.id)).scalars()
    )
    again = [run for run in runs if row.state == State.DONE or run.state == RunState.FAILED]
    effects = list(
        session.execute(
            select(EffectRow)
            .where(EffectRow.event_id == row.id)
            .order_by(EffectRow.created_at, EffectRow.key)
        ).scalars()
    )
    refused = [effect for effect in effects if effect.state == EffectState.REFUSED]
    dead = _dead_checks(session, row)
    # Of an event at its first attempt the pipeline believes that it has no runs, and begins its checks anew.
    _reopen(session, row, attempts=1 if runs else 0, dry_run=dry_run)
    if not dry_run:
        _plan_again(session, again)
        _ask_again(session, refused)
        for check in dead:
            _reopen(session, check, attempts=0, dry_run=False, hinted=False)
    steps = [f"process {row.task} about {row.subject} again"]
    steps += [f"run {_name(run)} again (it was {run.state})" for run in again]
    steps += [f"ask again for what was refused: {effect.kind} ({effect.error})" for effect in refused]
    steps += [f"show the check {check.name} ({check.reason})" for check in dead]
    stays = [f"{_name(run)} is done" for run in runs if run not in again and run.state == RunState.DONE]
    stays += [
        _stays(effect) for effect in effects if effect.state in (EffectState.CONFIRMED, EffectState.SENT)
    ]
    return Replay(kind="event", id=row.id, was=was, steps=steps, stays=tuple(dict.fromkeys(stays)))


def _reopen(
    session: Session,
    row: Delivery | EventRow | CheckRow,
    *,
    attempts: int,
    dry_run: bool,
    hinted: bool = True,
) -> None:
    """Let a row be claimed again; nothing that happened since it was read is overwritten."""
    if dry_run:
        return
    _change(
        session,
        row,
        state=State.READY,
        reason=None,
        attempts=attempts,
        due_at=now(),
        lease_until=None,
        finished_at=None,
        hinted_at=now() if hinted else None,
        hints=1 if hinted else 0,
    )


def _change(session: Session, row: Delivery | EventRow | CheckRow, **values: object) -> None:
    """Write values into a row that is in the state it was read in. Raises NotReplayable if it is not any more."""
    model = type(row)
    result = session.execute(
        update(model)
        .where(model.key_column() == row.key, model.state == row.state)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise NotReplayable(
            f"{model.__tablename__} {row.key} has just changed", next_step=f"packit-worker explain {row.key}"
        )


def _dead_checks(session: Session, row: EventRow) -> list[CheckRow]:
    statement = select(CheckRow).where(CheckRow.event_id == row.id, CheckRow.state == State.DEAD)
    return list(session.execute(statement.order_by(CheckRow.name)).scalars())


def _why(row: Delivery | EventRow | CheckRow) -> str:
    name = f"the check {row.name}" if isinstance(row, CheckRow) else "the work"
    return f"{name}: {row.reason or 'without a reason'}"


def _plan_again(session: Session, runs: Sequence[RunRow]) -> None:
    session.execute(
        update(RunRow)
        .where(RunRow.id.in_([run.id for run in runs]))
        .values(state=RunState.PLANNED, error=None, finished_at=None, started_at=None)
        .execution_options(synchronize_session=False)
    )


def _ask_again(session: Session, refused: Sequence[EffectRow]) -> None:
    """What was refused is known not to have been done, and what stood in its way may be gone."""
    session.execute(
        update(EffectRow)
        .where(EffectRow.key.in_([effect.key for effect in refused]))
        .values(state=EffectState.PLANNED)
        .execution_options(synchronize_session=False)
    )


def _name(run: RunRow) -> str:
    return " for ".join(part for part in (run.handler, run.job) if part)


def _stays(effect: EffectRow) -> str:
    if effect.state == EffectState.SENT:
        return f"{effect.kind}: a call has had no answer; it is looked for before it is made again"
    about = effect.request.get("name") if effect.kind == "check" else effect.external_id
    return f"{effect.kind} {about or effect.key} is confirmed, and is not done again"
