"""Deliveries: every message as it came in, byte for byte, and what was made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Index, LargeBinary, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from packit_worker.journal.base import Base, Claimable, State, now
from packit_worker.journal.database import insert

#: The one header of a delivery whose body has left: when it did, in ISO 8601.
BODY_LEFT = "X-Body-Left"


class Delivery(Claimable, Base):
    """A message as received. Its id is the sender's (X-GitHub-Delivery), or ours where the sender has none."""

    __tablename__ = "deliveries"
    more_table_args = (Index(None, "source", "body_sha256"), Index(None, "received_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    event_type: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(default=now)
    headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    body_sha256: Mapped[str]

    @classmethod
    def key_column(cls) -> InstrumentedAttribute[str]:
        return cls.id

    @property
    def key(self) -> str:
        return self.id

    @classmethod
    def waits_for_nothing(cls) -> list[ColumnElement[bool]]:
        return []


@dataclass(frozen=True)
class Recorded:
    """What recording came to: ``state`` of the delivery, and whether it was there before."""

    state: str
    reason: str | None
    is_duplicate: bool


def record(
    session: Session,
    *,
    id: str,
    source: str,
    event_type: str | None,
    headers: Mapping[str, str],
    body: bytes,
    ignored: str | None = None,
    held: str | None = None,
    replay_window: timedelta | None = None,
) -> Recorded:
    """Write a delivery down, once and for ever.

    ``ignored`` is the reason when it is known already that nothing follows from it, ``held`` when an operator has to
    release it first. Within ``replay_window`` a body that was seen under another id is held: who signs a body does not
    sign its id, so this may be a replay.
    """
    moment = now()
    digest = hashlib.sha256(body).hexdigest()
    state, reason = (State.IGNORED, ignored) if ignored else (State.READY, None)
    if held and not ignored:
        state, reason = State.HELD, held
    if replay_window is not None and not ignored:
        earlier = _same_body(session, source, digest, id, moment - replay_window)
        if earlier is not None:
            state, reason = State.HELD, f"suspected replay: the same body came as {earlier}"
    finished = None if state == State.READY else moment
    statement = (
        insert(session, Delivery)
        .values(
            id=id,
            source=source,
            event_type=event_type,
            received_at=moment,
            headers=dict(headers),
            body=body,
            body_sha256=digest,
            state=state,
            reason=reason,
            finished_at=finished,
            due_at=moment,
            hinted_at=moment,
            hints=1,
            attempts=0,
            claim=0,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(Delivery.id)
    )
    if session.execute(statement).scalar_one_or_none() is None:
        # Without the body, which can be large.
        there = session.execute(select(Delivery.state, Delivery.reason).where(Delivery.id == id)).one()
        return Recorded(there.state, there.reason, is_duplicate=True)
    return Recorded(state, reason, is_duplicate=False)


def is_known(session: Session, id: str) -> bool:
    """Whether this delivery was written down."""
    return session.execute(select(Delivery.id).where(Delivery.id == id)).scalar_one_or_none() is not None


def last_received(session: Session, source: str) -> datetime | None:
    """When the last message of a source came; None if there was none."""
    statement = select(Delivery.received_at).where(Delivery.source == source)
    return session.execute(statement.order_by(Delivery.received_at.desc()).limit(1)).scalar_one_or_none()


def _same_body(session: Session, source: str, digest: str, id: str, since: datetime) -> str | None:
    return session.execute(
        select(Delivery.id)
        .where(
            Delivery.source == source,
            Delivery.body_sha256 == digest,
            Delivery.id != id,
            Delivery.received_at >= since,
        )
        .limit(1)
    ).scalar_one_or_none()
