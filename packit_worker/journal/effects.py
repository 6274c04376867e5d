"""Effects: everything done outside, once each. A key says what an effect is for; two rows can't have the same.

planned -> sent (committed before the call) -> confirmed. An effect found ``sent`` has an unknown fate: its worker
died, or no answer came. It is looked up at the other side before it may be sent again (``packit_worker.effecting``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert


class EffectState(StrEnum):
    """How far an effect is."""

    PLANNED = "planned"
    SENT = "sent"
    CONFIRMED = "confirmed"
    #: The other side said no, for good.
    REFUSED = "refused"


class EffectRow(Base):
    """An effect. ``external_id`` and ``external_url`` are the other side's; ``sends`` counts the calls."""

    __tablename__ = "effects"

    key: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str | None] = mapped_column(ForeignKey("events.id"), index=True)
    kind: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str]
    external_id: Mapped[str | None]
    external_url: Mapped[str | None]
    sends: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    error: Mapped[str | None]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What an effect is: its key, its kind (copr_build, test_request, check...), and what is asked for, for people."""

    key: str
    kind: str
    event_id: str | None
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Begun:
    """The number of a call, by which its end is told from that of another; or what was there instead of a call."""

    number: int
    there: EffectRow | None = None


def begin(session: Session, effect: Effect, *, anew: Iterable[EffectState] = (EffectState.PLANNED,)) -> Begun:
    """Write an effect down as sent: then the call may be made. Else ``there`` is the row that was there.

    One statement for a new effect. One in a state of ``anew`` counts as new and takes the request of now; a planned
    one, for its call is known not to have been carried out.
    """
    moment = now()
    statement = (
        insert(session, EffectRow)
        .values(
            key=effect.key,
            kind=effect.kind,
            event_id=effect.event_id,
            request=dict(effect.request),
            state=EffectState.SENT,
            sends=1,
            created_at=moment,
            sent_at=moment,
        )
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "state": EffectState.SENT,
                "sends": EffectRow.sends + 1,
                "sent_at": moment,
                "error": None,
                "request": dict(effect.request),
                "event_id": effect.event_id,
            },
            where=EffectRow.state.in_(list(anew)),
        )
        .returning(EffectRow.sends)
    )
    number = session.execute(statement).scalar_one_or_none()
    if number is not None:
        return Begun(number)
    there = session.get_one(EffectRow, effect.key)
    return Begun(there.sends, there)


def send_again(session: Session, effect: Effect, number: int) -> int | None:
    """The other side does not have it, and will not get it any more from call ``number``: one more call is made.

    Returns the new call's number; None when somebody else has settled it, or is at it.
    """
    statement = (
        update(EffectRow)
        .where(*_is_call(effect.key, number))
        .values(
            sends=EffectRow.sends + 1,
            sent_at=now(),
            error=None,
            request=dict(effect.request),
            event_id=effect.event_id,
        )
        .returning(EffectRow.sends)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).scalar_one_or_none()


def confirm(session: Session, key: str, external_id: str | None, external_url: str | None) -> bool:
    """The other side has it. False when that was known: then nothing changes."""
    return _set(
        session,
        [EffectRow.key == key, EffectRow.state != EffectState.CONFIRMED],
        state=EffectState.CONFIRMED,
        external_id=external_id,
        external_url=external_url,
        confirmed_at=now(),
        error=None,
    )


# The ends of a call that went wrong. ``number`` is the call's: what has come of a later one stays as it is.


def not_sent(session: Session, key: str, error: str, number: int | None = None) -> None:
    """The call is known not to have been carried out; it may be made again at once."""
    _set(session, _is_call(key, number), state=EffectState.PLANNED, error=error)


def unanswered(session: Session, key: str, error: str, number: int | None = None) -> None:
    """No answer came. The row stays ``sent``; that the call may still be carried out counts from now."""
    _set(session, _is_call(key, number), error=error, sent_at=now())


def refuse(session: Session, key: str, error: str, number: int | None = None) -> None:
    """The other side said no."""
    _set(session, _is_call(key, number), state=EffectState.REFUSED, error=error)


def is_any_unknown(session: Session, event_id: str) -> bool:
    """Whether the event has made a call of which nobody knows what became of it."""
    unknown = select(EffectRow.key).where(EffectRow.event_id == event_id, EffectRow.state == EffectState.SENT)
    return session.execute(unknown.limit(1)).first() is not None


def of_event(session: Session, event_id: str) -> list[EffectRow]:
    """The effects of an event in the order they were begun."""
    statement = (
        select(EffectRow).where(EffectRow.event_id == event_id).order_by(EffectRow.created_at, EffectRow.key)
    )
    return list(session.execute(statement).scalars())


def _is_call(key: str, number: int | None) -> list[ColumnElement[bool]]:
    """The call is out, and it is the newest."""
    is_out = [EffectRow.key == key, EffectRow.state == EffectState.SENT]
    return is_out if number is None else [*is_out, EffectRow.sends == number]


def of_external(session: Session, kind: str, external_id: str) -> list[EffectRow]:
    """The effects of a kind that the other side knows by this id, in the order they were begun."""
    statement = select(EffectRow).where(EffectRow.kind == kind, EffectRow.external_id == external_id)
    return list(session.execute(statement.order_by(EffectRow.created_at)).scalars())


def _set(session: Session, where: Iterable[ColumnElement[bool]], **values: Any) -> bool:
    result = session.execute(
        update(EffectRow).where(*where).values(**values).execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]
