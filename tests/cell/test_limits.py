"""Bombs: each is ended at its limit, says so, and nobody else notices."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path

import pytest

from packit_worker.cell import Cell, Finished, KilledBy, Limits, workspace
from tests.cell.conftest import SMALL


def python(work: Path, script: str, **changed: object) -> Finished:
    return Cell(work, limits=dataclasses.replace(SMALL, **changed)).run(["python3", "-c", script])  # type: ignore[arg-type]


def test_sleep_is_ended_on_time_with_all_its_processes(work: Path) -> None:
    finished = Cell(work, limits=dataclasses.replace(SMALL, seconds=1)).run(
        ["sh", "-c", "echo begun; trap '' TERM INT HUP; setsid sleep 1000 & sleep 1000"]
    )
    assert finished.timed_out
    assert finished.exit_code is None
    assert finished.output == "begun\n"
    assert 1 <= finished.seconds < 3


def test_a_fork_bomb_is_ended(work: Path) -> None:
    finished = python(work, "import os\nwhile True:\n try: os.fork()\n except OSError: pass\n", seconds=4)
    # RLIMIT_NPROC holds it at its size; then time or CPU end it.
    assert finished.killed_by in (KilledBy.PROCESSES, KilledBy.TIME, KilledBy.CPU)
    assert finished.seconds < 8


def test_processes_are_bounded_by_the_kernel(work: Path) -> None:
    script = (
        "import os, time\nmade = 0\n"
        "while made < 500:\n"
        " try: pid = os.fork()\n"
        " except OSError: break\n"
        " if pid == 0: time.sleep(60); os._exit(0)\n"
        " made += 1\n"
        "print(made)\n"
    )
    finished = python(work, script)
    assert finished.well, finished
    assert 20 < int(finished.output) <= SMALL.processes


def test_a_memory_bomb_in_one_process_gets_no_more(work: Path) -> None:
    finished = python(work, "x = []\nwhile True: x.append(bytearray(1 << 20))\n")
    # The kernel refuses more, unless the watcher was quicker.
    assert finished.killed_by is KilledBy.MEMORY or (
        finished.exit_code,
        "MemoryError" in finished.output,
    ) == (1, True)
    assert finished.seconds < 5


def test_a_memory_bomb_of_many_processes_is_ended(work: Path) -> None:
    script = (
        "import os, time\n"
        "for number in range(8): os.fork() if number < 3 else None\n"
        "x = bytearray(60 << 20)\nx[::4096] = b'x' * len(x[::4096])\ntime.sleep(60)\n"
    )
    finished = python(work, script)
    assert finished.killed_by is KilledBy.MEMORY
    assert finished.seconds < 10


def test_shared_memory_counts_too(work: Path) -> None:
    script = (
        "import mmap, time\nx = mmap.mmap(-1, 400 << 20)\n"
        "for at in range(0, len(x), 4096): x[at] = 1\n"
        "time.sleep(60)\n"
    )
    assert python(work, script).killed_by is KilledBy.MEMORY


def test_files_in_memory_are_bounded(work: Path) -> None:
    script = "for place in /tmp ~ /dev/shm; do head -c 60000000 /dev/zero > $place/x; du -m $place/x; done"
    finished = Cell(work, limits=dataclasses.replace(SMALL, file_size=1 << 30)).run(["sh", "-c", script])
    sizes = [int(line.split()[0]) for line in finished.output.splitlines() if line[0].isdecimal()]
    assert sizes == [16, 16, 16]


def test_cpu_time_is_bounded_in_one_process(work: Path) -> None:
    finished = python(work, "while True: pass", cpu_seconds=1)
    assert finished.killed_by is KilledBy.CPU
    assert finished.seconds < 5


def test_cpu_time_is_bounded_over_many_short_processes(work: Path) -> None:
    script = "while true; do timeout 0.3 sh -c 'while true; do :; done'; done"
    finished = Cell(work, limits=dataclasses.replace(SMALL, cpu_seconds=1)).run(["sh", "-c", script])
    assert finished.killed_by is KilledBy.CPU
    assert finished.seconds < 8


def test_endless_output_is_cut_and_ended(work: Path) -> None:
    finished = Cell(work, limits=SMALL).run(["sh", "-c", "yes some line of text"])
    assert finished.killed_by is KilledBy.OUTPUT
    assert len(finished.output) <= SMALL.output_kept
    assert finished.output.count("some line of text") > 100


def test_only_the_end_of_long_output_is_kept(work: Path) -> None:
    finished = Cell(work, limits=SMALL).run(["sh", "-c", "seq 1 100000; echo the end"])
    assert finished.well
    assert finished.output.endswith("100000\nthe end\n")
    assert len(finished.output) <= SMALL.output_kept


def test_one_large_file_is_refused_by_the_kernel(work: Path) -> None:
    finished = Cell(work, limits=SMALL).run(["sh", "-c", "exec head -c 50000000 /dev/zero > large"])
    assert finished.killed_by is KilledBy.FILE_SIZE
    assert (work / "large").stat().st_size == SMALL.file_size


def test_a_full_work_directory_is_ended(work: Path) -> None:
    script = "i=0; while true; do head -c 5000000 /dev/urandom > file$i; i=$((i+1)); done"
    finished = Cell(work, limits=SMALL).run(["sh", "-c", script])
    assert finished.killed_by is KilledBy.DISK


def test_deleted_files_count_too(work: Path) -> None:
    script = (
        "import os, time\nheld = []\nfor number in range(8):\n"
        " held.append(open('x', 'wb')); held[-1].write(b'x' * (15 << 20)); held[-1].flush(); os.unlink('x')\n"
        "time.sleep(60)\n"
    )
    assert python(work, script).killed_by is KilledBy.DISK


@pytest.mark.parametrize(
    "script",
    [
        "number = 0\nwhile True: open(f'f{number}', 'w').close(); number += 1",
        "import os, time\nfor _ in range(300): os.mkdir('d' * 50); os.chdir('d' * 50)\ntime.sleep(60)",
    ],
    ids=["many", "deep"],
)
def test_countless_files_are_ended(work: Path, script: str) -> None:
    assert python(work, script).killed_by is KilledBy.FILES


def test_a_full_disk_is_told_apart(work: Path) -> None:
    limits = dataclasses.replace(SMALL, free_disk=1 << 60)
    assert Cell(work, limits=limits).run(["sleep", "60"]).killed_by is KilledBy.FULL_DISK


def test_others_are_not_affected(work: Path) -> None:
    """Six bombs at once, and beside them one jail after the other, each of which ends well and soon."""
    bombs = {
        "fork": "import os\nwhile True:\n try: os.fork()\n except OSError: pass",
        "memory": "x=[]\nwhile True:\n try: x.append(bytearray(1<<20))\n except MemoryError: x.pop()",
        "output": "while True: print('x' * 1000)",
        "sleep": "import time; time.sleep(1000)",
        "disk": "n=0\nwhile True: open(f'f{n}', 'wb').write(b'x' * 1000000); n += 1",
        "cpu": "while True: pass",
    }
    ended: dict[str, Finished] = {}

    def explode(name: str, script: str) -> None:
        with workspace() as folder:
            limits = dataclasses.replace(SMALL, seconds=4)
            ended[name] = Cell(folder, limits=limits).run(["python3", "-c", script])

    threads = [threading.Thread(target=explode, args=bomb) for bomb in bombs.items()]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        finished = Cell(work, limits=SMALL).run(["python3", "-c", "print(sum(range(1000)))"])
        assert finished.output == "499500\n"
        slowest = max(slowest, finished.seconds)
    assert set(ended) == set(bombs)
    assert all(finished.killed_by is not None for finished in ended.values()), ended
    assert time.monotonic() - started < 15
    assert slowest < 5


def test_defaults_let_ordinary_work_through(work: Path) -> None:
    finished = Cell(work, limits=Limits()).run(["sh", "-c", "seq 1 10000 | sort | uniq | wc -l"])
    assert (finished.exit_code, finished.output.strip()) == (0, "10000")
