"""Blows to the service: processes killed and stopped, the broker too, the database locked or its connections cut.

Only what the run itself started is hit, and the tables of its own scratch database.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, select, text

from packit_worker.chaos.script import KILL, RESTART, STOP, Blow
from packit_worker.demo.stage import Stage
from packit_worker.journal import JournalUnavailable
from packit_worker.journal.base import State
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow

log = logging.getLogger(__name__)

_SIGNALS = {KILL: signal.SIGKILL, STOP: signal.SIGSTOP, RESTART: signal.SIGTERM}


class Striker:
    """Strikes. What a blow leaves to be ended (a stopped process, a lock) is returned to be called when its time is up.

    Used from one thread, that which started the stage: the broker ends with the thread that started it.
    """

    def __init__(self, stage: Stage, broker_url: str | None) -> None:
        self._stage = stage
        self._broker_url = broker_url
        self._engine = _locker(stage.journal.engine)
        #: How often each target was hit, by (target, kind).
        self.hits: Counter[tuple[str, str]] = Counter()
        self.missed = 0

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def strike(self, blow: Blow) -> Callable[[], None] | None:
        """One blow; it counts if there was something to hit."""
        if blow.target == "database":
            return self._database(blow)
        if blow.target == "broker":
            return self._broker(blow)
        found = self._find(blow)
        if found is None or not _send(found, _SIGNALS[blow.kind]):
            self.missed += 1
            return None
        self.hits[blow.target, blow.kind] += 1
        if blow.kind != STOP:
            return None
        return lambda: _wake(found)

    def _find(self, blow: Blow) -> int | None:
        pids = self._stage.supervisor.pids
        if blow.target == "child":
            children = _children(pids["web"]) if "web" in pids else []
            return _choose(children, blow.pick)
        if blow.target != "worker":
            return pids.get(blow.target)
        workers = [pid for name, pid in sorted(pids.items()) if self._is_worker(name)]
        # One that has something in its hands, if there is any.
        busy = self._busy().intersection(workers)
        return _choose(sorted(busy) or workers, blow.pick)

    def _is_worker(self, name: str) -> bool:
        return name.rpartition("-")[0] in self._stage.settings.lanes

    def _busy(self) -> set[int]:
        found: set[int] = set()
        try:
            with self._stage.journal.read() as session:
                for model in (Delivery, EventRow, CheckRow):
                    owners = session.execute(select(model.claimed_by).where(model.state == State.RUNNING))
                    found |= {int(owner.rpartition(":")[2]) for owner in owners.scalars() if owner}
        except JournalUnavailable as error:
            log.info("nobody can be asked who is busy, for another blow is on the database: %s", error)
        return found

    def _broker(self, blow: Blow) -> Callable[[], None] | None:
        broker = self._stage.broker
        if broker is None:
            # A server that others use as well is not killed: our queues in it are lost instead.
            assert self._broker_url is not None
            _empty(self._broker_url, self._stage)
            self.hits["broker", "emptied"] += 1
            return None
        pid = broker.pid
        if pid is None:
            self.missed += 1
            return None
        self.hits["broker", blow.kind] += 1
        if blow.kind == STOP:
            _send(pid, signal.SIGSTOP)
            return lambda: _wake(pid)
        _send(pid, signal.SIGKILL if blow.kind == KILL else signal.SIGTERM)
        broker.stop()
        broker.start()
        return None

    def _database(self, blow: Blow) -> Callable[[], None] | None:
        is_postgresql = self._engine.dialect.name == "postgresql"
        if is_postgresql and blow.kind == KILL:
            with self._engine.connect() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            self.hits["database", "cut off"] += 1
            return None
        connection = self._engine.connect()
        try:
            if is_postgresql:
                connection.execute(text("SET lock_timeout = '3s'"))
                connection.execute(
                    text("LOCK TABLE deliveries, events, checks, effects IN ACCESS EXCLUSIVE MODE")
                )
            else:
                connection.exec_driver_sql("SELECT 1")
        except Exception as error:
            log.warning("the database could not be locked: %s", error)
            connection.close()
            self.missed += 1
            return None
        self.hits["database", "locked"] += 1
        return partial(_unlock, connection)


def _unlock(connection: Connection) -> None:
    """End the connection, and its lock with it, whether or not another blow has cut it off meanwhile."""
    connection.invalidate()
    connection.close()


def _locker(engine: Engine) -> Engine:
    """An engine of our own; with SQLite, whose transactions begin with the lock of the one writer."""
    made = create_engine(
        engine.url,
        connect_args={"timeout": 3} if engine.dialect.name == "sqlite" else {},
        # A connection that was kept would be cut off by our own next blow.
        poolclass=NullPool,
    )
    if engine.dialect.name == "sqlite":

        @event.listens_for(made, "connect")
        def _by_hand(connection: Any, _record: Any) -> None:
            connection.isolation_level = None

        @event.listens_for(made, "begin")
        def _lock(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


def _empty(url: str, stage: Stage) -> None:
    client = redis.Redis.from_url(url)
    with contextlib.closing(client):
        client.delete(*stage.settings.lanes, "unacked", "unacked_index")


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _wake(pid: int) -> None:
    _send(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    """Processes whose parent is ``pid``."""
    return sorted(_with_parent(pid))


def _with_parent(pid: int) -> Iterator[int]:
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            # After the name in parentheses: state, parent.
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
        if parent == pid:
            yield int(process.name)


def _choose(among: list[int], pick: float) -> int | None:
    return among[min(int(pick * len(among)), len(among) - 1)] if among else None
