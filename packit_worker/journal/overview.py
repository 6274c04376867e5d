"""How the service has been doing lately, in numbers: for the first page that an operator looks at.

Writes nothing. The statements go along indexes, and look at a bounded part of the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, defer

from packit_worker.journal.base import State
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import EffectRow
from packit_worker.journal.events import EventRow

HOURS = 24
#: How many of the newest deliveries the latency is taken from.
_MEASURED = 1000
#: How far back sources are looked for.
_WEEK = timedelta(days=7)
_GIVEN_UP = (State.DEAD, State.MALFORMED)
Work = Delivery | EventRow | CheckRow


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source of deliveries, and when the last came from it; None: more than a week ago."""

    name: str
    last_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Latency:
    """From the arrival of a delivery to the first new check that was shown because of it, in seconds."""

    measured: int
    p50: float
    p95: float


def per_hour(session: Session, at: datetime) -> list[int]:
    """How many deliveries came in each of the last ``HOURS`` hours before a moment, the oldest hour first."""
    begins = [at - timedelta(hours=HOURS - number) for number in range(HOURS)]
    counts = [
        func.count(
            case(
                (
                    (Delivery.received_at >= begin) & (Delivery.received_at < begin + timedelta(hours=1)),
                    1,
                )
            )
        )
        for begin in begins
    ]
    row = session.execute(select(*counts).where(Delivery.received_at >= begins[0])).one()
    return list(row)


def source_names(session: Session) -> list[str]:
    """Who has ever sent anything, by name. One statement each: the index is jumped along, not read through."""
    names: list[str] = []
    after = select(func.min(Delivery.source))
    while (name := session.execute(after).scalar_one()) is not None:
        names.append(name)
        after = select(func.min(Delivery.source)).where(Delivery.source > name)
    return names


def sources(session: Session, at: datetime) -> list[Source]:
    """The sources by name, with the last that came from each in the week before a moment."""
    last = select(Delivery.received_at).order_by(Delivery.received_at.desc()).limit(1)
    return [
        Source(
            name=name,
            last_at=session.execute(
                last.where(Delivery.source == name, Delivery.received_at >= at - _WEEK)
            ).scalar_one_or_none(),
        )
        for name in source_names(session)
    ]


def latency(session: Session, at: datetime) -> Latency | None:
    """How soon new checks were shown for the newest deliveries of the last ``HOURS`` hours; None if none were."""
    newest = (
        select(Delivery.id, Delivery.received_at)
        .where(Delivery.received_at >= at - timedelta(hours=HOURS))
        .order_by(Delivery.received_at.desc())
        .limit(_MEASURED)
        .subquery()
    )
    shown = (
        select(newest.c.received_at, func.min(EffectRow.confirmed_at))
        .join(EventRow, EventRow.delivery_id == newest.c.id)
        .join(EffectRow, EffectRow.event_id == EventRow.id)
        # news of builds and tests change checks that are there; what people wait for is that there are any
        .where(
            EffectRow.kind == "check",
            EffectRow.key.endswith("/create"),
            EffectRow.confirmed_at.is_not(None),
        )
        .group_by(newest.c.id, newest.c.received_at)
    )
    seconds = sorted(
        max((first - received).total_seconds(), 0.0) for received, first in session.execute(shown)
    )
    if not seconds:
        return None
    return Latency(measured=len(seconds), p50=_percentile(seconds, 50), p95=_percentile(seconds, 95))


def failures(session: Session, at: datetime) -> int:
    """How much was given up or could not be read in the last ``HOURS`` hours before a moment."""
    since = at - timedelta(hours=HOURS)
    counts = [
        select(func.count())
        .select_from(model)
        .where(model.state.in_(_GIVEN_UP), model.finished_at >= since)
        .scalar_subquery()
        for model in (Delivery, EventRow, CheckRow)
    ]
    return int(session.execute(select(counts[0] + counts[1] + counts[2])).scalar_one())


def dead(session: Session, limit: int) -> list[Work]:
    """What was given up and can be replayed, newest first: deliveries, events, and checks that cannot be shown."""
    found: list[Work] = []
    for model in (Delivery, EventRow, CheckRow):
        found += _in_state(session, model, State.DEAD, limit)
    return sorted(found, key=_ended, reverse=True)[:limit]


def held(session: Session, limit: int) -> Sequence[Delivery]:
    """The deliveries that wait for an operator to release them, newest first."""
    return _in_state(session, Delivery, State.HELD, limit)


def _in_state(session: Session, model: Any, state: State, limit: int) -> list[Any]:
    statement = select(model).where(model.state == state).order_by(model.finished_at.desc()).limit(limit)
    if model is Delivery:
        statement = statement.options(defer(Delivery.body, raiseload=True))
    return list(session.execute(statement).scalars())


def _ended(row: Work) -> datetime:
    return row.finished_at or row.due_at


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The value that so many percent of the ordered ones do not exceed (nearest rank)."""
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)]
