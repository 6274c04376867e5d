"""Runs: one handler at work for one event, job and target. A run that has ended is never run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert

#: What makes a run: handler, job, target.
RunKey = tuple[str, str, str]


class RunState(StrEnum):
    """How far a run is."""

    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"
    RETRY = "retry"


class RunRow(Base):
    """A run. ``note`` is what the handler says of it, ``error`` the traceback of a bug."""

    __tablename__ = "runs"
    __table_args__ = (UniqueConstraint("event_id", "handler", "job", "target"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"), index=True)
    handler: Mapped[str]
    job: Mapped[str]
    target: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=RunState.PLANNED)
    attempts: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


def of_event(session: Session, event_id: str) -> dict[RunKey, RunRow]:
    """The runs of an event by their key."""
    rows = session.execute(select(RunRow).where(RunRow.event_id == event_id)).scalars()
    return {(row.handler, row.job, row.target): row for row in rows}


def plan(session: Session, event_id: str, keys: Iterable[RunKey]) -> None:
    """Write down what is going to be run, in one statement. Runs that are there stay as they are."""
    rows = [
        {
            "event_id": event_id,
            "handler": handler,
            "job": job,
            "target": target,
            "state": RunState.PLANNED,
            "attempts": 0,
            "created_at": now(),
        }
        for handler, job, target in keys
    ]
    if rows:
        session.execute(insert(session, RunRow).values(rows).on_conflict_do_nothing())


def write_results(session: Session, event_id: str, results: Iterable[Mapping[str, Any]]) -> None:
    """Write down how runs went: handler, job, target, state, note, error, started_at, finished_at, attempts.

    Results alike in everything but their run are written in one statement, so that twenty runs cost what one does.
    """
    rows = [
        {
            "b_handler": result["handler"],
            "b_job": result["job"],
            "b_target": result["target"],
            "b_state": result["state"],
            "b_note": result.get("note"),
            "b_error": result.get("error"),
            "b_started_at": result.get("started_at"),
            "b_finished_at": result.get("finished_at"),
        }
        for result in results
    ]
    if not rows:
        return
    # Core, not ORM: executemany with a WHERE of our own, which the driver sends as one batch.
    table = RunRow.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(
            table.c.event_id == event_id,
            table.c.handler == bindparam("b_handler"),
            table.c.job == bindparam("b_job"),
            table.c.target == bindparam("b_target"),
        )
        .values(
            state=bindparam("b_state"),
            note=bindparam("b_note"),
            error=bindparam("b_error"),
            started_at=bindparam("b_started_at"),
            finished_at=bindparam("b_finished_at"),
            attempts=table.c.attempts + 1,
        )
    )
    session.connection().execute(statement, rows)
