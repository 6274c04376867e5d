"""Test runs: one row per request to Testing Farm, and the order each belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert
from packit_worker.ports import TestState


class TestRunRow(Base):
    """A request to Testing Farm for one chroot. ``task`` and ``kwargs`` are the event that wanted it."""

    __tablename__ = "test_runs"
    __test__ = False
    __table_args__ = (Index(None, "state", "look_at"), Index(None, "project_url", "commit_sha"))

    request_id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"), index=True)
    task: Mapped[str]
    kwargs: Mapped[dict[str, Any]] = mapped_column(JSON)
    project_url: Mapped[str]
    commit_sha: Mapped[str]
    job: Mapped[str]
    chroot: Mapped[str]
    build_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=TestState.NEW)
    result: Mapped[str | None]
    web_url: Mapped[str | None]
    submitted_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    looks: Mapped[int] = mapped_column(default=0)


def order(session: Session, row: dict[str, Any]) -> None:
    """Write down a request that was made."""
    session.execute(
        insert(session, TestRunRow)
        .values({"state": TestState.NEW, "submitted_at": now(), "looks": 0} | row)
        .on_conflict_do_nothing()
    )


def find(session: Session, request_id: str) -> TestRunRow | None:
    """The test run of a request."""
    return session.get(TestRunRow, request_id)


def of_commit(session: Session, project_url: str, commit_sha: str) -> list[TestRunRow]:
    """The test runs of a commit, newest first."""
    statement = select(TestRunRow).where(
        TestRunRow.project_url == project_url, TestRunRow.commit_sha == commit_sha
    )
    return list(session.execute(statement.order_by(TestRunRow.submitted_at.desc())).scalars())


def open_of_project(session: Session, project_url: str) -> list[TestRunRow]:
    """The requests for tests of a project that have not ended."""
    statement = select(TestRunRow).where(TestRunRow.project_url == project_url, TestRunRow.ended_at.is_(None))
    return list(session.execute(statement.order_by(TestRunRow.submitted_at)).scalars())


def update_state(
    session: Session, request_id: str, state: TestState, result: str | None, web_url: str | None
) -> bool:
    """Write down what a request has come to. False when it had ended already: late news changes nothing."""
    values: dict[str, Any] = {"state": state, "result": result}
    if web_url:
        values["web_url"] = web_url
    if state.is_final:
        values |= {"ended_at": now(), "look_at": None}
    return _move(session, request_id, **values)


def _move(session: Session, request_id: str, **values: Any) -> bool:
    result = session.execute(
        update(TestRunRow)
        .where(TestRunRow.request_id == request_id, TestRunRow.ended_at.is_(None))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def silent(session: Session, limit: int, again: datetime) -> list[TestRunRow]:
    """Requests without news for long enough that Testing Farm is asked; nobody else gets them until ``again``."""
    statement = (
        select(TestRunRow)
        .where(TestRunRow.ended_at.is_(None), TestRunRow.look_at < now())
        .order_by(TestRunRow.look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.execute(statement).scalars())
    for row in rows:
        row.look_at = again
    return rows


def looked(session: Session, row: TestRunRow, next_at: datetime | None) -> None:
    """Testing Farm answered: it is asked next at ``next_at``, unless the request has ended since."""
    _move(session, row.request_id, looks=row.looks + 1, look_at=next_at)
