"""Work that does not end, in real processes; and an event whose runs end in different ways."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from journal.rows import happen
from sqlalchemy import select

from packit_worker.interrupting import Limit, TimedOut, Watch
from packit_worker.journal import Journal
from packit_worker.journal.base import now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.events import EventRow
from packit_worker.journal.heart import HUNG
from packit_worker.journal.runs import RunRow

TESTS = Path(__file__).parent.parent
FACTS = {
    "project_url": "https://forge.example/acme/hello",
    "repo_namespace": "acme",
    "repo_name": "hello",
    "branch": "main",
    "commit_sha": "a" * 40,
}


class Nobody:
    """Is told of progress."""

    def goes_on(self) -> None:
        """Is told."""


@pytest.fixture
def journal(sqlite_url: str) -> Journal:
    made = Journal(sqlite_url)
    happen(made, "e", task="task.process_strange_event", kwargs=FACTS)
    return made


def work(
    journal: Journal, tmp_path: Path, *names: str, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "core.strange", str(journal.url), str(tmp_path), "e", *names],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def event(journal: Journal) -> EventRow:
    with journal.read() as session:
        return session.execute(select(EventRow)).scalar_one()


def the_runs(journal: Journal) -> dict[str, str]:
    with journal.read() as session:
        return {run.handler: run.state for run in session.execute(select(RunRow)).scalars()}


@pytest.mark.slow
def test_a_run_that_hangs_is_interrupted(journal: Journal, tmp_path: Path) -> None:
    done = work(journal, tmp_path, "hang")
    assert done.returncode == 0, done.stderr
    assert "went on" in done.stdout, "the worker takes other work"
    assert event(journal).state == "done"
    with journal.read() as session:
        (run,) = session.execute(select(RunRow).where(RunRow.handler == "StrangeHandler")).scalars()
        check = session.execute(select(CheckRow)).scalar_one()
    assert (run.state, run.note) == ("failed", "timed out after 1 s")
    assert "in hang" in (run.error or ""), "where it was"
    assert (check.status, check.conclusion, check.title) == ("completed", "timed_out", "Timed out after 1 s.")


@pytest.mark.slow
def test_a_run_that_cannot_be_interrupted_ends_its_process(journal: Journal, tmp_path: Path) -> None:
    done = work(journal, tmp_path, "hang_and_swallow")
    assert done.returncode == HUNG, done.stderr
    assert "swallowed TimedOut" in done.stdout
    assert "went on" not in done.stdout
    assert "events e hangs for more than 2 s" in done.stderr
    assert "in hang_and_swallow" in done.stderr
    row = event(journal)
    assert row.state == "running"
    assert row.lease_until is not None
    assert (row.lease_until - now()).total_seconds() < 3, "whoever comes next has it in a moment"


@pytest.mark.slow
def test_not_even_with_the_interpreters_lock(journal: Journal, tmp_path: Path) -> None:
    begun = time.monotonic()
    done = work(journal, tmp_path, "hold_the_lock")
    assert done.returncode != 0
    assert "hold_the_lock" in done.stderr
    assert "went on" not in done.stdout
    assert time.monotonic() - begun < 30


@pytest.mark.slow
def test_one_run_comes_again_and_one_is_for_another_lane(journal: Journal, tmp_path: Path) -> None:
    """First what can be done here; then the rest moves, with all its attempts before it."""
    for attempt in (1, 2):
        done = work(journal, tmp_path, "raise_temporary", "and_long")
        row = event(journal)
        assert (row.state, row.lane, row.attempts) == ("ready", "short-running", attempt), done.stderr
        assert the_runs(journal)["StrangeHandler"] == "retry"
        assert the_runs(journal)["LongHandler"] == "planned"
    work(journal, tmp_path, "work", "and_long")
    row = event(journal)
    assert (row.state, row.lane, row.attempts) == ("ready", "long-running", 0)
    done = work(journal, tmp_path, "work", "and_long")
    assert "runs first" not in done.stdout, "that is done"
    assert "runs long" in done.stdout
    row = event(journal)
    assert (row.state, row.attempts) == ("done", 1)
    assert set(the_runs(journal).values()) == {"done"}


def test_timers_that_were_there_are_put_back() -> None:
    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    outer = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TimedOut, match=r"timed out after 0\.1 s"), Watch(Limit(0.1), Nobody()):
            threading.Event().wait(10)
        assert rung.wait(10)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *outer)


def test_progress_sets_the_clock_back() -> None:
    with Watch(Limit(0.3), Nobody()) as watch:
        for _ in range(4):
            threading.Event().wait(0.15)
            watch.goes_on()


def test_elsewhere_than_in_the_main_thread_nothing_rings() -> None:
    done: list[bool] = []

    def work() -> None:
        with Watch(Limit(0.01), Nobody()):
            done.append(threading.Event().wait(0.1))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [False]


@pytest.mark.parametrize(
    ("seconds", "words"), [(600, "10 minutes"), (60, "60 s"), (0.5, "0.5 s"), (90, "90 s")]
)
def test_words(seconds: float, words: str) -> None:
    assert str(TimedOut(seconds)) == f"timed out after {words}"
