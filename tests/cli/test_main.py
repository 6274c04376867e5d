"""The group: help, versions, and what goes wrong."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from packit_worker.cli import COMMANDS, main

from .conftest import Run


def test_help_lists_every_command_with_examples() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, (_, about) in COMMANDS.items():
        assert name in result.output
        assert about[:30] in result.output
    assert "Examples:" in result.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_says_of_itself_what_the_group_says_and_gives_examples(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert command.help is not None
    assert command.help.splitlines()[0] == COMMANDS[name][1]


def test_help_imports_no_command_and_comes_at_once() -> None:
    program = (
        "import sys\nfrom packit_worker.cli import main\n"
        "try:\n    main(['--help'], prog_name='packit-worker')\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'celery', 'rich', 'flask', 'requests'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    begun = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    # It takes a twentieth of a second; the machine may be busy.
    assert time.monotonic() - begun < 3


def test_the_version() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.output == f"packit-worker {importlib.metadata.version('packit-worker')}\n"


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    result = run("explian", "1")
    assert result.exit_code == 2
    assert "explain" in result.output


def test_a_wrong_configuration_is_told_in_a_line(run: Run, config: Path) -> None:
    config.write_text("datbase_url: sqlite://\n")
    result = run("explain", "1")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "datbase_url" in result.stderr
    assert f"what to do: Correct {config}." in result.stderr


def test_a_configuration_that_is_not_there(run: Run, config: Path) -> None:
    config.unlink()
    result = run("explain", "1")
    assert result.exit_code == 1
    assert str(config) in result.stderr


def test_a_journal_that_is_not_there_is_not_made(run: Run, config: Path) -> None:
    result = run("explain", "1")
    assert result.exit_code == 1
    assert "what to do: packit-worker db upgrade" in result.stderr
    assert not (config.parent / "data" / "journal.sqlite").exists()


def test_a_journal_without_tables(run: Run, config: Path) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "journal.sqlite").touch()
    result = run("explain", "1")
    assert result.exit_code == 1
    assert "is not up to date" in result.stderr
    assert "what to do: packit-worker db upgrade" in result.stderr


def test_a_database_that_is_away_keeps_its_password(run: Run, config: Path) -> None:
    config.write_text("database_url: postgresql://packit:hunter2secret@127.0.0.1:1/packit\n")
    result = run("allowlist", "list")
    assert result.exit_code == 1
    assert "See that the database runs" in result.stderr
    assert "hunter2secret" not in result.output
