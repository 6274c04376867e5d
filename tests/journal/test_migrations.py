"""The migrations make exactly the tables that the code works with."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select

from packit_worker import migrations
from packit_worker.journal import Journal
from packit_worker.journal.base import State
from packit_worker.journal.events import EventRow
from packit_worker.journal.tables import metadata

from .rows import happen


def test_no_difference(journal: Journal) -> None:
    with journal.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert not migrations.pending(journal)


def test_partial_indexes_are_partial(journal: Journal) -> None:
    """Autogeneration does not look at their conditions."""
    indexes = {index["name"]: index for index in inspect(journal.engine).get_indexes("events")}
    (condition,) = [
        str(option)
        for name, option in indexes["uq_events_running_subject"]["dialect_options"].items()
        if name.endswith("_where")
    ]
    assert "running" in condition
    happen(journal, "one", state=State.READY)
    happen(journal, "two", state=State.READY)
    with journal.read() as session:
        assert len(session.execute(select(EventRow)).scalars().all()) == 2


@pytest.mark.services("postgresql")
def test_two_that_migrate_at_the_same_time(postgresql_url: str) -> None:
    wrong: list[Exception] = []

    def upgrade() -> None:
        journal = Journal(postgresql_url)
        try:
            migrations.upgrade(journal)
        except Exception as error:
            wrong.append(error)
        journal.dispose()

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
