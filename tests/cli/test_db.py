"""``packit-worker db upgrade``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from packit_worker import migrations
from packit_worker.journal import Journal
from packit_worker.journal.base import now
from packit_worker.journal.deliveries import Delivery

from .conftest import Run
from .written import deliver


def test_a_journal_is_made_and_then_left_alone(run: Run, config: Path) -> None:
    head = migrations.revisions()[0]
    result = run("db", "upgrade")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"upgraded from nothing to {head}\n"
    assert run("db", "upgrade").stdout == f"up to date: {head}\n"
    assert run("allowlist", "list").exit_code == 0


def test_a_database_that_is_away_is_waited_for(run: Run, config: Path) -> None:
    config.write_text("database_url: postgresql://packit:hunter2secret@127.0.0.1:1/packit\n")
    result = run("db", "upgrade", "--wait", "0.2")
    assert result.exit_code == 1
    assert "waiting for the database, 0 s" in result.stderr
    assert "error:" in result.stderr
    assert "hunter2secret" not in result.output


def test_a_database_from_the_future(run: Run, journal: Journal) -> None:
    with journal.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    result = run("db", "upgrade")
    assert result.exit_code == 1
    assert "9999" in result.stderr
    assert "what to do: Run a release that is at least as new as the database." in result.stderr


def test_what_is_old_is_let_go_of(run: Run, journal: Journal) -> None:
    deliver(journal, "old", ignored="of no interest")
    with journal.write() as session:
        session.execute(update(Delivery).values(received_at=now() - timedelta(days=91)))
    size = len(b'{"id": "old"}')
    assert run("db", "purge", "--dry-run").stdout == f"would go: 1 bodies, {size} bytes of bodies\n"
    assert run("db", "purge").stdout == f"gone: 1 bodies, {size} bytes of bodies\n"
    assert run("db", "purge").stdout == "gone: nothing\n"
    assert "its body has left on" in run("explain", "old").stdout
