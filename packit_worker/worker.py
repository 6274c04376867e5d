"""The module that Celery is pointed at: ``celery -A packit_worker.worker worker -Q <lane>``."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.signals import worker_ready

# ogr and copr take a second to import: workers pay it when they start, and not in their first event.
import packit_worker.clients.copr
import packit_worker.clients.github
import packit_worker.clients.testing_farm  # noqa: F401
from packit_worker import logs, metrics, pulse, sentry, startup, tracing
from packit_worker.config.service import load_service_config
from packit_worker.processes import ready_notes

_settings = load_service_config()
logs.setup(_settings.secrets())
sentry.setup(_settings)
tracing.setup(_settings.tracing, "worker")

worker = startup.worker(_settings)
app = worker.app


class BeatStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery brings no types
    """Leaves notes that this worker goes on, from the loop that takes messages: where that hangs, there are none."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._pulse = pulse.Pulse(_settings, _name(consumer.hostname))
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """The worker is connected, for the first time or again."""
        self._pulse.beat()
        self._timer = consumer.timer.call_repeatedly(pulse.INTERVAL, self._pulse.beat)

    def stop(self, consumer: Any) -> None:
        """The connection is lost, or the worker ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


app.steps["consumer"].add(BeatStep)


@worker_ready.connect(weak=False)
def _say_ready(sender: Any, **_: Any) -> None:
    """Leave a note that this worker takes tasks: for whoever started it, and for probes. Show metrics from now on."""
    metrics.serve(_settings.metrics)
    notes = ready_notes(_settings)
    notes.mkdir(parents=True, exist_ok=True)
    (notes / _name(sender.hostname)).touch()


def _name(hostname: str) -> str:
    """The process's name, of what Celery calls the worker."""
    return hostname.partition("@")[0]
