"""A worker that the broker's death has left deaf connects anew. A step of Celery's consumer; used by ``startup``.

kombu counts a message whose acknowledgement failed as one that is being worked on, for as long as the connection lasts.
With one message at a time allowed, such a worker never asks for another, and says nothing: it looks idle.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps

log = logging.getLogger(__name__)

#: Seconds between two looks. Deaf at two of them is deaf: between two tasks the loop looks often.
INTERVAL = 2.0


class Reconnecting(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Looks whether the worker may still ask for messages when it has none in its hands.

    The worker runs one task at a time, in the thread of the event loop: when a timer fires, nothing is being worked on.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None
        self._was_deaf = False

    def start(self, consumer: Any) -> None:
        """With a new connection: begin to look. Transports without an event loop lose nothing this way."""
        self._was_deaf = False
        if consumer.hub is not None:
            self._timer = consumer.timer.call_repeatedly(INTERVAL, self.look, (consumer,))

    def stop(self, consumer: Any) -> None:
        """The connection ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self, consumer: Any) -> None:
        """Raises what makes Celery connect anew when the worker was deaf twice."""
        qos = getattr(consumer.task_consumer.channel, "qos", None)
        is_deaf = qos is not None and hasattr(qos, "can_consume") and not qos.can_consume()
        if is_deaf and self._was_deaf:
            log.warning("an acknowledgement was lost, and no more messages come: the worker connects anew")
            raise ConnectionError("no more messages are asked for")
        self._was_deaf = is_deaf
