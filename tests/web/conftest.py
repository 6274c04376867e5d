"""Doors, and a browser, for the tests of the web."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import having
import pytest
from playwright.sync_api import Browser, sync_playwright

from packit_worker.journal import Journal
from web.opening import Opened, opened


@pytest.fixture
def sqlite_journal(sqlite_url: str) -> Iterator[Journal]:
    """A migrated journal on SQLite."""
    made = Journal(sqlite_url, timeout=0.8)
    yield made
    made.dispose()


@pytest.fixture
def door(sqlite_journal: Journal, tmp_path: Path) -> Opened:
    """A door before a journal on SQLite."""
    return opened(sqlite_journal, tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, the system's."""
    program = having.the_program_chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        yield started
        started.close()
