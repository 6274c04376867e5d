"""``packit-worker chaos`` as an operator runs it: a short script of a fixed seed, and a rolling restart under load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from demo.test_demo import offspring

from packit_worker.broker.embedded import redis_program

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(redis_program() is None, reason="there is no redis-server here"),
]


def run(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    mark = f"CHAOS_OF={tmp_path}"
    name, _, value = mark.partition("=")
    done = subprocess.run(
        [sys.executable, "-m", "packit_worker.cli", "chaos", "--json", *arguments],
        env={**os.environ, name: value, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=380,
    )
    assert offspring(mark) == [], "no process is left"
    assert list(tmp_path.iterdir()) == [], "nor a file"
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["violations"] == []
    assert done.returncode == 0
    return told["figures"]  # type: ignore[no-any-return]


def test_nothing_is_lost_nor_doubled(tmp_path: Path) -> None:
    found = run(tmp_path, "--seed", "1", "--events", "12", "--blows", "1", "--seconds", "12")
    assert sum(found["hits"].values()) >= 5
    assert found["faults outside"]
    assert found["effects confirmed"]["copr_build"] >= 1
    assert (found["doubled"], found["lost"], found["pending"]) == (0, 0, 0)


def test_a_rolling_restart_under_load(tmp_path: Path) -> None:
    """Every process is asked to end while it works; the systems outside answer, so that nothing else is to blame."""
    targets = [word for target in ("web", "worker", "sweeper", "feed") for word in ("--target", target)]
    found = run(
        tmp_path,
        "--seed",
        "4",
        "--events",
        "12",
        "--blows",
        "2",
        "--seconds",
        "15",
        "--rolling",
        "--calm",
        *targets,
    )
    assert sum(found["hits"].values()) >= 6
    assert all(hit.endswith("restart") for hit in found["hits"])
    assert found["claims taken from the dead"] == 0, "everybody finished what they had in their hands"
    assert (found["doubled"], found["lost"], found["pending"]) == (0, 0, 0)
