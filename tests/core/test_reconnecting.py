"""A worker that may ask for no more messages, with none in its hands, connects anew."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kombu.transport.virtual.base import QoS

from packit_worker.broker.reconnecting import Reconnecting


@pytest.fixture
def qos() -> QoS:
    """What kombu counts the messages with that are being worked on: one at a time is allowed."""
    channel = SimpleNamespace(_restore_at_shutdown=lambda: None, do_restore=False)
    return QoS(channel, prefetch_count=1)


def consumer(qos: Any) -> Any:
    return SimpleNamespace(task_consumer=SimpleNamespace(channel=SimpleNamespace(qos=qos)))


def lost(qos: QoS) -> None:
    """A message was taken, and its acknowledgement never counted."""
    qos.append(SimpleNamespace(), "tag")


def test_a_message_whose_acknowledgement_was_lost(qos: QoS) -> None:
    step = Reconnecting(SimpleNamespace())
    lost(qos)
    step.look(consumer(qos))
    with pytest.raises(ConnectionError, match="no more messages"):
        step.look(consumer(qos))


def test_one_that_is_acknowledged_in_time(qos: QoS) -> None:
    step = Reconnecting(SimpleNamespace())
    lost(qos)
    step.look(consumer(qos))
    qos.ack("tag")
    step.look(consumer(qos))
    lost(qos)
    step.look(consumer(qos))


def test_transports_that_count_nothing() -> None:
    step = Reconnecting(SimpleNamespace())
    for _ in range(3):
        step.look(consumer(None))
