"""What a machine has to have for some tests: skipped visibly where it is missing, a failure in CI."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
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


def a_kdc() -> Any:
    """What starts a KDC (the package k5test), with the programs for it and the libraries of Kerberos."""
    for needed in ("krb5kdc", "kdb5_util", "kadmin.local"):
        if shutil.which(needed) is None:
            missing(
                f"no program {needed} in PATH (Debian: krb5-kdc krb5-admin-server; they are in /usr/sbin)"
            )
    for library in ("gssapi", "requests_gssapi", "k5test"):
        try:
            import_module(library)
        except ImportError:
            missing(f"the library {library} is not installed: see README, Working on it")
    return import_module("k5test")


def free_ports() -> int:
    """The first of ten ports in a row on which nobody listens now."""
    for first in range(20000 + os.getpid() % 10000, 60000, 10):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + 10):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    missing("no ten free ports in a row")


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
