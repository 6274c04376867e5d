"""What all tables share: the declarative base, times in UTC, and the columns of work that is claimed."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Index, Integer, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


def now() -> datetime:
    """The present moment, with its zone. Every time in the journal comes from here."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """A moment. Stored as UTC without zone, because SQLite has no zones; always aware in Python."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is not a moment")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class CleanText(TypeDecorator[str]):
    """Text. What PostgreSQL cannot hold (NUL, half a surrogate pair) becomes U+FFFD, on every database.

    Files and messages of strangers hold such characters; a bug that is about one has to be written down all the same.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        # isascii first: it looks at a flag, and nearly all texts are.
        if value is None or (value.isascii() and "\x00" not in value):
            return value
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Base(DeclarativeBase):
    """Tables of the journal. Constraints get names, so that migrations can speak of them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Ids of other systems outgrow 32 bits; SQLite counts up only what it knows as INTEGER.
    type_annotation_map = {
        datetime: UTCDateTime,
        int: BigInteger().with_variant(Integer, "sqlite"),
        str: CleanText,
    }


class State(StrEnum):
    """How far a piece of claimable work is. The first two are open, the others are ends."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    #: Read, and nothing had to be done; the reason says why.
    IGNORED = "ignored"
    MALFORMED = "malformed"
    #: Kept from running until an operator releases it.
    HELD = "held"
    SUPERSEDED = "superseded"
    #: Given up after too many attempts; can be replayed.
    DEAD = "dead"


OPEN = (State.READY, State.RUNNING)


class Claimable:
    """Columns of work that one worker at a time takes on.

    ``claim`` grows with every claim: a worker whose number is no longer the row's has lost it (fencing). ``due_at`` in
    the future is back-off. ``hinted_at`` is when a wake-up was last given to the broker, ``hints`` how many were.
    """

    state: Mapped[str] = mapped_column(default=State.READY)
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claim: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    due_at: Mapped[datetime] = mapped_column(default=now)
    hinted_at: Mapped[datetime | None]
    hints: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805
        return (Index(None, "state", "due_at"), *getattr(cls, "more_table_args", ()))
