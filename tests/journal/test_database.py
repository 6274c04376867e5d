"""The connection to the journal: what is its absence, and what is a bug."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from packit_worker.journal import Journal, JournalUnavailable, projects
from packit_worker.journal.base import now
from packit_worker.journal.claims import LostClaim, take
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.projects import ConfigRow, ProjectRow

from .rows import LEASE, claim, deliver


def test_a_reader_sees_one_state(journal: Journal) -> None:
    """Else an order could be confirmed between the look for its row and the look whether it is under way."""
    deliver(journal, "one")
    count = select(func.count()).select_from(Delivery)
    with journal.read() as session:
        before = session.execute(count).scalar_one()
        deliver(journal, "two")
        assert session.execute(count).scalar_one() == before == 1
    with journal.read() as session:
        assert session.execute(count).scalar_one() == 2
    # The connection that was read with is lent to writers, too.
    deliver(journal, "three")


def test_a_bug_is_not_taken_for_an_absence(journal: Journal) -> None:
    row = {"id": "d", "source": "s", "headers": {}, "body_sha256": "", "received_at": now(), "due_at": now()}
    row |= {"state": "ready", "attempts": 0, "claim": 0, "hints": 0}
    with pytest.raises(IntegrityError), journal.write() as session:
        for _ in range(2):
            session.execute(Delivery.__table__.insert().values(**row))
    with journal.read() as session:
        assert session.execute(select(Delivery)).scalars().all() == [], "and nothing of it stays"
    with pytest.raises(DBAPIError), journal.write() as session:
        session.execute(text("SELECT nonsense(1)") if "postgres" in str(journal.url) else _nonsense())


def _nonsense() -> object:
    return select(Delivery).where(Delivery.claim == object())


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b", "\udfffb"])
def test_text_that_no_database_holds(bad: str, journal: Journal) -> None:
    with journal.write() as session:
        projects.keep_config(session, "https://forge.example/p", "c" * 40, ".packit.yaml", bad, [bad])
    with journal.read() as session:
        kept = session.execute(select(ConfigRow)).scalar_one()
    assert kept.text is not None
    assert "\ufffd" in kept.text
    assert kept.text.endswith("b")


def test_text_that_every_database_holds(journal: Journal) -> None:
    good = "\ufeffgrüße 😀 \u2028 \x01"
    with journal.write() as session:
        projects.keep_config(session, "https://forge.example/p", "c" * 40, None, good, [])
    with journal.read() as session:
        assert session.execute(select(ConfigRow.text)).scalar_one() == good


def test_sqlite_that_somebody_has_locked(sqlite_url: str, tmp_path: Path) -> None:
    journal = Journal(sqlite_url, timeout=0.2)
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(JournalUnavailable, match="locked"):
            deliver(journal, "d")
        assert time.monotonic() - begun < 5
        with journal.read() as session:
            assert session.execute(select(Delivery)).scalars().all() == [], "reading goes on"
    deliver(journal, "d")
    journal.dispose()


@pytest.mark.services("postgresql")
def test_postgresql_that_goes_away_in_mid_transaction(postgresql_url: str) -> None:
    journal, admin = Journal(postgresql_url), Journal(postgresql_url)

    def end(pid: int) -> None:
        with admin.read() as session:
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with pytest.raises(JournalUnavailable), journal.write() as session:
        end(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
        session.execute(select(Delivery))
    with pytest.raises(JournalUnavailable), journal.write() as session:
        session.add(ProjectRow(url="x", is_private=None, installation_id=None))
        session.flush()
        end(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
    with pytest.raises((LostClaim, JournalUnavailable)), journal.write() as session:
        end(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
        raise LostClaim("for a reason of its own")
    deliver(journal, "d")
    for each in (journal, admin):
        each.dispose()


@pytest.mark.services("postgresql")
def test_a_worker_stopped_in_mid_transaction_keeps_no_lock(postgresql_url: str) -> None:
    stopped, other = Journal(postgresql_url, timeout=0.2), Journal(postgresql_url)
    deliver(other, "d")
    with pytest.raises(JournalUnavailable), stopped.write() as session:
        assert take(session, Delivery, "d", LEASE) is not None
        assert claim(other, Delivery, "d") is not None, "it waits, and gets it"
    for each in (stopped, other):
        each.dispose()


@pytest.mark.services("postgresql")
def test_postgresql_that_takes_no_writes(postgresql_url: str) -> None:
    """As a standby after a failover."""
    journal = Journal(postgresql_url)
    with pytest.raises(JournalUnavailable, match="read-only"), journal.write() as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        session.add(ProjectRow(url="x", is_private=None, installation_id=None))
        session.flush()
    journal.dispose()


@pytest.mark.services("postgresql")
def test_more_than_the_pool_has(postgresql_url: str) -> None:
    journal = Journal(postgresql_url, timeout=0.2)
    with contextlib.ExitStack() as stack, pytest.raises(JournalUnavailable):
        for _ in range(100):
            session = stack.enter_context(journal.read())
            session.execute(text("SELECT 1"))
    deliver(journal, "d")
    journal.dispose()


def test_a_forked_child_shares_no_connection(journal: Journal) -> None:
    deliver(journal, "parent")
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            # What startup does in a worker's child.
            journal.engine.dispose(close=False)
            deliver(journal, "child")
            status = 0
        os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    with journal.read() as session:
        assert set(session.execute(select(Delivery.id)).scalars()) == {"parent", "child"}
