"""Which function parses what. Parsers register here; ``parsers.parse`` looks up here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from events.base import Event
from parsers.payload import Payload

Parser = Callable[[Payload], None]

#: Registered instead of an event type where a source has only one kind of message.
ANY = "*"

_parsers: dict[tuple[str, str], Parser] = {}
_sent: dict[type[Event], list[tuple[str, str]]] = {}

#: Buses name the deployment that speaks in front of the kind of message (org.fedoraproject.prod.copr.build.end,
#: git.centos.org/git.receive). The rest must match exactly: org.fedoraproject.prod.trac.git.receive is no git.receive.
_TOPICS = {
    "fedora-messaging": re.compile(
        r"(?P<origin>(?:org\.fedoraproject|io\.pagure)\.(?:prod|stg|dev))\.(?P<name>.+)", re.DOTALL
    ),
    "centosmsg": re.compile(r"(?P<origin>[a-z0-9-]+(?:\.[a-z0-9-]+)+)/(?P<name>[^/]+)"),
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The kind of a message in the words parsers register with, and the deployment its topic names, if it does."""

    name: str
    origin: str | None = None


def parses(source: str, *event_types: str, sends: Iterable[type[Event]] = ()) -> Callable[[Parser], Parser]:
    """Register a parser function for the event types of a source, with the events that it may send.

    Event types are the words of the source: the value of X-GitHub-Event, a topic without the bus's prefix...
    """

    def register(parser: Parser) -> Parser:
        for event_type in event_types:
            if (source, event_type) in _parsers:
                raise TypeError(f"two parsers for {source} {event_type}")
            _parsers[source, event_type] = parser
            for event in sends:
                _sent.setdefault(event, []).append((source, event_type))
        return parser

    return register


def kind_of_message(source: str, event_type: str | None) -> Kind | None:
    """What kind of message this is; None for a topic of a deployment that nobody here listens to."""
    name = event_type if isinstance(event_type, str) else ""
    topic = _TOPICS.get(source) if isinstance(source, str) else None
    if topic is None:
        return Kind(name=name)
    match = topic.fullmatch(name)
    return Kind(name=match["name"], origin=match["origin"]) if match else None


def parser_for(source: str, event_type: str | None) -> Parser | None:
    """The parser for a message, or None when this kind of message is none of our business."""
    kind = kind_of_message(source, event_type)
    if kind is None or not isinstance(source, str):
        return None
    return _parsers.get((source, kind.name)) or _parsers.get((source, ANY))


def registered() -> dict[tuple[str, str], Parser]:
    """A copy of the table: (source, event type) -> parser."""
    return dict(_parsers)


def sent() -> dict[type[Event], tuple[tuple[str, str], ...]]:
    """Every event that some parser sends, with the (source, event type) of the messages it comes from."""
    return {event: tuple(kinds) for event, kinds in _sent.items()}


def sources() -> tuple[str, ...]:
    """The sources that have a parser, sorted."""
    return tuple(sorted({source for source, _ in _parsers}))
