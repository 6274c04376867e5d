"""What may still be asked of the systems outside, as all processes know it: one row per account there.

A system is known by its host, and an account of ours by the number of its installation, or "" where there is but one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert

#: Host, and number of the installation or "".
Key = tuple[str, str]

#: The part of a limit below which what is left has to be shared out with care: a tenth.
SCARCE = 10


class BudgetRow(Base):
    """``remaining`` calls of ``limit`` until ``reset_at``, and none at all until ``paused_until``.

    Times that have passed say nothing.
    """

    __tablename__ = "forge_budgets"

    host: Mapped[str] = mapped_column(primary_key=True)
    installation: Mapped[str] = mapped_column(primary_key=True)
    limit: Mapped[int]
    remaining: Mapped[int]
    reset_at: Mapped[datetime]
    paused_until: Mapped[datetime]
    heard_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a budget. Times are in seconds since the epoch, as forges count them; past ones say nothing."""

    limit: int = 0
    remaining: int = 0
    reset_at: float = 0.0
    paused_until: float = 0.0

    def with_news(self, other: Known) -> Known:
        """Both together: of two windows the later one, of the same the lower number, and the longer pause."""
        newest = max(self, other, key=lambda each: (each.reset_at, -each.remaining))
        return Known(
            limit=newest.limit,
            remaining=newest.remaining,
            reset_at=newest.reset_at,
            paused_until=max(self.paused_until, other.paused_until),
        )

    def is_scarce(self, at: float) -> bool:
        """Whether others have to know of it at once."""
        return self.paused_until > at or (self.reset_at > at and self.remaining * SCARCE <= self.limit)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A budget for people. ``remaining`` and ``reset_at`` are None once the limit has begun anew."""

    host: str
    installation: str
    limit: int
    remaining: int | None
    reset_at: datetime | None
    paused_until: datetime | None
    heard_at: datetime

    @property
    def is_scarce(self) -> bool:
        """Whether work waits for it, or soon will."""
        few = self.remaining is not None and self.remaining * SCARCE <= self.limit
        return few or self.paused_until is not None


def tell(session: Session, known: Mapping[Key, Known]) -> None:
    """Write down what was heard. One statement; what others have heard since stays, as in ``Known.with_news``."""
    if not known:
        return
    # In one order, so that two who tell of the same ones never wait for each other in a circle.
    rows = [
        {
            "host": key[0],
            "installation": key[1],
            "limit": known[key].limit,
            "remaining": known[key].remaining,
            "reset_at": _moment(known[key].reset_at),
            "paused_until": _moment(known[key].paused_until),
            "heard_at": now(),
        }
        for key in sorted(known)
    ]
    statement = insert(session, BudgetRow).values(rows)
    new: Any = statement.excluded
    is_newer = new.reset_at > BudgetRow.reset_at
    is_less = (new.reset_at == BudgetRow.reset_at) & (new.remaining < BudgetRow.remaining)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["host", "installation"],
            set_={
                "limit": case((is_newer | is_less, new.limit), else_=BudgetRow.limit),
                "remaining": case((is_newer | is_less, new.remaining), else_=BudgetRow.remaining),
                "reset_at": case((is_newer, new.reset_at), else_=BudgetRow.reset_at),
                "paused_until": case(
                    (new.paused_until > BudgetRow.paused_until, new.paused_until),
                    else_=BudgetRow.paused_until,
                ),
                "heard_at": new.heard_at,
            },
        )
    )


def scarce(session: Session) -> dict[Key, Known]:
    """The budgets that are nearly used up, or paused. One statement, and mostly without any row."""
    rows = session.execute(select(BudgetRow).where(_is_scarce(now()))).scalars()
    return {
        (row.host, row.installation): Known(
            limit=row.limit,
            remaining=row.remaining,
            reset_at=row.reset_at.timestamp(),
            paused_until=row.paused_until.timestamp(),
        )
        for row in rows
    }


def latest(session: Session, limit: int, at: datetime) -> list[Shown]:
    """The budgets that were heard of in the last day, those with the least left first. One statement.

    ``at`` is the present moment.
    """
    is_over = BudgetRow.reset_at <= at
    part = BudgetRow.remaining * 1.0 / case((BudgetRow.limit > 0, BudgetRow.limit), else_=1)
    left = case((is_over, 1.0), else_=part)
    statement = (
        select(BudgetRow)
        .where(BudgetRow.heard_at > at - timedelta(days=1))
        .order_by((BudgetRow.paused_until <= at), left, BudgetRow.host, BudgetRow.installation)
        .limit(limit)
    )
    return [_shown(row, at) for row in session.execute(statement).scalars()]


def _shown(row: BudgetRow, at: datetime) -> Shown:
    is_over = row.reset_at <= at
    return Shown(
        host=row.host,
        installation=row.installation,
        limit=row.limit,
        remaining=None if is_over else row.remaining,
        reset_at=None if is_over else row.reset_at,
        paused_until=row.paused_until if row.paused_until > at else None,
        heard_at=row.heard_at,
    )


def _is_scarce(at: datetime) -> ColumnElement[bool]:
    return or_(
        BudgetRow.paused_until > at,
        (BudgetRow.reset_at > at) & (BudgetRow.remaining * SCARCE <= BudgetRow.limit),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
