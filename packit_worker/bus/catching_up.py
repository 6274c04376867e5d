"""Catching up: after an outage, messages that Fedora's bus has told meanwhile are read from datagrepper.

They carry the ids that they had on the bus, so that what was recorded is known again. Used by the bus's door and the
command line. https://apps.fedoraproject.org/datagrepper
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import requests
from fedora_messaging.message import Message

from packit_worker.errors import TemporaryError
from packit_worker.journal import Journal, JournalUnavailable, deliveries
from packit_worker.journal.base import now

log = logging.getLogger(__name__)

#: How far back messages are read at most.
LONGEST = timedelta(days=3)
#: Clocks differ, and messages are on their way for a while: so much is read twice.
OVERLAP = timedelta(minutes=10)
#: The most that datagrepper gives on a page.
ROWS = 100

_TIMEOUT = (10, 60)
#: Seconds before a request is made again that was not answered well.
_PAUSES = (1.0, 5.0, 15.0)
#: Seconds before all is tried again in the background.
_REST = 120.0
_ROUNDS = 5


class DatagrepperError(TemporaryError):
    """datagrepper does not answer, or with something else than messages."""


def last_recorded(journal: Journal, source: str) -> datetime | None:
    """When the last message was recorded; None if there never was one. While it cannot be known: very long ago."""
    try:
        with journal.read() as session:
            return deliveries.last_received(session, source)
    except JournalUnavailable as error:
        log.warning("all of the last %d days will be caught up on: %s", LONGEST.days, error)
        return now() - LONGEST


def beginning(since: datetime, end: datetime) -> datetime:
    """Where to begin, for what was missed since then."""
    return max(since - OVERLAP, end - LONGEST)


def catch_up(
    url: str,
    topics: Collection[str],
    start: datetime,
    end: datetime,
    take: Callable[[Message], str],
    *,
    pauses: Collection[float] = _PAUSES,
) -> Counter[str]:
    """Hand over what was told between two moments, oldest first; returns how often ``take`` said what.

    Raises DatagrepperError, and what ``take`` raises. To begin again is harmless.
    """
    done: Counter[str] = Counter()
    for message in messages(url, topics, start, end, pauses=pauses):
        done[take(message)] += 1
    return done


def messages(
    url: str,
    topics: Collection[str],
    start: datetime,
    end: datetime,
    *,
    pauses: Collection[float] = _PAUSES,
) -> Iterator[Message]:
    """The messages on these topics between two moments, oldest first. Raises DatagrepperError."""
    wanted = sorted(topics)
    with requests.Session() as session:
        page = 1
        while True:
            # In ascending order and with a fixed end, what comes later does not move what was read.
            parameters: dict[str, Any] = {
                "topic": wanted,
                "start": f"{start.timestamp():.0f}",
                "end": f"{end.timestamp():.0f}",
                "rows_per_page": ROWS,
                "page": page,
                "order": "asc",
            }
            answer = _asked(session, f"{url.rstrip('/')}/raw", parameters, tuple(pauses))
            found = answer["raw_messages"]
            for sent in found:
                message = _message(sent)
                if message is not None and message.topic in topics:
                    yield message
            pages = answer.get("pages")
            if not found or (page >= pages if type(pages) is int else len(found) < ROWS):
                return
            page += 1


def in_background(
    url: str,
    topics: Collection[str],
    since: datetime | None,
    take: Callable[[Message], str],
    *,
    after: float,
) -> threading.Thread | None:
    """Catch up in a thread, in ``after`` seconds. Where nothing was ever recorded nothing was missed."""
    if since is None:
        return None

    def run() -> None:
        rest = after
        for _ in range(_ROUNDS):
            time.sleep(rest)
            rest = _REST
            end = now()
            try:
                done = catch_up(url, topics, beginning(since, end), end, take)
            except TemporaryError as error:
                log.warning("catching up has to be begun again: %s", error)
                continue
            except Exception:
                log.exception("catching up has met a bug")
                return
            log.info("caught up since %s: %s", since.isoformat(), told(done))
            return
        log.error(
            "catching up was given up; packit-worker bus catch-up --since %s does it", since.isoformat()
        )

    thread = threading.Thread(target=run, name="catching up", daemon=True)
    thread.start()
    return thread


def told(done: Counter[str]) -> str:
    """What catching up came to, for people."""
    return ", ".join(f"{number} {word}" for word, number in sorted(done.items())) or "no message"


def _asked(
    session: requests.Session, url: str, parameters: dict[str, Any], pauses: tuple[float, ...]
) -> dict[str, Any]:
    """One page; a request that is not answered well is made again after each of the pauses."""
    for pause in (*pauses, None):
        try:
            response = session.get(
                url, params=parameters, timeout=_TIMEOUT, headers={"Accept": "application/json"}
            )
            response.raise_for_status()
            answer = response.json()
            if isinstance(answer, dict) and isinstance(answer.get("raw_messages"), list):
                return answer
            problem = "its answer holds no messages"
        except (requests.RequestException, ValueError) as error:
            problem = str(error)
        if pause is not None:
            time.sleep(pause)
    raise DatagrepperError(f"{url} does not answer as it should: {problem}")


def _message(sent: Any) -> Message | None:
    """A message as it was on the bus; None for what is none."""
    if not isinstance(sent, dict):
        return None
    topic, id, told_at = sent.get("topic"), sent.get("msg_id"), sent.get("timestamp")
    if not (isinstance(topic, str) and topic and isinstance(id, str) and id):
        log.warning("datagrepper has a message without id or topic: %.100r", sent)
        return None
    message = Message(topic=topic)
    message.id = id
    # Whatever it is: that it has to be an object is for the consumer to say.
    message.body = cast("dict[str, Any]", sent.get("msg"))
    message._headers = {}
    at = float(told_at) if type(told_at) in (int, float) and told_at is not None else math.nan
    if 0 <= at < 2**36:
        message._headers = {"sent-at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")}
    return message
