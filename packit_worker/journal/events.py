"""Events: what deliveries stand for, with the task that carries each and how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, aliased, mapped_column

from packit_worker.journal.base import OPEN, Base, Claimable, State, now
from packit_worker.journal.database import insert


class EventRow(Claimable, Base):
    """An event. ``id`` is its Celery task's id. ``seq`` is the order of arrival, which events of one subject keep."""

    __tablename__ = "events"
    #: The database's own word for "one at a time": of two workers that claim two events of a subject at the same
    #: moment neither sees the other's claim.
    ONE_AT_A_TIME = text("state = 'running'")
    more_table_args = (
        Index(None, "subject", "state"),
        Index(
            "uq_events_running_subject",
            "subject",
            unique=True,
            sqlite_where=ONE_AT_A_TIME,
            postgresql_where=ONE_AT_A_TIME,
        ),
        UniqueConstraint("same_as"),
    )

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
        """No earlier event of the same subject is open, and no other is being worked on.

        An earlier one can turn up late (its transaction took longer, or it was replayed) when a later one has begun:
        then it waits for that one's end, or for its next attempt.
        """
        earlier, other = aliased(cls), aliased(cls)
        is_first = ~exists(
            select(earlier.seq).where(
                earlier.subject == cls.subject, earlier.seq < cls.seq, earlier.state.in_(OPEN)
            )
        ).correlate(cls)
        is_alone = ~exists(
            select(other.seq).where(
                other.subject == cls.subject, other.seq != cls.seq, other.state == State.RUNNING
            )
        ).correlate(cls)
        return [or_(cls.state == State.RUNNING, is_first), is_alone]


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
    """Events of this kind and subject that nobody has begun are overtaken by the newer one ``by``.

    One that was begun goes its way to its end: it may have shown checks and ordered builds that only it will see to.
    """
    session.execute(
        update(EventRow)
        .where(
            EventRow.subject == subject,
            EventRow.task == task,
            EventRow.state == State.READY,
            EventRow.claim == 0,
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


def waiting_of(session: Session, scope: str, most: int) -> int:
    """How many events wait whose subjects begin with ``scope``; nobody counts further than ``most``."""
    some = (
        select(EventRow.seq)
        .where(EventRow.state == State.READY, EventRow.subject.startswith(scope, autoescape=True))
        .limit(most)
        .subquery()
    )
    return session.execute(select(func.count()).select_from(some)).scalar_one()


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


def before(session: Session, row: EventRow, tasks: Iterable[str], limit: int = 1) -> list[EventRow]:
    """The newest events of these tasks about the same subject that arrived before this one, newest first."""
    statement = (
        select(EventRow)
        .where(EventRow.subject == row.subject, EventRow.seq < row.seq, EventRow.task.in_(list(tasks)))
        .order_by(EventRow.seq.desc())
        .limit(limit)
    )
    return list(session.execute(statement).scalars())


def wake(session: Session, subject: str) -> None:
    """Events of a subject that were parked are due now: what they waited for has come."""
    session.execute(
        update(EventRow)
        .where(EventRow.subject == subject, EventRow.state == State.READY)
        .values(due_at=now(), hinted_at=None, hints=0)
        .execution_options(synchronize_session=False)
    )


def move(session: Session, id: str, lane: str) -> None:
    """What is left of an event is for another lane, with as many attempts as there were for this one."""
    session.execute(
        update(EventRow)
        .where(EventRow.id == id)
        .values(lane=lane, attempts=0)
        .execution_options(synchronize_session=False)
    )
