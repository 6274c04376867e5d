"""How long work has been waiting, lane by lane: what an operator looks at first, and what scales workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import Session

from events.base import LANES, PARSE, REPORT
from packit_worker.journal.base import OPEN, State, now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A lane. ``waiting``: due, and nobody works on it; ``later``: due in the future (tried again, or asked for later).

    ``oldest_due_at`` is the longest that anything has been waiting; ``dead`` counts what was given up.
    """

    lane: str
    waiting: int
    running: int
    later: int
    dead: int
    oldest_due_at: datetime | None

    def oldest_seconds(self, at: datetime) -> float:
        """How long the oldest has been waiting."""
        return max((at - self.oldest_due_at).total_seconds(), 0.0) if self.oldest_due_at else 0.0


def all_of(session: Session) -> list[Queue]:
    """Every lane, in the order of the way. Three statements."""
    found = {queue.lane: queue for queue in _queues(session)}
    return [
        found.get(lane) or Queue(lane=lane, waiting=0, running=0, later=0, dead=0, oldest_due_at=None)
        for lane in LANES
    ]


def outcomes(session: Session, since: datetime) -> dict[str, int]:
    """How many deliveries since then came to what, most first."""
    outcome = func.coalesce(EventRow.state, Delivery.state)
    rows = session.execute(
        select(outcome, func.count())
        .select_from(Delivery)
        .outerjoin(EventRow, EventRow.delivery_id == Delivery.id)
        .where(Delivery.received_at >= since)
        .group_by(outcome)
        .order_by(func.count().desc())
    )
    return {str(name): number for name, number in rows}


def _queues(session: Session) -> Iterator[Queue]:
    lanes: tuple[tuple[Any, Any], ...] = (
        (Delivery, literal(PARSE)),
        (EventRow, EventRow.lane),
        (CheckRow, literal(REPORT)),
    )
    moment = now()
    for model, lane in lanes:
        due = (model.state == State.READY) & (model.due_at <= moment)
        rows = session.execute(
            select(
                lane.label("lane"),
                *(
                    _count(due, "waiting"),
                    _count(model.state == State.RUNNING, "running"),
                    _count((model.state == State.READY) & (model.due_at > moment), "later"),
                    _count(model.state == State.DEAD, "dead"),
                ),
                func.min(case((due, model.due_at))).label("oldest_due_at"),
            )
            # by state, so that the index serves: most of a journal is done
            .where(model.state.in_((*OPEN, State.DEAD)))
            .group_by(lane)
        )
        yield from (Queue(**row) for row in rows.mappings())


def _count(condition: ColumnElement[bool], name: str) -> ColumnElement[int]:
    return func.count(case((condition, 1))).label(name)
