"""Parsing needs no network, no database, no configuration, and nothing of the worker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import parsers

ROOT = Path(parsers.__file__).parent.parent

PROGRAM = """
import json, socket, sys

def refuse(*args, **kwargs):
    raise AssertionError("the network was asked for")

socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse

import parsers
from parsers.sending import held

with held() as sendings:
    parsers.parse("testing-farm", None, {"request_id": "129bd474"})
    parsers.parse("fedora-messaging", "org.fedoraproject.prod.copr.build.end", {"build": 1, "status": 1})

loaded = {name.partition(".")[0] for name in sys.modules}
print(json.dumps({
    "sent": [sending.task for sending in sendings],
    "loaded": sorted(loaded & {"sqlalchemy", "flask", "requests", "ogr", "yaml", "packit_worker"}),
    "ours": [sys.modules[name].__file__ for name in ("events", "parsers")],
}))
"""


def test_in_a_process_of_its_own():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    files = [str(ROOT / name / "__init__.py") for name in ("events", "parsers")]
    tasks = ["task.process_testing_farm_result_event", "task.process_copr_build_event"]
    assert json.loads(done.stdout) == {"sent": tasks, "loaded": [], "ours": files}
