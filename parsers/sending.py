"""Sending an event's task: the one thing a parser does to the world.

Used by the parsers (``send``) and by whoever has to do something before the task is on its way (``held``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import celery

from events.base import Event, InvalidFact, Primitive

#: Brokers refuse large messages (SQS at 256 KiB); no event that is ours comes near.
MAX_BYTES = 128_000


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A task about to be sent: its name, its queue and its flat keyword arguments."""

    task: str
    queue: str
    kwargs: dict[str, Primitive]
    event: Event

    def publish(self, **options: Any) -> None:
        """Give it to Celery. Raises what the broker's client raises when there is no broker."""
        celery.current_app.send_task(self.task, kwargs=self.kwargs, queue=self.queue, **options)


_held: ContextVar[list[Sending]] = ContextVar("held")


def send(event_class: type[Event], /, **facts: Primitive) -> None:
    """Build the event, to be sure that it can be built at the other end, and send its task.

    Raises ``InvalidFact`` naming the fact that is wrong.
    """
    event = event_class(**facts)
    kwargs = event.facts()
    size = len(json.dumps(kwargs))
    if size > MAX_BYTES:
        longest = max(kwargs, key=lambda name: len(str(kwargs[name])))
        raise InvalidFact(longest, f"is too long: the task would have {size} bytes, the limit is {MAX_BYTES}")
    sending = Sending(task=event.task, queue=event.lane, kwargs=kwargs, event=event)
    try:
        _held.get().append(sending)
    except LookupError:
        sending.publish()


@contextmanager
def held() -> Iterator[list[Sending]]:
    """Hold back what is sent inside, and hand it over instead: to be journalled first, or only to be looked at."""
    sendings: list[Sending] = []
    token = _held.set(sendings)
    try:
        yield sendings
    finally:
        _held.reset(token)
