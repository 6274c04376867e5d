"""The connection to the journal: SQLite on one machine, PostgreSQL in production, one code path."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Insert, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from packit_worker.errors import TemporaryError

__all__ = ["Cost", "Journal", "JournalUnavailable", "Session", "insert"]


class JournalUnavailable(TemporaryError):
    """The database does not answer. Nothing was written; where its answer to a commit was lost, nobody knows."""


class Cost:
    """How many SQL statements and write transactions a stretch of work took."""

    def __init__(self) -> None:
        self.statements = 0
        self.transactions = 0
        self.texts: list[str] = []


class Journal:
    """The journal's engine, and its transactions."""

    def __init__(self, url: str | URL, *, timeout: float = 5.0) -> None:
        """``timeout`` is how long to wait for the database or its lock, in seconds. Nothing is connected yet."""
        self.url = make_url(url)
        self._costs: list[Cost] = []
        self._lock = threading.Lock()
        if self.url.get_backend_name() == "sqlite":
            self.engine = _sqlite(self.url, timeout)
            self._reading = {"sqlite_begin": "BEGIN"}
        elif self.url.get_backend_name() == "postgresql":
            self.engine = _postgresql(self.url, timeout)
            # By default every statement sees what was committed before it, and not before the first.
            self._reading = {"isolation_level": "REPEATABLE READ"}
        else:
            raise ValueError(
                f"the journal lives in SQLite or PostgreSQL, not in {self.url.get_backend_name()}"
            )
        event.listen(self.engine, "before_cursor_execute", self._count_statement)
        event.listen(self.engine, "commit", self._count_commit)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end. Raises ``JournalUnavailable`` when the database is away.

        It waits ``timeout`` for a lock and does not try again: whoever holds work under a lease lets it run out, and
        the sweeper hands it on. What else the database refuses (a value it cannot hold) is a bug, and comes through.
        """
        with self._session() as session:
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that only reads, and sees one state of the journal whatever is written meanwhile.

        Raises ``JournalUnavailable`` when the database is away.
        """
        with self._session(**self._reading) as session:
            yield session
            # What was read is kept; a rollback would have it read again.
            session.expunge_all()
            session.rollback()

    @contextmanager
    def _session(self, **options: Any) -> Iterator[Session]:
        session = Session(self.engine, expire_on_commit=False, autoflush=False)
        try:
            try:
                if options:
                    session.connection(execution_options=options)
                yield session
            finally:
                # Rolls back, which a connection that has died cannot do either.
                session.close()
        except (DBAPIError, PoolTimeout) as error:
            if not _is_away(error):
                raise
            raise JournalUnavailable(f"the database does not answer: {_short(error)}") from error

    def dispose(self) -> None:
        """Close the connections: before a fork, and at the end."""
        self.engine.dispose()

    @contextmanager
    def counted(self) -> Iterator[Cost]:
        """Count what is asked of the database inside, by all threads."""
        cost = Cost()
        with self._lock:
            self._costs.append(cost)
        try:
            yield cost
        finally:
            with self._lock:
                self._costs.remove(cost)

    def _count_statement(self, _c: Any, _cur: Any, statement: str, *_: Any) -> None:
        for cost in self._costs:
            cost.statements += 1
            cost.texts.append(statement)

    def _count_commit(self, _connection: Connection) -> None:
        for cost in self._costs:
            cost.transactions += 1


def insert(session: Session, table: Any) -> Any:
    """``INSERT`` that can say ``ON CONFLICT``, in the dialect of the session's database."""
    dialect = session.get_bind().dialect.name
    statement: Insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return statement


def _sqlite(url: URL, timeout: float) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": timeout, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # Transactions are begun by us (below), not by the driver's guess.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Writers queue for the lock at once; taking it in mid-transaction would fail instead of wait.
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN IMMEDIATE"))

    return engine


# synchronous=FULL: an accepted delivery must survive a power cut, and WAL alone does not promise that.
_PRAGMAS: Sequence[str] = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")


def _postgresql(url: URL, timeout: float) -> Engine:
    url = url.set(drivername="postgresql+psycopg")
    milliseconds = int(timeout * 1000)
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=timeout,
        connect_args={
            "connect_timeout": max(1, int(timeout)),
            # The last: a process that is stopped in mid-transaction must not keep its locks until it goes on.
            "options": f"-c lock_timeout={milliseconds} -c statement_timeout={4 * milliseconds} "
            f"-c idle_in_transaction_session_timeout={4 * milliseconds}",
        },
    )


#: PostgreSQL's codes for a server that takes no writes: a standby after a failover, or one that is not up yet.
_READ_ONLY = ("25006",)


def _is_away(error: Exception) -> bool:
    """Whether an error is about the database being there, and not about what was asked of it."""
    if isinstance(error, OperationalError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    # SQLite's InterfaceError is about parameters, psycopg's about a connection that is closed.
    is_closed = isinstance(error, InterfaceError) and hasattr(error.orig, "sqlstate")
    return error.connection_invalidated or is_closed or getattr(error.orig, "sqlstate", None) in _READ_ONLY


def _short(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).strip().splitlines()[0] if str(original).strip() else type(original).__name__


def ping(journal: Journal) -> None:
    """Ask the database for a sign of life. Raises ``JournalUnavailable``."""
    with journal.read() as session:
        session.execute(text("SELECT 1"))
