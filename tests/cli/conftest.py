"""A configured service with a journal of its own, and the command line to look at it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from packit_worker import migrations
from packit_worker.cli import main
from packit_worker.journal import Journal

#: Runs the command line with the configuration of the test; ``input`` is what stands on standard input.
Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose journal does not exist yet, and whose broker is away."""
    path = tmp_path / "packit-worker.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "data_dir": str(tmp_path / "data"),
                "broker_url": f"redis+socket://{tmp_path / 'nobody.sock'}",
                "admins": ["Root"],
            }
        )
    )
    return path


@pytest.fixture
def journal(config: Path) -> Iterator[Journal]:
    """The service's journal, up to date and empty."""
    made = Journal(f"sqlite:///{config.parent / 'data' / 'journal.sqlite'}")
    migrations.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def run(config: Path) -> Iterator[Run]:
    """Run a command with this configuration."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def run(*words: str, input: str | bytes | None = None) -> Result:
        return CliRunner().invoke(
            main, ["--config", str(config), *words], input=input, prog_name="packit-worker"
        )

    yield run
    # The command has sent logs to a stderr that is no more.
    root.handlers[:] = before
    root.setLevel(level)
