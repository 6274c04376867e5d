"""From a message to the one event task it stands for, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from events.base import InvalidFact
from parsers.envelopes import Letter, check_topic, opened
from parsers.payload import Ignored, MalformedPayload, Payload
from parsers.registry import kind_of_message, parser_for

#: Sources whose messages may come in an envelope; the others send bare bodies.
ENVELOPED = ("fedora-messaging", "pagure", "centosmsg")

_LONGEST_REASON = 400


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What parsing came to. Both None: the event's task has been sent. Else the reason, for people."""

    ignored: str | None = None
    malformed: str | None = None


def parse(source: str, event_type: str | None, body: Any) -> Parsed:
    """Parse one message; its event task is sent through Celery (see ``parsers.sending.held``).

    ``source`` is github, pagure, fedora-messaging, testing-farm...; ``event_type`` what the source calls this kind of
    message, None where only the envelope tells; ``body`` the decoded JSON. The parser is picked by these names, never
    by looking at the keys of the body. Never raises because of the message: what is wrong with it is in the answer.
    """
    try:
        _parse(source, event_type, body)
    except Ignored as ignored:
        return Parsed(ignored=_for_people(ignored))
    except (MalformedPayload, InvalidFact) as wrong:
        return Parsed(malformed=_for_people(wrong))
    return Parsed()


def _parse(source: str, event_type: str | None, body: Any) -> None:
    sender, told = _word(source) or "nobody", _word(event_type)
    letter = opened(body) if sender in ENVELOPED else Letter(body=body)
    topic = told or letter.topic
    kind, parser = kind_of_message(sender, topic), parser_for(sender, topic)
    if kind is None or parser is None:
        raise Ignored(f"{topic or 'a message without a type'} from {sender} asks nothing of us")
    check_topic(letter, told)
    parser(Payload(letter.body, at=letter.at, origin=kind.origin, sent_at=letter.sent_at))


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _for_people(reason: Exception) -> str:
    """The reason as text that any database and terminal can take: words of the payload may be part of it."""
    text = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in str(reason)[: _LONGEST_REASON + 1]
    )
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"
