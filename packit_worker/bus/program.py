"""What fedora-messaging's program does differently with our callback. In another program nothing of it is done.

What it cannot read itself it would drop, or stop at, before any callback sees it: such messages are handed over as
``Unreadable``. A broker that was away is tried again soon, and what was told meanwhile is read.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fedora_messaging.message import Message

from packit_worker.journal.base import now

log = logging.getLogger(__name__)

#: Seconds after which fedora-messaging tries to connect again, at most; left to itself it would go up to an hour.
LONGEST_RECONNECT = 60.0
_LONGEST_REASON = 300


class Unreadable(Message):
    """Stands for a message that fedora-messaging cannot read: ``raw`` is its body as it came, ``why`` the reason."""

    def __init__(self, topic: str, properties: Any, raw: bytes, why: Exception) -> None:
        super().__init__(topic=topic, properties=properties)
        self.raw = raw
        self.why = f"the message cannot be read: {why}"[:_LONGEST_REASON]


def adapt() -> None:
    """Let fedora-messaging's program hand over what it cannot read, and come back soon after the broker was away.

    Does nothing in another program: there these modules are not loaded, and loading them would start a reactor.
    """
    consumer = sys.modules.get("fedora_messaging.twisted.consumer")
    factory = sys.modules.get("fedora_messaging.twisted.factory")
    if consumer is None or factory is None:
        return
    read = getattr(consumer, "get_message", None)
    if read is None:
        log.warning("this fedora-messaging is not known: it will drop messages that it cannot read")
        return
    if not getattr(read, "is_adapted", False):
        consumer.get_message = _reading(read)  # type: ignore[attr-defined]
    # https://docs.twisted.org/en/stable/api/twisted.internet.protocol.ReconnectingClientFactory.html
    factory.FedoraMessagingFactoryV2.maxDelay = LONGEST_RECONNECT


def after_each_break(catch_up: Callable[[datetime], object]) -> None:
    """Have fedora-messaging's program catch up when a connection that broke is there again, since it broke.

    A queue that ends with the connection takes along what came meanwhile. Does nothing in another program.
    """
    module = sys.modules.get("fedora_messaging.twisted.factory")
    if module is None:
        return
    # Both are Twisted's, for factories like this one, see above.
    factory = module.FedoraMessagingFactoryV2
    lost, build = factory.clientConnectionLost, factory.buildProtocol
    broken: list[datetime] = []

    def client_connection_lost(self: Any, connector: Any, reason: Any) -> None:
        broken.append(now())
        lost(self, connector, reason)

    def build_protocol(self: Any, address: Any) -> Any:
        if broken:
            log.info("the connection to the broker broke at %s", broken[0].isoformat())
            catch_up(broken[0])
            broken.clear()
        return build(self, address)

    factory.clientConnectionLost, factory.buildProtocol = client_connection_lost, build_protocol


def _reading(read: Callable[[str, Any, bytes], Message]) -> Callable[[str, Any, bytes], Message]:
    def get_message(topic: str, properties: Any, body: bytes) -> Message:
        try:
            return read(topic, properties, body)
        except Exception as error:
            return Unreadable(topic, properties, body, error)

    get_message.is_adapted = True  # type: ignore[attr-defined]
    return get_message
