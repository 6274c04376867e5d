"""What the journal lets go of: bodies of old deliveries, and all that is told of what ended long ago.

A delivery's id and the hash of its body stay for ever, so that it is known when it comes again. So do effects that are
done once for good (an issue, a comment), whoever asked for them. Stories go whole: of a pull request, or of whatever
else events are about, everything is old and ended, or nothing goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from packit_worker.config.service import RetentionConfig
from packit_worker.journal.base import OPEN, State, now
from packit_worker.journal.builds import BuildRow, BuildState
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.database import Journal
from packit_worker.journal.decisions import DecisionRow
from packit_worker.journal.deliveries import BODY_LEFT, Delivery
from packit_worker.journal.effects import EffectRow
from packit_worker.journal.events import EventRow
from packit_worker.journal.projects import ConfigRow
from packit_worker.journal.runs import RunRow
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.ports import CheckStatus

#: Rows a transaction: short enough for others to wait for, also where one writes at a time.
BATCH = 100
#: Ends that an operator may turn into a beginning: their bodies are kept for as long as rows are.
_RELEASABLE = (State.HELD, State.DEAD)
_PARTS: Sequence[tuple[str, Any]] = (
    ("decisions", DecisionRow),
    ("runs", RunRow),
    ("builds", BuildRow),
    ("test runs", TestRunRow),
    ("checks", CheckRow),
)

#: Told after every batch: how many of each kind have gone so far.
Progress = Callable[[Mapping[str, int]], None]


def purge(
    journal: Journal,
    retention: RetentionConfig,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Mapping[str, int]:
    """Let go of what is old, ``BATCH`` rows a transaction, until nothing is left or ``stop`` says so.

    Returns how many bodies, their bytes, and rows of each kind have gone; ``dry_run``: would go. Two may purge at the
    same time. Raises JournalUnavailable; what has gone until then has gone.
    """
    gone: Counter[str] = Counter()
    for step in _steps(retention, dry_run):
        after: Any = None
        while not stop():
            with (journal.read if dry_run else journal.write)() as session:
                after, counted = step(session, after)
            gone.update(counted)
            if after is None:
                break
            progress(gone)
    return dict(gone)


#: Deals with the batch behind a key: the last key of that batch (None when there is no more), and what has gone.
_Step = Callable[[Session, Any], tuple[Any, Mapping[str, int]]]


def _steps(retention: RetentionConfig, dry_run: bool) -> Iterator[_Step]:
    moment = now()
    if retention.rows_days:
        old = moment - timedelta(days=retention.rows_days)
        yield lambda session, after: _events(session, after, old, dry_run)
        yield lambda session, after: _configs(session, after, old, dry_run)
        yield lambda session, after: _bodies(session, after, old, _RELEASABLE, dry_run)
    if retention.bodies_days:
        old_body = moment - timedelta(days=retention.bodies_days)
        read = tuple(state for state in State if state not in (*OPEN, *_RELEASABLE))
        yield lambda session, after: _bodies(session, after, old_body, read, dry_run)


def _bodies(
    session: Session,
    after: tuple[datetime, str] | None,
    before: datetime,
    states: Sequence[State],
    dry_run: bool,
) -> tuple[tuple[datetime, str] | None, Mapping[str, int]]:
    conditions = [Delivery.received_at < before, Delivery.body.is_not(None), Delivery.state.in_(states)]
    if after is not None:
        moment, id = after
        conditions.append(
            or_(Delivery.received_at > moment, (Delivery.received_at == moment) & (Delivery.id > id))
        )
    rows = session.execute(
        select(Delivery.id, Delivery.received_at, func.length(Delivery.body))
        .where(*conditions, ~exists().where(EventRow.delivery_id == Delivery.id, EventRow.state.in_(OPEN)))
        .order_by(Delivery.received_at, Delivery.id)
        .limit(BATCH)
    ).all()
    if not rows:
        return None, {}
    if not dry_run:
        session.execute(
            update(Delivery)
            # Whoever releases one at this moment has it.
            .where(Delivery.id.in_([row[0] for row in rows]), Delivery.state.in_(states))
            .values(body=None, headers={BODY_LEFT: now().isoformat()})
            .execution_options(synchronize_session=False)
        )
    return (rows[-1][1], rows[-1][0]), {"bodies": len(rows), "bytes of bodies": sum(row[2] for row in rows)}


def _events(
    session: Session, after: int | None, before: datetime, dry_run: bool
) -> tuple[int | None, Mapping[str, int]]:
    old = select(EventRow.seq, EventRow.id).where(EventRow.seq > (after or 0), *_is_over(before))
    old = old.order_by(EventRow.seq).limit(BATCH)
    # Whoever replays one at this moment has it.
    found = session.execute(old if dry_run else old.with_for_update(skip_locked=True)).all()
    if not found:
        return None, {}
    ids = [row.id for row in found]
    gone = {name: _drop(session, table, table.event_id.in_(ids), dry_run=dry_run) for name, table in _PARTS}
    # Keys that do not hold the event's id stand for what is done once for good.
    own = or_(EffectRow.kind == "check", EffectRow.key.contains(EffectRow.event_id))
    gone["effects"] = _drop(session, EffectRow, EffectRow.event_id.in_(ids), own, dry_run=dry_run)
    if not dry_run:
        session.execute(
            update(EffectRow)
            .where(EffectRow.event_id.in_(ids))
            .values(event_id=None)
            .execution_options(synchronize_session=False)
        )
    gone["events"] = _drop(session, EventRow, EventRow.id.in_(ids), dry_run=dry_run)
    return found[-1].seq, gone


def _is_over(before: datetime) -> list[ColumnElement[bool]]:
    """Nothing of the event's subject is open or young, and nothing that it asked for is under way."""
    sibling = aliased(EventRow)
    return [
        EventRow.finished_at < before,
        ~exists().where(
            sibling.subject == EventRow.subject,
            or_(
                sibling.state.in_(OPEN),
                sibling.finished_at.is_(None),
                sibling.finished_at >= before,
            ),
        ),
        ~exists().where(
            BuildRow.event_id == EventRow.id,
            BuildRow.state.in_([state for state in BuildState if not state.is_final]),
        ),
        ~exists().where(TestRunRow.event_id == EventRow.id, TestRunRow.ended_at.is_(None)),
        ~exists().where(
            CheckRow.event_id == EventRow.id,
            or_(
                CheckRow.state.in_(OPEN),
                CheckRow.status != CheckStatus.COMPLETED,
                CheckRow.wanted_at >= before,
            ),
        ),
    ]


def _configs(
    session: Session, after: int | None, before: datetime, dry_run: bool
) -> tuple[int | None, Mapping[str, int]]:
    """What was read of projects; who needs it again reads it again."""
    ids = (
        session.execute(
            select(ConfigRow.id)
            .where(ConfigRow.id > (after or 0), ConfigRow.read_at < before)
            .order_by(ConfigRow.id)
            .limit(BATCH)
        )
        .scalars()
        .all()
    )
    if not ids:
        return None, {}
    return ids[-1], {
        "package configurations": _drop(session, ConfigRow, ConfigRow.id.in_(ids), dry_run=dry_run)
    }


def _drop(session: Session, table: Any, *where: ColumnElement[bool], dry_run: bool) -> int:
    if dry_run:
        return session.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
    result = session.execute(delete(table).where(*where).execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]
