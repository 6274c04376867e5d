"""Doors to be attacked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cell.conftest import Trap, forge, no_jail_because, trap, work
from stories.conftest import make_world, sandbox, shared_sandbox, world
from web.opening import Opened, patient
from web.serving import Served

from packit_worker.journal import Journal

#: The jail's and the stories' fixtures, for rows that need them.
__all__ = [
    "Trap",
    "door",
    "forge",
    "make_world",
    "no_jail_because",
    "sandbox",
    "served",
    "shared_sandbox",
    "trap",
    "work",
    "world",
]


@pytest.fixture
def door(sqlite_url: str, tmp_path: Path) -> Iterator[Opened]:
    """A door before a journal on SQLite."""
    journal = Journal(sqlite_url, timeout=0.8)
    yield patient(journal, tmp_path)
    journal.dispose()


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """A door as it is served."""
    with Served(sqlite_url, tmp_path) as serving:
        yield serving
