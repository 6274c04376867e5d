"""Metrics: ``GET /metrics`` for Prometheus, with what the journal knows about the lanes."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Callable, Iterator

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from packit_worker import metrics
from packit_worker.errors import in_short
from packit_worker.journal import JournalUnavailable, queues
from packit_worker.journal.base import now
from packit_worker.journal.queues import Queue
from packit_worker.web.answers import refuse
from packit_worker.web.door import Door, the_door

log = logging.getLogger(__name__)

blueprint = Blueprint("metrics", __name__)

#: Seconds for which what was read from the journal is shown again.
FRESH = 5.0

_KEY = "packit_worker.metrics"


class Lanes(Collector):
    """The lanes as the journal has them, read when it is scraped, at most every ``FRESH`` seconds.

    Of a journal that does not answer there is only ``journal_up`` 0.
    """

    def __init__(
        self, read: Callable[[], list[Queue]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._known: list[Queue] | None = None
        self._good_until = float("-inf")

    def collect(self) -> Iterator[Metric]:
        """The metrics of a scrape."""
        known = self._lanes()
        up = GaugeMetricFamily("journal_up", "Whether the journal's database answers.")
        up.add_metric([], 1 if known is not None else 0)
        yield up
        moment = now()
        for name, text, value in _GAUGES:
            gauge = GaugeMetricFamily(name, text, labels=["lane"])
            for queue in known or ():
                gauge.add_metric([queue.lane], value(queue) if value else queue.oldest_seconds(moment))
            yield gauge

    def _lanes(self) -> list[Queue] | None:
        with self._lock:
            if self._clock() >= self._good_until:
                try:
                    self._known = self._read()
                except (JournalUnavailable, SQLAlchemyError) as error:
                    log.error("the lanes cannot be read: %s", in_short(error))
                    self._known = None
                self._good_until = self._clock() + FRESH
            return self._known


_GAUGES: tuple[tuple[str, str, Callable[[Queue], float] | None], ...] = (
    ("queue_oldest_seconds", "How long the oldest work that is due has been waiting.", None),
    ("queue_waiting", "Work that is due, and nobody is at it.", lambda queue: queue.waiting),
    ("queue_running", "Work that somebody is at.", lambda queue: queue.running),
    ("queue_later", "Work that is due in the future.", lambda queue: queue.later),
    ("jobs_dead", "Work that was given up, and waits for an operator.", lambda queue: queue.dead),
)
#: As they are scraped.
NAMES = ("journal_up", *(name for name, _, _ in _GAUGES))


def install(app: Flask, door: Door) -> None:
    """Let an application show the lanes behind its door."""
    app.extensions[_KEY] = Lanes(lambda: door.read(queues.all_of))


@blueprint.get("/metrics")
def show() -> Response:
    """Everything that is counted."""
    token = the_door().settings.metrics.token
    if token is not None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token.reveal()}".encode()):
            raise refuse(401, "show the token of the metrics: Authorization: Bearer TOKEN")
    lanes = CollectorRegistry()
    lanes.register(current_app.extensions[_KEY])
    text = generate_latest(metrics.registry()) + generate_latest(lanes)
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
