"""Decisions: every verdict on the way of an event, with its reason and what to do next. What ``explain`` tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now


class DecisionRow(Base):
    """One verdict. ``attempt`` is the event's: a step that is taken again decides again."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"), index=True)
    attempt: Mapped[int]
    step: Mapped[str]
    verdict: Mapped[str]
    reason: Mapped[str]
    next_step: Mapped[str | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict before it is written down. ``step`` is who decided: a step of the pipeline, a check, a handler."""

    step: str
    verdict: str
    reason: str
    next_step: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=now)


#: Rows go beside it and not into it, so that the same statement serves any number of them.
_INSERT = insert(DecisionRow.__table__)  # type: ignore[arg-type]


def record(session: Session, event_id: str, attempt: int, decisions: Iterable[Decision]) -> None:
    """Write decisions down, all in one statement."""
    rows = [
        {
            "event_id": event_id,
            "attempt": attempt,
            "step": decision.step,
            "verdict": decision.verdict,
            "reason": decision.reason,
            "next_step": decision.next_step,
            "facts": dict(decision.facts),
            "at": decision.at,
        }
        for decision in decisions
    ]
    if rows:
        session.execute(_INSERT, rows)


def last(session: Session, event_id: str, step: str, verdict: str) -> DecisionRow | None:
    """The last decision of an event in a step with this verdict."""
    return session.execute(
        select(DecisionRow)
        .where(DecisionRow.event_id == event_id, DecisionRow.step == step, DecisionRow.verdict == verdict)
        .order_by(DecisionRow.id.desc())
        .limit(1)
    ).scalar_one_or_none()
