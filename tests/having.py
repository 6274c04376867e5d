"""What a machine has to have for some tests: skipped visibly where it is missing, a failure in CI."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import pytest

from packit_worker.cell import Cell

#: Where ``make packit`` puts the program.
_MADE = Path(__file__).parents[1] / ".venv" / "packit" / "bin" / "packit"


def missing(reason: str) -> NoReturn:
    """Skip visibly, or fail where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to have it: {reason}")
    pytest.skip(reason)


def a_jail() -> None:
    """Code of strangers can be run here."""
    reason = Cell.available()
    if reason is not None:
        missing(f"no jail here: {reason}")


def the_library_koji() -> Any:
    """The library, of the extra ``koji``. For modules too, before their tests are collected."""
    try:
        return import_module("koji")
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("the library koji is not installed: see README, Working on it", allow_module_level=True)


def the_program_packit() -> str:
    """The path of the real packit, which PACKIT_PROGRAM, ``make packit`` or PATH has, with what it calls."""
    found = os.environ.get("PACKIT_PROGRAM") or (str(_MADE) if _MADE.exists() else shutil.which("packit"))
    if found is None:
        missing("no program packit here: make packit")
    for needed in ("rpmbuild", "rsync"):
        if shutil.which(needed) is None:
            missing(f"no program {needed} here")
    return found


def the_program_chromium() -> str:
    """The path of the system's Chromium or Chrome."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        missing("no program chromium here (Debian, Fedora: the package chromium)")
    return found
