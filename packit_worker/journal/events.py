"""Events: what deliveries stand for, with the task that carries each and how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    exists,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, aliased, mapped_column

from packit_worker.journal.base import OPEN, Base, Claimable, State, now
from packit_worker.journal.database import insert


class EventRow(Claimable, Base):
    """An event. ``id`` is its Celery task's id. ``seq`` is the order of arrival, which events of one subject keep."""

    __tablename__ = "events"
    more_table_args = (Index(None, "subject", "state"), UniqueConstraint("same_as"))

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    delivery_id: Mapped[str | None] = mapped_column(ForeignKey("deliveries.id"), index=True)
    task: Mapped[str]
    lane: Mapped[str]
    kwargs: Mapped[dict[str, Any]] = mapped_column(JSON)
    subject: Mapped[str]
    same_as: Mapped[str | None]
    superseded_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    @classmethod
    def key_column(cls) -> InstrumentedAttribute[str]:
        return cls.id

    @property
    def key(self) -> str:
        return self.id

    @classmethod
    def waits_for_nothing(cls) -> list[ColumnElement[bool]]:
        """No earlier event of the same subject is open."""
        earlier = aliased(cls)
        # "with_for_update" locks the outer rows only; the inner look needs no lock: an earlier event never reopens.
        return [
            ~exists(
                select(earlier.seq).where(
                    earlier.subject == cls.subject, earlier.seq < cls.seq, earlier.state.in_(OPEN)
                )
            ).correlate(cls)
        ]


def new_id() -> str:
    """An id for an event; it becomes the id of its Celery task."""
    return str(uuid.uuid4())


def record(
    session: Session,
    *,
    id: str,
    delivery_id: str | None,
    task: str,
    lane: str,
    kwargs: Mapping[str, Any],
    subject: str,
    same_as: str | None = None,
) -> bool:
    """Write an event down. False when the same fact (``same_as``) has come before."""
    statement = (
        insert(session, EventRow)
        .values(
            id=id,
            delivery_id=delivery_id,
            task=task,
            lane=lane,
            kwargs=dict(kwargs),
            subject=subject,
            same_as=same_as,
            state=State.READY,
            attempts=0,
            claim=0,
            created_at=now(),
            due_at=now(),
            hinted_at=now(),
            hints=1,
        )
        .on_conflict_do_nothing()
        .returning(EventRow.seq)
    )
    return session.execute(statement).scalar_one_or_none() is not None


def supersede(session: Session, *, subject: str, task: str, by: str) -> None:
    """Events of this kind and subject that nobody has begun are overtaken by the newer one ``by``."""
    session.execute(
        update(EventRow)
        .where(
            EventRow.subject == subject,
            EventRow.task == task,
            EventRow.state == State.READY,
            EventRow.id != by,
        )
        .values(
            state=State.SUPERSEDED,
            superseded_by=by,
            reason="a newer push to the same pull request came before work on this one began",
            finished_at=now(),
        )
        .execution_options(synchronize_session=False)
    )


def next_of(session: Session, subject: str) -> EventRow | None:
    """The event of a subject whose turn has come, if it is due; marks it as hinted."""
    statement = (
        update(EventRow)
        .where(
            EventRow.seq
            == select(EventRow.seq)
            .where(EventRow.subject == subject, EventRow.state == State.READY)
            .order_by(EventRow.seq)
            .limit(1)
            .scalar_subquery(),
            EventRow.due_at <= now(),
        )
        .values(hinted_at=now())
        .returning(EventRow)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).scalar_one_or_none()


def wake(session: Session, subject: str) -> None:
    """Events of a subject that were parked are due now: what they waited for has come."""
    session.execute(
        update(EventRow)
        .where(EventRow.subject == subject, EventRow.state == State.READY)
        .values(due_at=now(), hinted_at=None, hints=0)
        .execution_options(synchronize_session=False)
    )


def move(session: Session, id: str, lane: str) -> None:
    """What is left of an event is for another lane."""
    session.execute(
        update(EventRow)
        .where(EventRow.id == id)
        .values(lane=lane)
        .execution_options(synchronize_session=False)
    )
