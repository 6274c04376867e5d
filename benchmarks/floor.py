"""The floor: two chained tasks that do nothing, in an otherwise plain Celery. Nothing built on Celery is quicker.

Run by workers (``celery --app benchmarks.floor``). The first message is as large as the service's first, the second as
the service's second. Every end is one byte in a file, so that counting costs next to nothing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready

FIRST, SECOND = "floor.first", "floor.second"

#: Where the workers are told what to do; both sides read it.
BROKER, DIRECTORY = "BENCHMARK_FLOOR_BROKER", "BENCHMARK_FLOOR_DIRECTORY"


def create_app(broker_url: str) -> Celery:
    """Celery as it comes, without results."""
    app = Celery("floor", broker=broker_url, set_as_current=False)
    app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
    return app


def ends(directory: Path) -> Path:
    """The file that has a byte for every event that has gone through both tasks."""
    return directory / "ends"


def facts_of_second(directory: Path) -> Path:
    """The file with the second message's arguments."""
    return directory / "facts.json"


def serve(broker_url: str, directory: Path) -> Celery:
    """The application with both tasks."""
    app = create_app(broker_url)
    facts: dict[str, Any] = json.loads(facts_of_second(directory).read_text())
    file = os.open(ends(directory), os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    @app.task(name=FIRST)
    def first(**_: Any) -> None:
        app.send_task(SECOND, kwargs=facts, queue=SECOND)

    @app.task(name=SECOND)
    def second(**_: Any) -> None:
        os.write(file, b".")

    def ready(sender: Any, **_: Any) -> None:
        (directory / sender.hostname.partition("@")[0]).touch()

    worker_ready.connect(ready, weak=False)
    return app


if BROKER in os.environ:
    app = serve(os.environ[BROKER], Path(os.environ[DIRECTORY]))
