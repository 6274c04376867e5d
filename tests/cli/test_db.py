"""``packit-worker db upgrade``."""

from __future__ import annotations

from pathlib import Path

from packit_worker import migrations
from packit_worker.journal import Journal

from .conftest import Run


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
