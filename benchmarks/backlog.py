"""``backlog``: what a worker and the sweeper do while thousands of events wait, in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from benchmarks.databases import Database
from benchmarks.report import Row
from packit_worker.broker.hints import COUNTED
from packit_worker.journal import Journal, Session, events, queues
from packit_worker.journal.base import State, now
from packit_worker.journal.claims import overdue, take
from packit_worker.journal.events import EventRow
from packit_worker.sweeping.sweeper import BATCH, PATIENCE

NAME = "backlog"
WAITING, PROJECTS = 10_000, 2_000
LEASE = timedelta(seconds=15)


def measure(database: Database) -> list[Row]:
    """All rows."""
    journal = Journal(database.url)
    try:
        with journal.write() as session:
            _fill(session)
        found: list[Any] = []
        rows = [
            _timed(journal, f"sweeper: {BATCH} wake-ups", lambda session: found.extend(_swept(session))),
        ]
        rows += [
            _timed(journal, "claim of an event", lambda session: take(session, EventRow, found[0].id, LEASE)),
            _timed(
                journal,
                "priority of an event",
                lambda session: events.waiting_of(session, "https://github.com/beta/", COUNTED),
            ),
            _timed(journal, "state of the queues", queues.all_of),
        ]
        return rows
    finally:
        journal.dispose()


def _fill(session: Session) -> None:
    past = now() - timedelta(minutes=10)
    session.execute(
        insert(EventRow),
        [
            {
                "id": f"event-{number}",
                "task": "task.process_pull_request_GH_event",
                "lane": "short-running",
                "kwargs": {},
                "subject": f"https://github.com/acme/{number % PROJECTS}/pull/1",
                "state": State.READY,
                "attempts": 0,
                "claim": 0,
                "created_at": past,
                "due_at": past,
                "hinted_at": past,
                "hints": 1,
            }
            for number in range(WAITING)
        ],
    )


def _swept(session: Session) -> list[Any]:
    return overdue(session, EventRow, limit=BATCH, patience=PATIENCE)


def _timed(journal: Journal, what: str, work: Callable[[Session], Any]) -> Row:
    begun = time.perf_counter()
    with journal.write() as session:
        work(session)
    taken = (time.perf_counter() - begun) * 1000
    return Row(benchmark=NAME, what=what, value=taken, unit="ms", note=f"{WAITING} events wait")
