"""Every table, for whoever needs them all: migrations, start-up, the purge."""

from packit_worker.journal import (
    accounts,
    budgets,
    builds,
    checks,
    decisions,
    deliveries,
    effects,
    events,
    hooks,
    operators,
    projects,
    runs,
    test_runs,
)
from packit_worker.journal.base import Base

__all__ = [
    "accounts",
    "budgets",
    "builds",
    "checks",
    "decisions",
    "deliveries",
    "effects",
    "events",
    "hooks",
    "metadata",
    "operators",
    "projects",
    "runs",
    "test_runs",
]

metadata = Base.metadata
