"""What a command in a jail can see and touch, and that nothing ever runs without one."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from packit_worker import logs
from packit_worker.cell import Cell, NoCell, workspace
from packit_worker.errors import UserError
from tests.cell.conftest import SMALL


def sh(work: Path, script: str, environment: dict[str, str] | None = None) -> str:
    finished = Cell(work, limits=SMALL, environment=environment).run(["sh", "-c", script])
    assert finished.killed_by is None, finished
    return finished.output


def test_it_runs_and_tells_how_it_went(work: Path) -> None:
    finished = Cell(work, limits=SMALL).run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (finished.exit_code, finished.output, finished.killed_by) == (3, "out\nerr\n", None)
    assert not finished.well
    assert Cell(work, limits=SMALL).run(["sh", "-c", "kill -9 $$"]).exit_code == 137


def test_a_missing_program_is_the_commands_failure(work: Path) -> None:
    finished = Cell(work, limits=SMALL).run(["no-such-program"])
    assert finished.exit_code == 127
    assert finished.output == "no-such-program: No such file or directory\n"


def test_files_made_in_work_are_there_afterwards(work: Path) -> None:
    (work / "sub").mkdir()
    assert (
        Cell(work, limits=SMALL).run(["sh", "-c", "pwd; echo made > file"], folder="sub").output
        == "/work/sub\n"
    )
    assert (work / "sub" / "file").read_text() == "made\n"


def test_a_folder_outside_of_work_is_refused(work: Path) -> None:
    (work / "link").symlink_to("/")
    for folder in ("../", "/etc", "link"):
        with pytest.raises(UserError):
            Cell(work, limits=SMALL).run(["true"], folder=folder)


def test_a_secret_outside_cannot_be_read(work: Path, outside: Path) -> None:
    secret = outside / "secret"
    secret.write_text("canary-5791")
    secret.chmod(0o644)
    (work / "link").symlink_to(secret)
    said = sh(
        work,
        f"cat {secret} link /proc/1/root{secret} /etc/shadow /root/.bashrc /proc/1/environ; ls -a /work/../..; "
        f"ls {outside} /proc/*/root/ /home /var /run /opt /srv /mnt; cat /proc/kcore | head -c 10; env",
    )
    assert "canary-5791" not in said
    assert "root:" not in said


def test_nothing_outside_can_be_written(work: Path, outside: Path) -> None:
    places = (
        f"{outside}/canary",
        "/usr/canary",
        "/etc/canary",
        "/canary",
        "/dev/canary",
        "/cell/canary",
        "/var/canary",
    )
    said = sh(work, "".join(f"echo x > {place} && echo WROTE {place};" for place in places))
    assert "WROTE" not in said
    assert list(outside.iterdir()) == []
    assert "WROTE" not in sh(work, "echo x > /proc/sys/kernel/core_pattern && echo WROTE")


def test_tmp_and_home_are_its_own_and_gone_afterwards(work: Path) -> None:
    cell = Cell(work, limits=SMALL)
    name = f"canary-{os.getpid()}-{time.monotonic_ns()}"
    assert cell.run(["sh", "-c", f"touch /tmp/{name} ~/{name} /var/tmp/{name} /dev/shm/{name} && ls ~"]).well
    assert not Path("/tmp", name).exists()
    assert cell.run(["sh", "-c", f"cat /tmp/{name} ~/{name}"]).exit_code == 1


def test_the_environment_is_a_list_of_ours(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKIT_WORKER_GITHUB_TOKEN", "canary-token")
    monkeypatch.setenv("LD_PRELOAD", "")
    lines = sh(work, "env; cat /proc/*/environ", environment={"GIVEN": "yes"})
    assert "canary-token" not in lines
    names = {line.partition("=")[0] for line in sh(work, "env", environment={"GIVEN": "yes"}).splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "GIVEN", "PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"}


def test_no_file_of_the_worker_is_open_in_it(work: Path, outside: Path) -> None:
    with (outside / "open").open("w") as opened:
        os.set_inheritable(opened.fileno(), True)
        said = sh(work, "ls -l /proc/self/fd")
    assert "packit-worker-cell" not in said
    assert "json" not in said


def test_it_is_nobody(work: Path) -> None:
    said = sh(
        work, "id -u; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; hostname; ps ax | wc -l"
    )
    lines = said.split()
    assert lines[0] == "1000"
    assert lines[1:5] == ["CapEff:", "0" * 16, "CapBnd:", "0" * 16]
    assert "cell" in lines
    # It sees its own processes and no others.
    assert int(lines[-1]) < 10


def test_it_cannot_make_namespaces_or_mounts_of_its_own(work: Path) -> None:
    said = sh(
        work,
        "unshare -U true && echo MADE; unshare -r -m true && echo MADE; mount -t tmpfs x /mnt && echo MADE",
    )
    assert "MADE" not in said


def test_calls_that_get_around_the_limits_do_not_exist(work: Path) -> None:
    script = (
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.shmget(0, 4096, 0o1600), ctypes.get_errno())\n"
        "try: os.memfd_create('x')\n"
        "except OSError as error: print(error.errno)\n"
    )
    finished = Cell(work, limits=SMALL).run(["python3", "-c", script])
    if os.uname().machine in ("x86_64", "aarch64"):
        assert finished.output.split() == ["-1", "38", "38"]


def test_it_has_no_terminal_to_type_into(work: Path) -> None:
    assert "OPEN" not in sh(work, "(echo x > /dev/tty) && echo OPEN; tty")


def test_secrets_are_taken_out_of_its_output(work: Path) -> None:
    logs.add_secret("canary-secret-0815")
    assert "canary-secret-0815" not in sh(work, "echo canary-secret-0815")


def test_without_bubblewrap_nothing_runs(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(outside))
    canary = outside / "canary"
    reason = Cell.available()
    assert reason is not None
    assert "bubblewrap" in reason
    with workspace() as folder, pytest.raises(NoCell) as raised:
        Cell(folder).run(["touch", str(canary)])
    assert "bubblewrap" in raised.value.next_step
    assert "Nothing was run" in raised.value.next_step
    assert not canary.exists()


def test_where_namespaces_are_forbidden_nothing_runs(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_ = outside / "bin"
    bin_.mkdir()
    # What the real one says and does on such a machine; available() finds out by trying.
    (bin_ / "bwrap").write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    (bin_ / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    assert "No permissions to create new namespace" in str(Cell.available())
    with workspace() as folder, pytest.raises(NoCell, match="No permissions"):
        Cell(folder).run(["touch", str(outside / "canary")])
    assert not (outside / "canary").exists()


def test_what_it_started_does_not_outlive_it(work: Path) -> None:
    marker = f"3{os.getpid()}.{time.monotonic_ns() % 100000}"
    assert sh(work, f"setsid sleep {marker} & sleep 0.2; echo done") == "done\n"
    assert not running(marker)


def test_it_does_not_outlive_the_worker(work: Path) -> None:
    marker = f"3{os.getpid()}.{time.monotonic_ns() % 100000}"
    script = (
        "import pathlib, sys\nfrom packit_worker.cell import Cell\n"
        f"Cell(pathlib.Path(sys.argv[1])).run(['sh', '-c', 'setsid sleep {marker} & sleep {marker}'])\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", script, str(work)])
    try:
        deadline = time.monotonic() + 10
        while len(running(marker)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running(marker)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        deadline = time.monotonic() + 5
        while running(marker) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not running(marker)
    finally:
        worker.kill()
        worker.wait()


def test_no_zombie_is_left_to_others(work: Path) -> None:
    """Process 1 of a container is often a worker, which would never hear of them."""
    for limits in (SMALL, dataclasses.replace(SMALL, seconds=0.5)):
        for _ in range(3):
            Cell(work, limits=limits).run(["sh", "-c", "setsid sleep 1 & sleep 1"])
        left = [
            entry.name
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal()
            and _comm_and_parent(entry) in (("bwrap", 1), ("python3", 1), ("sleep", 1))
        ]
        assert left == []


def _comm_and_parent(entry: Path) -> tuple[str, int] | None:
    try:
        head, _, tail = (entry / "stat").read_text(errors="replace").rpartition(")")
    except OSError:
        return None
    state, parent = tail.split()[:2]
    return (head.partition("(")[2], int(parent)) if state == "Z" else None


def test_it_cannot_make_the_worker_kill_or_believe_another(work: Path) -> None:
    """The launcher's pipe can be written to from inside; what comes there names no process, and codes stay codes."""
    script = (
        "for fd in /proc/1/fd/*; do echo '{ \"child-pid\": 1 }' > $fd; echo ended 99999 > $fd; done 2>/dev/null;"
        "kill -9 1; kill -2 1; kill -15 1; kill -1 1;"
        "yes ended 7 2>/dev/null | head -c 100000 | timeout 1 tee /proc/1/fd/* >/dev/null; exit 4"
    )
    finished = Cell(work, limits=SMALL).run(["sh", "-c", script])
    assert finished.exit_code == 4
    assert finished.seconds < 10


def running(marker: str) -> list[str]:
    """Processes whose command line is ``sleep <marker>``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:2] == [b"sleep", marker.encode()]:
                found.append(entry.name)
    return found


def test_a_workspace_is_removed_whatever_was_left_in_it() -> None:
    with workspace() as folder:
        deep = folder / "locked"
        deep.mkdir()
        (deep / "file").write_text("x")
        deep.chmod(0)
        script = "import os\nfor _ in range(3000): os.mkdir('deep'); os.chdir('deep')"
        subprocess.run([sys.executable, "-I", "-c", script], cwd=folder, check=True)
    assert not folder.exists()
