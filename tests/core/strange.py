"""A worker's process with strange handlers: ``python strange.py <database> <data dir> <event> <handler>``.

Not a test. Registers an event and handlers of its own, which is why it is a process of its own.
"""

from __future__ import annotations

import itertools
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from core.making import a_shop
from events.families import Push
from packit_worker import registry
from packit_worker.course import processing
from packit_worker.errors import TemporaryError
from packit_worker.handlers.base import Handler
from packit_worker.journal import Journal
from packit_worker.journal.heart import Heart
from packit_worker.reporting.names import CheckId
from packit_worker.shop import Shop
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation

SOFT, GRACE = 1, 1.0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class StrangeEvent(Push):
    """Something strange."""

    task: ClassVar[str] = "task.process_strange_event"
    checks_project: ClassVar[bool] = False
    checks_account: ClassVar[bool] = False
    trigger: ClassVar[str | None] = "strange"


def hang() -> str:
    time.sleep(60)
    return "woke up"


def hang_and_swallow() -> str:
    while True:
        try:
            time.sleep(60)
        except BaseException as error:
            say(f"swallowed {type(error).__name__}")


def hold_the_lock() -> str:
    # A loop in C that looks neither at signals nor at other threads.
    return str(all(itertools.repeat(True)))


def raise_temporary() -> str:
    raise TemporaryError("not now", retry_after=0)


def work() -> str:
    return "worked"


WORKS: dict[str, Callable[[], str]] = {
    f.__name__: f for f in (hang, hang_and_swallow, hold_the_lock, raise_temporary, work)
}
chosen: list[str] = []


class Showing(Handler):
    """Shows a check of its own."""

    needs_approval: ClassVar[bool] = False
    name: ClassVar[str] = "first"

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        return (CheckId(kind=cls.name, job="", target=""),)


class StrangeHandler(Showing):
    """Does something strange."""

    def run(self) -> str:
        say(f"runs {self.name}")
        return WORKS[chosen[0]]()


class LongHandler(Showing):
    """Belongs to another lane."""

    lane: ClassVar[str | None] = "long-running"
    name: ClassVar[str] = "long"

    def run(self) -> str:
        say(f"runs {self.name}")
        return "worked for long"


def main() -> None:
    database, data_dir, event_id, *names = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    chosen[:] = names
    registry.answers(StrangeEvent)(StrangeHandler)
    if "and_long" in names:
        registry.answers(StrangeEvent)(LongHandler)
    journal = Journal(database)
    made = a_shop(
        journal,
        Path(data_dir),
        broker_url="memory://",
        lanes={"short-running": {"soft_time_limit": SOFT}, "long-running": {"soft_time_limit": SOFT}},
    )
    shop = Shop(made.settings, journal, made.services, made.hints, grace=GRACE)
    heart = Heart(journal, lease=timedelta(seconds=3), beat=timedelta(seconds=0.2))
    processing.process(shop, heart, event_id)
    heart.stop()
    say("went on")


if __name__ == "__main__":
    main()
