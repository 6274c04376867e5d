"""The door for Fedora Messaging: a callback that writes each message down and returns. Handles nothing.

Named in fedora-messaging's configuration: ``callback = "packit_worker.bus:Consumer"``. To return is to acknowledge;
``Nack`` puts a message back; any other exception would stop the consumer and put back all it holds, so there is none.
https://fedora-messaging.readthedocs.io/en/stable/user-guide/consuming.html
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection
from typing import Any

from fedora_messaging import config as bus_config
from fedora_messaging.exceptions import Nack
from fedora_messaging.message import Message

from packit_worker import startup
from packit_worker.config.service import load_service_config
from packit_worker.intake import Intake
from packit_worker.journal import JournalUnavailable

log = logging.getLogger(__name__)

SOURCE = "fedora-messaging"
#: Seconds to wait before a message is put back: it comes again at once.
PAUSE = 5.0
#: Seconds between two lines that tell how many messages were passed over.
COUNT_INTERVAL = 60.0

_LONGEST_ID = 150
_LONGEST_TOPIC = 200


class Consumer:
    """Records messages. One is called from one thread at a time.

    Without arguments it is made from the service's settings; ``[consumer_config]`` in fedora-messaging's configuration
    may have ``copr_users`` and ``pause_seconds``. Builds of Copr users other than ``copr_users`` are passed over: there
    are thousands of them an hour. An empty list takes all.
    """

    def __init__(
        self,
        intake: Intake | None = None,
        *,
        copr_users: Collection[str] | None = None,
        pause: float | None = None,
        count_interval: float = COUNT_INTERVAL,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        options = bus_config.conf["consumer_config"] if intake is None else {}
        if intake is None:
            settings = load_service_config()
            intake, _ = startup.intake(settings, in_background=True)
            if copr_users is None:
                copr_users = options.get("copr_users", settings.bus.copr_users)
        self._intake = intake
        self._copr_users = frozenset(copr_users or ())
        self._pause = float(options.get("pause_seconds", PAUSE)) if pause is None else pause
        self._count_interval = count_interval
        self._sleep = sleep
        self._passed_over = 0
        self._counted_at = time.monotonic()

    def __call__(self, message: Message) -> None:
        """Write a message down. Raises ``Nack`` while it cannot be, and nothing else."""
        try:
            if self._is_of_another(message):
                self._count()
                return
            self._record(message)
        except JournalUnavailable as error:
            log.error("a message of the bus is put back: %s", error)
            self._sleep(self._pause)
            raise Nack from error
        except Exception:
            # It would come again and again, and stop the consumer each time. What it said stands in the log.
            log.exception("message %r with topic %r could not be taken in", message.id, message.topic)

    def _record(self, message: Message) -> None:
        body, unreadable = _json_of(message.body)
        topic = message.topic if isinstance(message.topic, str) else ""
        if len(topic) > _LONGEST_TOPIC or not topic.isprintable():
            topic, unreadable = ascii(topic)[:_LONGEST_TOPIC], "the topic of the message is no topic"
        decision = self._intake.accept(
            source=SOURCE,
            event_type=topic,
            delivery_id=f"{SOURCE}:{_identity(message.id, topic, body)}",
            headers=_headers_of(message),
            body=body,
            ignored=unreadable,
        )
        log.debug("message %s: %s", decision.delivery_id, decision.decision)

    def _is_of_another(self, message: Message) -> bool:
        """Whether this is a build that Copr made for a user who is none of ours."""
        if not self._copr_users or ".copr." not in str(message.topic) or not isinstance(message.body, dict):
            return False
        user = message.body.get("user")
        return isinstance(user, str) and user not in self._copr_users

    def _count(self) -> None:
        self._passed_over += 1
        passed = time.monotonic() - self._counted_at
        if passed >= self._count_interval:
            log.info("passed over %d builds of other Copr users in %.0f s", self._passed_over, passed)
            self._passed_over, self._counted_at = 0, time.monotonic()

    @property
    def passed_over(self) -> int:
        """How many messages were passed over since the last line that told so."""
        return self._passed_over


def _json_of(body: Any) -> tuple[bytes, str | None]:
    """The body as bytes, and why it is unreadable, if it is."""
    try:
        raw = json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        # As much as can be kept of it, for whoever wants to know.
        return ascii(body)[:10_000].encode(), f"the message is no JSON: {error}"
    return raw, None if isinstance(body, dict) else "the message is not a JSON object"


def _identity(id: Any, topic: str, body: bytes) -> str:
    """The message's id. One that has none it can be kept under is known by what it says."""
    if isinstance(id, str) and 0 < len(id) <= _LONGEST_ID and id.isascii() and id.isprintable():
        return id
    return "sha256:" + hashlib.sha256(topic.encode() + b"\n" + body).hexdigest()


def _headers_of(message: Message) -> dict[str, str]:
    headers = message._headers
    names = ("sent-at", "fedora_messaging_severity")
    return {name: str(headers[name])[:100] for name in names if headers and name in headers}
