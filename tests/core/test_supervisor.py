"""The supervisor: what ends is started again, what is stopped is gone, and nobody outlives it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packit_worker.processes import Process
from packit_worker.supervisor import Supervisor

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEP
ASKED = "lambda *_: (print('asked', flush=True), sys.exit())"
TELLS = f"import signal, sys; signal.signal(signal.SIGTERM, {ASKED});" + SLEEP


def python(name: str, code: str) -> Process:
    return Process(name=name, command=(sys.executable, "-c", code))


def until(is_true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def supervise(*processes: Process) -> Supervisor:
        made.append(Supervisor(processes, environment=dict(os.environ), log_dir=tmp_path))
        return made[-1].__enter__()

    yield supervise
    for each in made:
        each.stop(timeout=1)


def test_what_is_killed_is_started_again(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("one", SLEEP), python("two", SLEEP))
    until(lambda: "up" in supervisor.log_of("one").read_text())
    before = supervisor.pids
    os.kill(before["one"], signal.SIGKILL)
    until(lambda: supervisor.pids.get("one") not in (None, before["one"]))
    assert supervisor.pids["two"] == before["two"]
    until(lambda: supervisor.log_of("one").read_text().count("up") == 2)


def test_what_ends_at_once_is_started_ever_more_rarely(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("failing", "import time; print(time.monotonic(), flush=True)"))
    until(lambda: len(supervisor.log_of("failing").read_text().split()) >= 4)
    starts = [float(word) for word in supervisor.log_of("failing").read_text().split()]
    first, second, third = (later - earlier for earlier, later in itertools.pairwise(starts[:4]))
    assert first >= 0.2
    assert second >= 0.4
    assert third >= 0.8


def test_stopped_in_good_order(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python("polite", TELLS), python("deaf", DEAF))
    until(lambda: all("up" in supervisor.log_of(name).read_text() for name in ("polite", "deaf")))
    pids = supervisor.pids
    begun = time.monotonic()
    supervisor.stop(timeout=1)
    assert 1 <= time.monotonic() - begun < 10
    assert not any(map(is_alive, pids.values()))
    assert "asked" in supervisor.log_of("polite").read_text()
    assert supervisor.pids == {}


def test_one_that_was_started_again_is_asked_as_politely(supervise: Callable[..., Supervisor]) -> None:
    """The kernel takes the thread that started it for its parent, and that thread must not end first."""
    supervisor = supervise(python("polite", TELLS))
    until(lambda: "up" in supervisor.log_of("polite").read_text())
    os.kill(supervisor.pids["polite"], signal.SIGKILL)
    until(lambda: supervisor.log_of("polite").read_text().count("up") == 2)
    supervisor.stop(timeout=10)
    assert supervisor.log_of("polite").read_text().count("asked") == 1


def test_what_cannot_be_started_leaves_nothing_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"import os; open({str(pid_file)!r}, 'w').write(str(os.getpid())); {SLEEP}"
    wrong = Process(name="wrong", command=("/there/is/no/such/program",))
    supervisor = Supervisor([python("first", code), wrong], environment=dict(os.environ), log_dir=tmp_path)
    with pytest.raises(FileNotFoundError), supervisor:
        pass
    assert supervisor.pids == {}


@pytest.mark.slow
def test_they_end_with_their_supervisor(tmp_path: Path) -> None:
    code = f"""
import os, sys, threading
from pathlib import Path
from packit_worker.processes import Process
from packit_worker.supervisor import Supervisor
child = Process(name="child", command=(sys.executable, "-c", {SLEEP!r}))
with Supervisor([child], environment=dict(os.environ), log_dir=Path({str(tmp_path)!r})) as supervisor:
    print(supervisor.pids["child"], flush=True)
    threading.Event().wait()
"""
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.kill()
    until(lambda: not is_alive(pid))
