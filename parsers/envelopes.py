"""The wrappings in which buses and Pagure's hooks hand over one and the same message. Standard library only.

* the bare body, the topic beside it (AMQP, MQTT);
* the body with ``topic`` (and perhaps ``timestamp``) put into it, as listeners hand it on;
* fedmsg and Pagure's hooks: ``{topic, msg, msg_id, timestamp, ...}``;
* a dump of fedora-messaging: ``{body, headers, id, topic, queue}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parsers.payload import MalformedPayload


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What was in the envelope. ``at`` is where the body sat in it, ``topic`` and ``sent_at`` what stood on it."""

    body: Any
    at: str = ""
    topic: str | None = None
    sent_at: float | None = None


def opened(message: Any) -> Letter:
    """Take the message out of whichever envelope it is in."""
    if not isinstance(message, dict) or type(message.get("topic")) is not str:
        return Letter(body=message)
    topic: str = message["topic"]
    if "msg" in message:
        return Letter(body=message["msg"], at="msg", topic=topic, sent_at=_seconds(message.get("timestamp")))
    if "body" in message and ("headers" in message or "queue" in message):
        return Letter(body=message["body"], at="body", topic=topic)
    return Letter(body=message, topic=topic)


def check_topic(letter: Letter, told: str | None) -> None:
    """Raise ``MalformedPayload`` when the topic on the envelope is not the one that was told beside it.

    Pagure signs the envelope and not the header beside it: a signed message must not be passed off as another kind.
    """
    if told and letter.topic and letter.topic != told:
        raise MalformedPayload("topic", "is not the one that was announced")


def _seconds(value: Any) -> float | None:
    return float(value) if type(value) is float or (type(value) is int and abs(value) < 2**53) else None
