"""Claims: who works on what, until when.

A claim is a lease. The worker's heart (``Heart``) extends it; when the worker dies the lease runs out and another takes
the work. The claim's number is a fencing token: a worker that lost its lease cannot write over the one that has it.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from packit_worker.journal.base import OPEN, State, now
from packit_worker.journal.database import Journal, JournalUnavailable

log = logging.getLogger(__name__)

#: The exit status of a process that ends itself because of work that does not end.
HUNG = 70


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

    def _mine(self) -> ColumnElement[bool]:
        clause: ColumnElement[bool] = (
            (self.model.key_column() == self.key)
            & (self.model.claim == self.number)
            & (self.model.state == State.RUNNING)
        )
        return clause

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
        if not attempt_counts:
            values["attempts"] = self.model.attempts - 1
        self._change(session, **values)

    def _change(self, session: Session, **values: Any) -> None:
        result = session.execute(update(self.model).where(self._mine()).values(**values))
        if result.rowcount != 1:  # type: ignore[attr-defined]
            raise LostClaim(f"{self.model.__tablename__} {self.key} was taken over after claim {self.number}")


def take(session: Session, model: Any, key: Any, lease: timedelta) -> tuple[Claim, Any] | None:
    """Claim a row: it is open, due, not leased to anybody, and not waiting for another. None when it can't be had.

    One statement, in a transaction of its own; of two workers that try at the same time one gets None. Counts an
    attempt, so that a crash counts.
    """
    moment = now()
    statement = (
        update(model)
        .where(model.key_column() == key, *is_free(model, moment))
        .values(
            state=State.RUNNING,
            claim=model.claim + 1,
            attempts=model.attempts + 1,
            claimed_by=owner(),
            claimed_at=moment,
            lease_until=moment + lease,
        )
        .returning(model)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    try:
        row = session.execute(statement).scalar_one_or_none()
    except IntegrityError:
        # Another event of the same subject was claimed at the same moment.
        session.rollback()
        return None
    return None if row is None else (Claim(model, key, row.claim), row)


def is_free(model: Any, moment: datetime) -> list[ColumnElement[bool]]:
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


class Beat:
    """A claim that is kept alive. Without ``limit`` for as long as it takes, else for so many seconds."""

    def __init__(self, claim: Claim, limit: float | None) -> None:
        self.claim = claim
        self.limit = limit
        self._since = time.monotonic()

    def goes_on(self) -> None:
        """There was progress: the limit counts from now."""
        self._since = time.monotonic()

    @property
    def is_hung(self) -> bool:
        """Whether nothing was heard of the work for longer than its limit."""
        return self.limit is not None and time.monotonic() - self._since > self.limit


class Heart:
    """Extends the leases of the claims this process works on, from a thread of its own.

    Work that goes on for longer than its limit hangs: its lease is let run out, and the process ends itself, for a
    process that hangs takes no other work. Whoever started it starts it again. ``end`` is how a process ends.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        lease: timedelta,
        beat: timedelta,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._beat = beat
        self._end = end
        self._beats: set[Beat] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def beating_for(self, claim: Claim, limit: float | None = None) -> Iterator[Beat]:
        """Keep the claim alive inside; ``limit`` is in seconds without ``Beat.goes_on``."""
        beat = Beat(claim, limit)
        with self._lock:
            self._beats.add(beat)
            if self._thread is None or not self._thread.is_alive():
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
                self._thread.start()
        try:
            yield beat
        finally:
            with self._lock:
                self._beats.discard(beat)

    def stop(self) -> None:
        """End the thread."""
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._wake.wait(self._beat.total_seconds()):
            with self._lock:
                beats = list(self._beats)
            for beat in beats:
                if beat.is_hung:
                    self._give_up(beat)
                else:
                    self._extend(beat)

    def _give_up(self, beat: Beat) -> None:
        table, key = beat.claim.model.__tablename__, beat.claim.key
        log.critical(
            "%s %s hangs for more than %.0f s; this process ends\n%s", table, key, beat.limit, _stacks()
        )
        self._forget(beat)
        self._end(HUNG)

    def _forget(self, beat: Beat) -> None:
        with self._lock:
            self._beats.discard(beat)

    def _extend(self, beat: Beat) -> None:
        claim = beat.claim
        try:
            with self._journal.write() as session:
                claim.fence(session, self._lease)
        except LostClaim:
            # The work finds out by itself before its next effect; nothing to be done from here.
            self._forget(beat)
        except JournalUnavailable as error:
            log.warning("could not extend the lease of %s: %s", claim.key, error)
        except Exception:
            # Other claims may hang on this thread; it does not end because of one.
            log.exception("could not extend the lease of %s", claim.key)


def _stacks() -> str:
    """Where every thread is."""
    return "\n".join("".join(traceback.format_stack(frame)) for frame in sys._current_frames().values())
