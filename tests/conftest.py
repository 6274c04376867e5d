"""What all tests share: databases, and the rule for tests that need a server."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from packit_worker import migrations
from packit_worker.journal import Journal

#: Servers that tests marked ``services`` use, on 127.0.0.1.
PORTS = {"postgresql": 5432, "redis": 6379, "rabbitmq": 5672}
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    """``@pytest.mark.services("redis")``: skipped visibly where the server is not there, a failure in CI."""
    for marker in item.iter_markers("services"):
        missing = [name for name in marker.args if not _answers(PORTS[name])]
        if missing and os.environ.get("CI") == "true":
            pytest.fail(f"CI has to have {', '.join(missing)} on 127.0.0.1")
        if missing:
            pytest.skip(f"no {', '.join(missing)} on 127.0.0.1")


@pytest.fixture(scope="session")
def empty_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database; tests copy it, which is quicker than migrating."""
    path = tmp_path_factory.mktemp("journal") / "empty.sqlite"
    journal = Journal(f"sqlite:///{path}")
    migrations.upgrade(journal)
    with journal.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    journal.dispose()
    return path


@pytest.fixture
def sqlite_url(empty_journal: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(empty_journal.read_bytes())
    return f"sqlite:///{path}"


@contextmanager
def _database(template: str | None = None) -> Iterator[str]:
    """A PostgreSQL database of a name of its own, dropped at the end."""
    name = f"packit_worker_test_{uuid.uuid4().hex[:12]}"
    like = f" TEMPLATE {template}" if template else ""
    admin = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}{like}"))
    try:
        yield name
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def _url(name: str) -> str:
    return POSTGRESQL.rpartition("/")[0] + f"/{name}"


@pytest.fixture(scope="session")
def empty_database() -> Iterator[str]:
    """A migrated PostgreSQL database; tests copy it, which is quicker than migrating."""
    with _database() as name:
        journal = Journal(_url(name))
        migrations.upgrade(journal)
        journal.dispose()
        yield name


@pytest.fixture
def postgresql_url(empty_database: str) -> Iterator[str]:
    """A migrated PostgreSQL database of the test's own."""
    with _database(empty_database) as name:
        yield _url(name)


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))],
)
def journal_url(request: pytest.FixtureRequest) -> str:
    """A migrated database, once of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def journal(journal_url: str) -> Iterator[Journal]:
    """A migrated journal, once of each kind."""
    made = Journal(journal_url)
    yield made
    made.dispose()
