"""The Celery tasks: thin doors to plain functions. One per event class, registered in a loop."""

from __future__ import annotations

from typing import Any

from celery import Celery, Task

from events.base import Event, event_classes
from packit_worker.broker.celery_app import PARSE_MESSAGE, SHOW_CHECK
from packit_worker.course import processing, reading, showing
from packit_worker.journal.heart import Heart
from packit_worker.shop import Shop


def register(app: Celery, shop: Shop, heart: Heart) -> None:
    """Give the application its tasks. The shop's journal knows what a task is about: a message is a wake-up.

    So nothing else in a message counts, and what a newer or older release has put there does not hurt.
    """

    @app.task(name=PARSE_MESSAGE, shared=False)
    def parse_message(delivery_id: str, **_: Any) -> None:
        """Parse a delivery and send its event's task."""
        reading.read(shop, heart, delivery_id)

    @app.task(name=SHOW_CHECK, shared=False)
    def show_check(check_id: str, since: object = None, **_: Any) -> None:
        """Show a check on the forge. ``since`` is only measured with."""
        showing.show(shop, heart, check_id, since=since if isinstance(since, float) else None)

    for event_class in event_classes():
        _register_event(app, shop, heart, event_class)


def _register_event(app: Celery, shop: Shop, heart: Heart, event_class: type[Event]) -> None:
    def process(self: Task, **facts: Any) -> None:
        priority = (self.request.delivery_info or {}).get("priority") or 0
        processing.process(shop, heart, self.request.id, priority)

    process.__name__ = event_class.task.removeprefix("task.")
    process.__doc__ = f"Process a {event_class.__name__}; the task's id is the event's."
    app.task(process, name=event_class.task, bind=True, shared=False)
