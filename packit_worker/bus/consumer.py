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
from dataclasses import dataclass
from functools import partial
from typing import Any

from fedora_messaging import config as bus_config
from fedora_messaging.exceptions import Nack
from fedora_messaging.message import Message
from sqlalchemy.exc import InternalError, ProgrammingError

from packit_worker import logs, metrics, sentry, startup, tracing
from packit_worker.bus import catching_up, listening, program
from packit_worker.bus.program import Unreadable
from packit_worker.config.service import load_service_config
from packit_worker.intake import Intake
from packit_worker.journal import JournalUnavailable

log = logging.getLogger(__name__)

SOURCE = "fedora-messaging"
#: Seconds to wait before a message is put back: it comes again at once.
PAUSE = 5.0
#: Seconds between two lines that tell how many messages were passed over.
COUNT_INTERVAL = 60.0

#: Seconds after a start or a break when missed messages are read: the queue is bound by then.
CATCH_UP_AFTER = 60.0

PASSED_OVER = "passed over"
#: What the database raises when it is there and not as it should be: without tables, for example.
_BROKEN = (JournalUnavailable, ProgrammingError, InternalError)

_LONGEST_ID = 150
_LONGEST_TOPIC = 200


class Consumer:
    """Records messages. fedora-messaging calls one from one thread at a time; more may.

    Without arguments it is made from the service's settings; ``[consumer_config]`` in fedora-messaging's configuration
    may have ``copr_users``, ``koji_owners``, ``pause_seconds`` and ``catch_up_after_seconds``. Builds of Copr users
    other than ``copr_users`` are passed over, and what Koji does for others than ``koji_owners``: there are thousands
    of them an hour. An empty list takes all.
    """

    def __init__(
        self,
        intake: Intake | None = None,
        *,
        copr_users: Collection[str] | None = None,
        koji_owners: Collection[str] | None = None,
        pause: float | None = None,
        count_interval: float = COUNT_INTERVAL,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        options = bus_config.conf["consumer_config"] if intake is None else {}
        settings, journal = None, None
        if intake is None:
            settings = load_service_config()
            logs.setup(settings.secrets())
            sentry.setup(settings)
            tracing.setup(settings.tracing, "bus")
            metrics.serve(settings.metrics)
            program.adapt()
            intake, journal = startup.intake(settings, in_background=True)
            if copr_users is None:
                copr_users = options.get("copr_users", settings.bus.copr_users)
            if koji_owners is None:
                koji_owners = options.get("koji_owners", settings.bus.koji_owners)
        self._intake = intake
        #: Whose messages are taken, by a word in the topic and the key that names who it is about.
        self._ours = (
            (".copr.", "user", frozenset(copr_users or ())),
            (".buildsys.", "owner", frozenset(koji_owners or ())),
        )
        self._pause = float(options.get("pause_seconds", PAUSE)) if pause is None else pause
        self._count_interval = count_interval
        self._sleep = sleep
        self._passed_over = 0
        self._counted_at = time.monotonic()
        if settings is not None and journal is not None and settings.bus.datagrepper_url:
            catch_up = partial(
                catching_up.in_background,
                settings.bus.datagrepper_url,
                listening.topics(settings.deployment),
                take=self.take,
                after=float(options.get("catch_up_after_seconds", CATCH_UP_AFTER)),
            )
            # Asked now: with the first message that is recorded the mark would be gone.
            catch_up(catching_up.last_recorded(journal, SOURCE))
            program.after_each_break(catch_up)

    def __call__(self, message: Message) -> None:
        """Write a message down. Raises ``Nack`` while it cannot be, and nothing else."""
        try:
            self.take(message)
        except _BROKEN as error:
            log.error("a message of the bus is put back: %s", error)
            metrics.bus_messages.labels("put back").inc()
            self._sleep(self._pause)
            raise Nack from error
        except Exception as error:
            sentry.report(error, "bus")
            # It would come again and again, and stop the consumer each time. What it said stands in the log.
            log.exception("message %r with topic %r could not be taken in", message.id, message.topic)

    def take(self, message: Message) -> str:
        """Write a message down, and say what was decided. Raises JournalUnavailable, and whatever a bug may raise."""
        decision = self._take(message)
        metrics.bus_messages.labels(decision).inc()
        return decision

    def _take(self, message: Message) -> str:
        if self._is_of_another(message):
            self._count()
            return PASSED_OVER
        sent = _Sent.of(message)
        decision = self._intake.accept(
            source=SOURCE,
            event_type=sent.topic,
            delivery_id=sent.delivery_id,
            headers=_headers_of(message),
            body=sent.body,
            ignored=sent.unreadable,
        )
        log.debug("message %s: %s", decision.delivery_id, decision.decision)
        return decision.decision

    def foretell(self, message: Message) -> str:
        """What ``take`` would come to, as far as that can be known: passed over, duplicate or new."""
        if self._is_of_another(message):
            return PASSED_OVER
        return "duplicate" if self._intake.knows(_Sent.of(message).delivery_id) else "new"

    def _is_of_another(self, message: Message) -> bool:
        """Whether this is about a build of somebody who is none of ours."""
        if not isinstance(message.body, dict):
            return False
        for word, key, ours in self._ours:
            if ours and word in str(message.topic):
                who = message.body.get(key)
                return isinstance(who, str) and who not in ours
        return False

    def _count(self) -> None:
        self._passed_over += 1
        passed = time.monotonic() - self._counted_at
        if passed >= self._count_interval:
            log.info("passed over %d builds of others in %.0f s", self._passed_over, passed)
            self._passed_over, self._counted_at = 0, time.monotonic()

    @property
    def passed_over(self) -> int:
        """How many messages were passed over since the last line that told so."""
        return self._passed_over


@dataclass(frozen=True, kw_only=True)
class _Sent:
    """A message as it is recorded. ``unreadable`` is why nobody can read it, if so."""

    topic: str
    delivery_id: str
    body: bytes
    unreadable: str | None

    @classmethod
    def of(cls, message: Message) -> _Sent:
        """What of a message is kept."""
        body, unreadable = (
            (message.raw, message.why) if isinstance(message, Unreadable) else _json_of(message.body)
        )
        topic = message.topic if isinstance(message.topic, str) else ""
        if len(topic) > _LONGEST_TOPIC or not topic.isprintable():
            topic, unreadable = ascii(topic)[:_LONGEST_TOPIC], "the topic of the message is no topic"
        identity = f"{SOURCE}:{_identity(message.id, topic, body)}"
        return cls(topic=topic, delivery_id=identity, body=body, unreadable=unreadable)


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
