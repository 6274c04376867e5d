"""What a corpus checker calls to hand a delivery to the parsers: ``deliver`` returns the tasks that were sent."""

from __future__ import annotations

from typing import Any
from unittest import mock

from celery import Celery

import parsers

LEVEL = "parser"


def deliver(delivery: Any) -> list[tuple[str, dict[str, Any]]]:
    """Parse a delivery (attributes ``source``, ``event_type`` and ``body``) and return what went to Celery."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def send_task(_: Celery, name: str, args: Any = None, kwargs: Any = None, **options: Any) -> mock.Mock:
        assert not args, "positional task arguments"
        sent.append((name, kwargs or {}))
        return mock.Mock(id="corpus")

    with mock.patch.object(Celery, "send_task", send_task):
        parsers.parse(source=delivery.source, event_type=delivery.event_type, body=delivery.body)
    return sent
