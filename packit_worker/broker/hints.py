"""Hints: the wake-ups given to the broker. A lost hint costs seconds, never work: the sweeper sends it again.

Used by whoever has written work down in the journal, after the transaction is committed.
"""

from __future__ import annotations

import copy
import logging
import queue
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import redis.exceptions
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from packit_worker.broker.celery_app import PARSE_MESSAGE, ROUTES, SHOW_CHECK
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from parsers.sending import Sending

log = logging.getLogger(__name__)

#: What a broker that is away, frozen or restarting makes its client raise.
AWAY = (OperationalError, redis.exceptions.RedisError, SQLAlchemyError, OSError)


#: Priorities of hints: a smaller number comes first where the broker has priorities (Redis has). The more work of one
#: namespace waits, the later it comes: an account that floods the service makes itself wait, and not the others.
_STEPS = ((4, 0), (16, 3), (64, 6))
LAST = 9
#: Nobody counts further than this.
COUNTED = 64


def priority_of(waiting: int) -> int:
    """The priority of work of a namespace of which so much waits already."""
    return next((priority for least, priority in _STEPS if waiting < least), LAST)


def scope_of(project_url: object) -> str | None:
    """Whose work it is: the beginning of the addresses of all projects in a namespace. None: nobody's."""
    if not isinstance(project_url, str):
        return None
    parts = urlsplit(project_url)
    account = parts.path.strip("/").partition("/")[0]
    return f"{parts.scheme}://{parts.netloc}/{account}/" if parts.netloc and account else None


class Hints:
    """Sends hints; a broker that is away is a line in the log.

    Each method says whether the broker takes hints. False: it is away, and the sweeper will send this one.
    """

    def __init__(self, app: Celery, *, in_background: bool = False, backlog: int = 1000) -> None:
        """``in_background``: from a thread of its own, so that a frozen broker holds up nobody (the web door).

        At most ``backlog`` hints wait there; those beyond are left to the sweeper.
        """
        self._app = app
        self._priority = 0
        self._waiting: queue.Queue[tuple[str, str, str, Mapping[str, Any], str | None, int]] | None = None
        self._lock = threading.Lock()
        if in_background:
            self._waiting = queue.Queue(backlog)
            self._thread: threading.Thread | None = None

    def at(self, priority: int) -> Hints:
        """The same, with another priority for hints that are given none."""
        made = copy.copy(self)
        made._priority = priority
        return made

    def delivery(self, id: str, source: str, event_type: str | None) -> bool:
        """A delivery is to be parsed."""
        kwargs = {"delivery_id": id, "source": source, "event_type": event_type}
        return self._hint(PARSE_MESSAGE, ROUTES[PARSE_MESSAGE], id, kwargs)

    def event(self, row: EventRow, *, lane: str | None = None, priority: int | None = None) -> bool:
        """An event is to be processed, on its own lane or another. The task's id is the event's."""
        return self._hint(row.task, lane or row.lane, row.id, row.kwargs, row.delivery_id, priority)

    def sending(self, sending: Sending, *, event_id: str, delivery_id: str, priority: int) -> bool:
        """The task that a parser has sent, now that it is written down."""
        return self._hint(sending.task, sending.queue, event_id, sending.kwargs, delivery_id, priority)

    def check(self, check_id: str, *, priority: int | None = None, since: float | None = None) -> bool:
        """A check has something new to show, of an event that was there ``since`` (seconds since the epoch)."""
        kwargs = {"check_id": check_id} | ({} if since is None else {"since": since})
        return self._hint(SHOW_CHECK, ROUTES[SHOW_CHECK], check_id, kwargs, priority=priority)

    def row(self, row: Any, *, priority: int | None = None) -> bool:
        """Whatever claimable row it is."""
        if isinstance(row, EventRow):
            return self.event(row, priority=priority)
        if isinstance(row, Delivery):
            return self.delivery(row.id, row.source, row.event_type)
        return self.check(row.key, priority=priority)

    def _hint(
        self,
        task: str,
        lane: str,
        task_id: str,
        kwargs: Mapping[str, Any],
        root_id: str | None = None,
        priority: int | None = None,
    ) -> bool:
        priority = self._priority if priority is None else priority
        if self._waiting is None:
            return self._publish(task, lane, task_id, kwargs, root_id, priority)
        with self._lock:
            # Begun with the first hint, not earlier: a thread would not survive the web server's fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="hints", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait((task, lane, task_id, kwargs, root_id, priority))
        except queue.Full:
            log.warning("the broker is slow: the hint of %s %s is left to the sweeper", task, task_id)
            return False
        return True

    def _work(self) -> None:
        assert self._waiting is not None
        while True:
            self._publish(*self._waiting.get())

    def _publish(
        self,
        task: str,
        lane: str,
        task_id: str,
        kwargs: Mapping[str, Any],
        root_id: str | None = None,
        priority: int = 0,
    ) -> bool:
        try:
            self._app.send_task(
                task,
                kwargs=dict(kwargs),
                queue=lane,
                task_id=task_id,
                root_id=root_id or task_id,
                priority=priority,
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
