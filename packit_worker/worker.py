"""The module that Celery is pointed at: ``celery -A packit_worker.worker worker -Q <lane>``."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready

# ogr and copr take a second to import: workers pay it when they start, and not in their first event.
import packit_worker.clients.copr
import packit_worker.clients.github
import packit_worker.clients.testing_farm  # noqa: F401
from packit_worker import logs, startup
from packit_worker.config.service import load_service_config
from packit_worker.processes import ready_notes

_settings = load_service_config()
logs.setup(_settings.secrets())

worker = startup.worker(_settings)
app = worker.app


@worker_ready.connect(weak=False)
def _say_ready(sender: Any, **_: Any) -> None:
    """Leave a note that this worker takes tasks: for whoever started it, and for probes."""
    notes = ready_notes(_settings)
    notes.mkdir(parents=True, exist_ok=True)
    (notes / sender.hostname.partition("@")[0]).touch()
