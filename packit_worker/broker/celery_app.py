"""The Celery application: queues, limits and the broker's connection. Knows no tasks; ``tasks`` brings them."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Queue

from events.base import LANES, PARSE, REPORT

PARSE_MESSAGE = "task.parse_message"
SHOW_CHECK = "task.show_check"

#: Where tasks go that no event class has a lane for.
ROUTES = {PARSE_MESSAGE: PARSE, SHOW_CHECK: REPORT}


def create_app(broker_url: str) -> Celery:
    """A Celery application for this broker. Nothing is connected yet.

    What the settings are for is said beside each; why none of them is relied on, README.md says.
    """
    app = Celery("packit_worker", set_as_current=True)
    app.conf.update(
        broker_url=broker_url,
        # A message is a wake-up with flat facts: JSON, and nothing that could be executed.
        task_serializer="json",
        accept_content=["json"],
        result_accept_content=["json"],
        task_ignore_result=True,
        # The journal knows what is done. Late acknowledgement only makes a lost wake-up come back sooner.
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        task_acks_on_failure_or_timeout=True,
        worker_prefetch_multiplier=1,
        task_queues=[Queue(lane) for lane in LANES],
        task_default_queue=LANES[1],
        task_create_missing_queues=False,
        broker_transport_options=_transport_options(broker_url),
        broker_connection_timeout=2,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_soft_shutdown_timeout=30,
        # Control queues in Redis never expire; nobody here asks workers by broadcast.
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        event_queue_expires=60,
    )
    return app


def _transport_options(broker_url: str) -> dict[str, Any]:
    if not broker_url.startswith(("redis", "rediss", "unix")):
        # Not even a polling interval: kombu's SQLAlchemy transport hands all options to create_engine.
        return {}
    return {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # A frozen broker must not freeze whoever publishes.
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }
