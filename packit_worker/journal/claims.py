"""Claims: who works on what, until when.

A claim is a lease. The worker's heart (``heart``) extends it; when the worker dies the lease runs out and another takes
the work. The claim's number is a fencing token: a worker that lost its lease cannot write over the one that has it.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Update, bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from packit_worker.journal.base import OPEN, State, now

log = logging.getLogger(__name__)


def owner(pid: int | None = None) -> str:
    """This process, or another of this machine, as it signs its claims."""
    return f"{socket.gethostname()}:{os.getpid() if pid is None else pid}"


class LostClaim(Exception):
    """Somebody else has the work now: stop, write nothing."""


@dataclass(frozen=True)
class Claim:
    """The right to work on one row until the lease runs out. ``key`` is the row's primary key."""

    model: Any
    key: Any
    number: int

    def fence(self, session: Session, lease: timedelta) -> None:
        """Be sure, inside the transaction, that the work is still ours; extends the lease. Raises ``LostClaim``."""
        self._change(session, lease_until=now() + lease)

    def finish(self, session: Session, state: State, reason: str | None) -> None:
        """The work has come to an end. Raises ``LostClaim``."""
        self._change(session, state=state, reason=reason, lease_until=None, finished_at=now())

    def put_back(
        self, session: Session, due_at: datetime, reason: str, *, attempt_counts: bool = True
    ) -> None:
        """Let somebody take it up again at ``due_at``. Raises ``LostClaim``."""
        values: dict[str, Any] = {
            "state": State.READY,
            "due_at": due_at,
            "reason": reason,
            "lease_until": None,
        }
        values |= {"hinted_at": None, "hints": 0}
        self._change(session, attempt_counts=attempt_counts, **values)

    def _change(self, session: Session, *, attempt_counts: bool = True, **values: Any) -> None:
        statement = _changing(self.model, tuple(values), attempt_counts)
        told = {f"new_{name}": value for name, value in values.items()}
        result = session.execute(statement, told | {"its_key": self.key, "its_claim": self.number})
        if result.rowcount != 1:  # type: ignore[attr-defined]
            raise LostClaim(f"{self.model.__tablename__} {self.key} was taken over after claim {self.number}")


def take(session: Session, model: Any, key: Any, lease: timedelta) -> tuple[Claim, Any] | None:
    """Claim a row: it is open, due, not leased to anybody, and not waiting for another. None when it can't be had.

    One statement, in a transaction of its own; of two workers that try at the same time one gets None. Counts an
    attempt, so that a crash counts.
    """
    moment = now()
    told = {"its_key": key, "moment": moment, "by": owner(), "until": moment + lease}
    try:
        row = session.execute(_taking(model), told).scalar_one_or_none()
    except IntegrityError:
        # Another event of the same subject was claimed at the same moment.
        session.rollback()
        return None
    return None if row is None else (Claim(model, key, row.claim), row)


# Every event takes these several times, and to put a statement together costs more than to execute it: made once.


@cache
def _taking(model: Any) -> Update:
    moment = bindparam("moment", type_=model.due_at.type)
    return (
        update(model)
        .where(model.key_column() == bindparam("its_key"), *is_free(model, moment))
        .values(
            state=State.RUNNING,
            claim=model.claim + 1,
            attempts=model.attempts + 1,
            claimed_by=bindparam("by"),
            claimed_at=moment,
            lease_until=bindparam("until"),
        )
        .returning(model)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


@cache
def _changing(model: Any, names: tuple[str, ...], attempt_counts: bool) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    if not attempt_counts:
        values["attempts"] = model.attempts - 1
    return (
        update(model)
        .where(
            model.key_column() == bindparam("its_key"),
            model.claim == bindparam("its_claim"),
            model.state == State.RUNNING,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def is_free(model: Any, moment: datetime | BindParameter[datetime]) -> list[ColumnElement[bool]]:
    """The conditions under which a row may be claimed."""
    return [
        model.state.in_(OPEN),
        model.due_at <= moment,
        or_(model.lease_until.is_(None), model.lease_until < moment),
        *model.waits_for_nothing(),
    ]


def overdue(session: Session, model: Any, *, limit: int, patience: timedelta) -> list[Any]:
    """Rows that could be claimed and of which no wake-up is on its way; marks them as hinted.

    A wake-up is believed lost after ``patience``, doubled with every one sent up to 64 times: a long queue shall not be
    made longer by copies of what is in it. One that was given by the way, and not counted, is believed in as the first.
    """
    moment = now()
    lost = or_(
        model.hinted_at.is_(None),
        (model.hints <= 1) & (model.hinted_at < moment - patience),
        *[
            (model.hints == hints) & (model.hinted_at < moment - patience * 2 ** (hints - 1))
            for hints in range(2, 7)
        ],
        (model.hints > 6) & (model.hinted_at < moment - patience * 64),
        # A lease that ran out after the last wake-up: its worker is dead, and that wake-up went with it.
        model.lease_until < moment,
    )
    rows = (
        session.execute(
            select(model)
            .where(*is_free(model, moment), lost)
            .order_by(model.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        .scalars()
        .all()
    )
    if rows:
        keys = [row.key for row in rows]
        session.execute(
            update(model)
            .where(model.key_column().in_(keys))
            .values(hinted_at=moment, hints=model.hints + 1, lease_until=None)
            .execution_options(synchronize_session=False)
        )
    return list(rows)


def not_hinted(session: Session, model: Any, keys: Iterable[Any]) -> None:
    """The wake-ups of rows from ``overdue`` could not be sent; they do not count as given."""
    session.execute(
        update(model)
        .where(model.key_column().in_(list(keys)), model.hints > 0)
        .values(hinted_at=None, hints=model.hints - 1)
        .execution_options(synchronize_session=False)
    )
