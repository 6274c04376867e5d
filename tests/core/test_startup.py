"""The start-up self-check. What is registered is global, so each broken registry has a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from packit_worker import startup

ROOT = Path(__file__).parent.parent.parent

HANDLER = """
from typing import ClassVar
from events.families import PullRequest
from packit_worker.handlers.base import Handler
from packit_worker.registry import answers

@answers(PullRequest)
class StrayHandler(Handler):
    '''{doc}'''
    lane: ClassVar[str | None] = {lane!r}
"""
EVENT = """
from dataclasses import dataclass
from typing import ClassVar
from events.families import {family}

@dataclass(frozen=True, kw_only=True)
class StrayEvent({family}):
    task: ClassVar[str] = "task.process_stray_event"
"""


def check(*, before: str = "", after: str = "") -> str:
    """What the self-check says, with something registered before and after the service's own."""
    code = f"{before}\nfrom packit_worker import startup\n{after}\nstartup.self_check()\n"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    return done.stderr


def test_as_it_is() -> None:
    startup.self_check()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(
            HANDLER.format(doc="Strays.", lane="slow"), "StrayHandler wants the lane 'slow'", id="lane"
        ),
        pytest.param(HANDLER.format(doc="", lane=None), "StrayHandler does not say what it does", id="help"),
        pytest.param(EVENT.format(family="PullRequest"), "StrayEvent has no parser", id="parser"),
        pytest.param(EVENT.format(family="Installation"), "StrayEvent has no handler", id="handler"),
    ],
)
def test_what_cannot_work_is_named(code: str, words: str) -> None:
    said = check(after=code)
    assert "BrokenRegistry" in said
    assert words in said


@pytest.mark.slow
def test_two_events_with_one_task() -> None:
    code = EVENT.format(family="PullRequest")
    assert "both claim task.process_stray_event" in check(
        after=code + code.replace("StrayEvent", "OtherEvent")
    )
