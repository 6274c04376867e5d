"""Starting: what the web process imports, and when it refuses to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .opening import SECRET, TOKEN

HEAVY = (
    "ogr",
    "copr",
    "koji",
    "github",
    "fedora_messaging",
    "packit_worker.handlers",
    "packit_worker.services",
)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PACKIT_WORKER_")}
    return subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, timeout=60
    )


def test_the_web_process_stays_small() -> None:
    found = run(f"import sys, packit_worker.web; print([n for n in {HEAVY} if n in sys.modules])")
    assert found.stdout.strip() == "[]", found


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "github.webhook_secret"),
        ({"PACKIT_WORKER_TESTING_FARM_CALLBACK_TOKEN": TOKEN}, "github.webhook_secret"),
        ({"PACKIT_WORKER_GITHUB_WEBHOOK_SECRET": SECRET}, "testing_farm.callback_token"),
    ],
)
def test_without_secrets_it_refuses_to_start(tmp_path: Path, given: dict[str, str], missing: str) -> None:
    ended = run("import packit_worker.web.wsgi", PACKIT_WORKER_DATA_DIR=str(tmp_path), **given)
    assert ended.returncode == 4
    assert ended.stderr.startswith("packit-worker cannot serve: ")
    assert missing in ended.stderr
    assert "Traceback" not in ended.stderr
    assert SECRET not in ended.stderr


def test_gunicorn_gives_up_at_once(tmp_path: Path) -> None:
    code = "import sys; sys.argv[1:] = ['--bind', '127.0.0.1:0', 'packit_worker.web.wsgi:app']; "
    ended = run(code + "from gunicorn.app.wsgiapp import run; run()", PACKIT_WORKER_DATA_DIR=str(tmp_path))
    assert ended.returncode != 0
    assert "github.webhook_secret" in ended.stderr
