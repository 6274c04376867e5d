"""Effects: everything done outside, once each. A key says what an effect is for; two rows can't have the same.

planned -> sent (committed before the call) -> confirmed. An effect found ``sent`` has an unknown fate: its worker
died, or no answer came. It is looked up at the other side before it may be sent again (``packit_worker.effecting``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, select, update
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


def begin(session: Session, effect: Effect) -> EffectRow | None:
    """Write an effect down as sent. None when it is new and the call may be made; else the row that was there.

    One statement for a new effect. A planned one (its call is known not to have gone out) counts as new.
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
            set_={"state": EffectState.SENT, "sends": EffectRow.sends + 1, "sent_at": moment, "error": None},
            where=EffectRow.state == EffectState.PLANNED,
        )
        .returning(EffectRow.key)
    )
    if session.execute(statement).scalar_one_or_none() is not None:
        return None
    return session.get_one(EffectRow, effect.key)


def send_again(session: Session, key: str) -> None:
    """The other side does not have it, and will not get it any more from the earlier call: one more call is made."""
    _set(session, key, state=EffectState.SENT, sends=EffectRow.sends + 1, sent_at=now())


def confirm(session: Session, key: str, external_id: str | None, external_url: str | None) -> None:
    """The other side has it."""
    _set(
        session,
        key,
        state=EffectState.CONFIRMED,
        external_id=external_id,
        external_url=external_url,
        confirmed_at=now(),
        error=None,
    )


def not_sent(session: Session, key: str, error: str) -> None:
    """The call is known not to have been carried out; it may be made again at once."""
    _set(session, key, state=EffectState.PLANNED, error=error)


def unanswered(session: Session, key: str, error: str) -> None:
    """No answer came. The row stays ``sent``, and the time of this call counts."""
    _set(session, key, error=error)


def refuse(session: Session, key: str, error: str) -> None:
    """The other side said no."""
    _set(session, key, state=EffectState.REFUSED, error=error)


def of_event(session: Session, event_id: str) -> list[EffectRow]:
    """The effects of an event in the order they were begun."""
    statement = select(EffectRow).where(EffectRow.event_id == event_id).order_by(EffectRow.created_at, EffectRow.key)
    return list(session.execute(statement).scalars())


def _set(session: Session, key: str, **values: Any) -> None:
    session.execute(
        update(EffectRow)
        .where(EffectRow.key == key)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
