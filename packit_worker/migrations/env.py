"""Alembic's entry: runs the migrations on the connection that ``packit_worker.migrations`` hands over."""

from typing import Any, Literal

from alembic import context

from packit_worker.journal.base import CleanText, UTCDateTime
from packit_worker.journal.tables import metadata


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Types of ours are written as what they are in the database, so that a migration never depends on code."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime()"
    if kind == "type" and isinstance(item, CleanText):
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place; batch mode rebuilds the table instead.
    render_as_batch=True,
    render_item=render,
    transaction_per_migration=False,
)
context.run_migrations()
