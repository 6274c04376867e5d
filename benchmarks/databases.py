"""Databases for measurements: made and migrated for one measurement, dropped after it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from packit_worker import migrations
from packit_worker.journal import Journal


@dataclass(frozen=True)
class Database:
    """A migrated database; ``url`` may hold a password."""

    url: str

    @property
    def kind(self) -> str:
        """Its name for people."""
        return make_url(self.url).get_backend_name()


@contextmanager
def database(server_url: str | None, directory: Path) -> Iterator[Database]:
    """A database in SQLite, or one of its own on the PostgreSQL server of this URL."""
    if server_url is None:
        yield _migrated(f"sqlite:///{directory / 'journal.sqlite'}")
        return
    server = make_url(server_url).set(drivername="postgresql+psycopg")
    name = f"packit_worker_benchmark_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield _migrated(server.set(database=name).render_as_string(hide_password=False))
        finally:
            with admin.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


def _migrated(url: str) -> Database:
    journal = Journal(url)
    try:
        migrations.upgrade(journal)
    finally:
        journal.dispose()
    return Database(url)
