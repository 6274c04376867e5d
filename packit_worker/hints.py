"""Hints: the wake-ups given to the broker. A lost hint costs seconds, never work: the sweeper sends it again.

Used by whoever has written work down in the journal, after the transaction is committed.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from typing import Any

import redis.exceptions
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from packit_worker.celery_app import PARSE_MESSAGE, ROUTES, SHOW_CHECK
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from parsers.sending import Sending

log = logging.getLogger(__name__)

#: What a broker that is away, frozen or restarting makes its client raise.
AWAY = (OperationalError, redis.exceptions.RedisError, SQLAlchemyError, OSError)


class Hints:
    """Sends hints; a broker that is away is a line in the log.

    Each method says whether the broker takes hints. False: it is away, and the sweeper will send this one.
    """

    def __init__(self, app: Celery, *, in_background: bool = False, backlog: int = 1000) -> None:
        """``in_background``: from a thread of its own, so that a frozen broker holds up nobody (the web door).

        At most ``backlog`` hints wait there; those beyond are left to the sweeper.
        """
        self._app = app
        self._waiting: queue.Queue[tuple[str, str, str, Mapping[str, Any], str | None]] | None = None
        self._lock = threading.Lock()
        if in_background:
            self._waiting = queue.Queue(backlog)
            self._thread: threading.Thread | None = None

    def delivery(self, id: str, source: str, event_type: str | None) -> bool:
        """A delivery is to be parsed."""
        kwargs = {"delivery_id": id, "source": source, "event_type": event_type}
        return self._hint(PARSE_MESSAGE, ROUTES[PARSE_MESSAGE], id, kwargs)

    def event(self, row: EventRow, *, lane: str | None = None) -> bool:
        """An event is to be processed, on its own lane or another. The task's id is the event's."""
        return self._hint(row.task, lane or row.lane, row.id, row.kwargs, root_id=row.delivery_id)

    def sending(self, sending: Sending, *, event_id: str, delivery_id: str) -> bool:
        """The task that a parser has sent, now that it is written down."""
        return self._hint(sending.task, sending.queue, event_id, sending.kwargs, root_id=delivery_id)

    def check(self, check_id: str) -> bool:
        """A check has something new to show."""
        return self._hint(SHOW_CHECK, ROUTES[SHOW_CHECK], check_id, {"check_id": check_id})

    def row(self, row: Any) -> bool:
        """Whatever claimable row it is."""
        if isinstance(row, EventRow):
            return self.event(row)
        if isinstance(row, Delivery):
            return self.delivery(row.id, row.source, row.event_type)
        return self.check(row.key)

    def _hint(
        self, task: str, lane: str, task_id: str, kwargs: Mapping[str, Any], root_id: str | None = None
    ) -> bool:
        if self._waiting is None:
            return self._publish(task, lane, task_id, kwargs, root_id)
        with self._lock:
            # Begun with the first hint, not earlier: a thread would not survive the web server's fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="hints", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait((task, lane, task_id, kwargs, root_id))
        except queue.Full:
            log.warning("the broker is slow: the hint of %s %s is left to the sweeper", task, task_id)
            return False
        return True

    def _work(self) -> None:
        assert self._waiting is not None
        while True:
            self._publish(*self._waiting.get())

    def _publish(
        self, task: str, lane: str, task_id: str, kwargs: Mapping[str, Any], root_id: str | None = None
    ) -> bool:
        try:
            self._app.send_task(
                task,
                kwargs=dict(kwargs),
                queue=lane,
                task_id=task_id,
                root_id=root_id or task_id,
                retry=False,
                # What Celery would put there is a copy of the arguments for monitors; it doubles the message.
                argsrepr="",
                kwargsrepr="",
            )
        except AWAY as error:
            log.warning("the broker is away, the sweeper will send %s %s again: %s", task, task_id, error)
            return False
        except Exception:
            # What is written down stands, and whoever wrote it has answered for it: no hint is worth an error.
            log.exception("the hint of %s %s could not be sent", task, task_id)
        return True
