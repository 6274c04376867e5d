"""``packit-worker alive``."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml

from packit_worker.broker.embedded import EmbeddedBroker, redis_program
from packit_worker.config.service import load_service_config
from packit_worker.pulse import Pulse

from .conftest import Run

pytestmark = pytest.mark.usefixtures("journal")


@pytest.fixture
def note(config: Path) -> Path:
    settings = load_service_config(config, {})
    Pulse(settings, "parse-1").beat()
    return settings.data_dir / "pulse" / "parse-1"


def grow_old(note: Path) -> None:
    then = time.time() - 90
    os.utime(note, (then, then))


def test_all_go_on(run: Run, note: Path) -> None:
    result = run("alive")
    assert (result.exit_code, result.stdout) == (0, "all go on\n"), result.output


@pytest.mark.skipif(redis_program() is None, reason="there is no redis-server here")
def test_one_is_silent_while_its_broker_answers(run: Run, note: Path, config: Path) -> None:
    grow_old(note)
    with EmbeddedBroker(note.parents[1]) as broker:
        config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"broker_url": broker.url}))
        result = run("alive")
    assert result.exit_code == 1
    assert "parse-1 has not gone on for 9" in result.stderr
    assert "what to do: Start the process again" in result.stderr


def test_one_waits_for_its_broker(run: Run, note: Path) -> None:
    grow_old(note)
    result = run("alive")
    assert (result.exit_code, result.stdout) == (0, "all go on\n"), result.output


def test_nobody_was_here(run: Run) -> None:
    result = run("alive")
    assert result.exit_code == 1
    assert "no process has left a note" in result.stderr
