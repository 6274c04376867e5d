"""Intake: the one way in, for the web, the bus and replay. What is accepted is on disk before anybody is told so."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from packit_worker import tracing
from packit_worker.broker.hints import Hints
from packit_worker.journal import Journal, deliveries
from packit_worker.journal.base import State
from parsers.registry import parser_for

#: Sources whose senders sign the body but not the id of the delivery, so that a captured body can be sent again.
REPLAYABLE = frozenset({"github", "pagure", "gitlab"})


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided about a message at the door: accepted, duplicate, ignored or held; and why."""

    delivery_id: str
    decision: str
    reason: str | None = None


class Intake:
    """Writes messages down and wakes the parser."""

    def __init__(self, journal: Journal, hints: Hints, *, replay_window: timedelta) -> None:
        self._journal = journal
        self.hints = hints
        self._replay_window = replay_window

    def accept(
        self,
        *,
        source: str,
        event_type: str | None,
        delivery_id: str,
        headers: Mapping[str, str],
        body: bytes,
        ignored: str | None = None,
        held: str | None = None,
    ) -> Decision:
        """Take a message in. One transaction; the broker is told afterwards and may be away.

        ``ignored``: why nothing follows from it, when the door knows already; ``held``: why an operator has to release
        it first. Raises ``JournalUnavailable``: then nothing was accepted, and the sender has to be told so.
        """
        begun = time.time_ns()
        if ignored is None and parser_for(source, event_type) is None:
            ignored = f"{event_type or 'a message without a type'} from {source} is not something to act on"
        with self._journal.write() as session:
            recorded = deliveries.record(
                session,
                id=delivery_id,
                source=source,
                event_type=event_type,
                headers=headers,
                body=body,
                ignored=ignored,
                held=held,
                replay_window=self._replay_window if source in REPLAYABLE else None,
            )
        if recorded.is_duplicate:
            return Decision(delivery_id=delivery_id, decision="duplicate", reason="this delivery came before")
        tracing.arrived(
            delivery_id,
            f"accept {source}",
            begun,
            event_type=event_type if parser_for(source, event_type) is not None else None,
            state=recorded.state,
        )
        if recorded.state == State.IGNORED:
            return Decision(delivery_id=delivery_id, decision="ignored", reason=recorded.reason)
        if recorded.state == State.HELD:
            return Decision(delivery_id=delivery_id, decision="held", reason=recorded.reason)
        self.hints.delivery(delivery_id, source, event_type)
        return Decision(delivery_id=delivery_id, decision="accepted")

    def knows(self, delivery_id: str) -> bool:
        """Whether this delivery came before. Raises ``JournalUnavailable``."""
        with self._journal.read() as session:
            return deliveries.is_known(session, delivery_id)


class Unreadable(ValueError):
    """Bytes that are no JSON as everybody else understands it."""


def decode(raw: bytes) -> Any:
    """The JSON in some bytes. Raises ``Unreadable`` in words for the sender.

    Stricter than Python: NaN and Infinity are no JSON, a lone surrogate is no text, and nesting ends where the
    decoder's recursion does.
    """
    try:
        text = raw.decode()
        return json.loads(text, parse_constant=_no_constant, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except ValueError as error:
        raise Unreadable(f"the body is not JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _integer(digits: str) -> int:
    # int() of very many digits takes quadratic time, and Python refuses it with a ValueError of its own.
    if len(digits) > 100:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)
