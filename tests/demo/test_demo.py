"""``packit-worker demo`` as a newcomer runs it: it tells the whole story, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from packit_worker.cell import Cell, workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def offspring(mark: str) -> list[int]:
    """Processes that have the mark in their environment, as every child inherits it."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark.encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


def run(tmp_path: Path, *arguments: str, **variables: str) -> tuple[int, list[dict[str, Any]], str]:
    mark = f"DEMO_OF={tmp_path}"
    name, _, value = mark.partition("=")
    done = subprocess.run(
        [sys.executable, "-m", "packit_worker.cli", "demo", "--json", "--timeout", "200", *arguments],
        env={**os.environ, name: value, "TMPDIR": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert offspring(mark) == [], "no process is left"
    assert list(tmp_path.iterdir()) == [], "nor a file"
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_the_main_job(tmp_path: Path) -> None:
    status, entries, said = run(tmp_path)
    assert status == 0, said
    told = [(entry["kind"], f"{entry['title']} {entry['text']}") for entry in entries]

    def count(kind: str, *words: str) -> int:
        return sum(entry_kind == kind and all(word in text for word in words) for entry_kind, text in told)

    assert count("received", "github pull_request") == 1
    assert count("parsed", "task.parse_message") >= 1
    assert count("event", "task.process_pull_request_GH_event") == 1
    assert count("effect", "copr_build: confirmed") == 1
    for chroot in ("fedora-43-x86_64", "fedora-44-x86_64"):
        assert count("check", f"rpm-build:{chroot}", "success") == 1
        assert count("check", f"testing-farm:{chroot}", "success") == 1
        assert count("effect", "test_request: confirmed", chroot) == 1
    assert count("dead") == count("malformed") == count("held") == 0
    moments = [entry["seconds"] for entry in entries]
    assert moments[0] == 0
    assert all(entry["at"].endswith("Z") for entry in entries)


@pytest.mark.parametrize("story", ["pagure", "gitlab"])
def test_other_forges(tmp_path: Path, story: str) -> None:
    status, entries, said = run(tmp_path, "--story", story)
    assert status == 0, said
    assert sum("copr_build: confirmed" in entry["title"] for entry in entries) == 1


def test_what_a_push_to_dist_git_needs(tmp_path: Path) -> None:
    status, entries, said = run(tmp_path, "--story", "distgit", PACKIT_WORKER_PACKIT_PROGRAM="/none/packit")
    assert (status, entries) == (1, [])
    assert "missing on this machine: packit: " in said
    assert said.endswith("the story cannot be shown here\n")


def test_a_push_to_dist_git() -> None:
    program = os.environ.get("PACKIT_PROGRAM") or shutil.which("packit")
    if program is None or Cell.available() is not None:
        pytest.skip("no program packit here, or no jail")
    with workspace() as place:
        # Root lends the jail to another user, who has to be able to look into it.
        place.chmod(0o755)
        status, entries, said = run(place, "--story", "distgit", PACKIT_WORKER_PACKIT_PROGRAM=program)
    assert status == 0, said
    assert sum("upstream_pull_request: confirmed" in entry["title"] + entry["text"] for entry in entries) == 1
