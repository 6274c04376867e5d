"""``packit-worker handlers`` and ``sweeper``."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from packit_worker import registry
from packit_worker.cli import main
from packit_worker.journal import Journal
from packit_worker.sweeping.sweeper import Sweeper

from .conftest import Run


def test_the_table_names_every_handler_and_what_waits_for_one() -> None:
    result = CliRunner().invoke(main, ["handlers"])
    assert result.exit_code == 0
    for answer in registry.table():
        assert answer.handler.__name__ in result.output
        assert answer.about in result.output
    for event in registry.unanswered():
        assert f"  {event.__name__}" in result.output


def test_the_sweeper_runs_until_it_is_stopped(
    run: Run, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Signal handlers of a test run stay as they are.
    monkeypatch.setattr(Sweeper, "stop_on_signals", lambda self: self.stop())
    assert run("sweeper").exit_code == 0
