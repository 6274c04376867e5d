"""Alembic migrations of the journal; ``upgrade`` brings a database up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from packit_worker.journal import Journal

#: PostgreSQL advisory lock under which migrations run, so that two pods that start together do not both migrate.
_LOCK = 0x7061636B6974


def upgrade(journal: Journal) -> None:
    """Bring the database up to date; nothing is done where it is. Two at the same time wait for each other."""
    with journal.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(config(connection), "head")


def pending(journal: Journal) -> bool:
    """Whether the database lacks migrations."""
    head = ScriptDirectory.from_config(config(None)).get_current_head()
    with journal.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() != head


def config(connection: Connection | None) -> Config:
    """Alembic's configuration, without a file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["connection"] = connection
    return made


def revisions() -> list[str]:
    """The ids of all migrations, newest first."""
    return [script.revision for script in ScriptDirectory.from_config(config(None)).walk_revisions()]
