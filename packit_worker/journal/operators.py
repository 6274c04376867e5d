"""What operators have done on the web pages: the audit trail. Rows are added, and never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now


class OperatorActionRow(Base):
    """An action. ``by`` is the operator's name, ``about`` what it was done to, ``outcome`` what came of it."""

    __tablename__ = "operator_actions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=now)
    by: Mapped[str]
    action: Mapped[str]
    about: Mapped[str]
    outcome: Mapped[str]


def record(session: Session, *, by: str, action: str, about: str, outcome: str) -> None:
    """Write an action down, in the transaction that does it."""
    session.add(OperatorActionRow(by=by, action=action, about=about, outcome=outcome))
    session.flush()


def actions(session: Session, limit: int, before: int | None = None) -> list[OperatorActionRow]:
    """The newest actions, newest first; those older than the action ``before``, to turn pages."""
    statement = select(OperatorActionRow).order_by(OperatorActionRow.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(OperatorActionRow.id < before)
    return list(session.execute(statement).scalars())
