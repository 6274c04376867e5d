"""What the processes tell each other of their budgets, through the journal. Imported by ``services`` only.

An answer of a forge tells what is left, whoever has used it, so a process that talks knows. What it cannot know by
itself is that another was told to wait, or has used up what was plenty when it last talked. So the journal is asked
for budgets that are scarce, at most every ``FRESH`` seconds while there is something to call. What is scarce is told
at once, whenever a quarter of it has gone; the rest, which is only to be looked at, every ``INTERVAL`` seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from sqlalchemy.exc import SQLAlchemyError

from packit_worker.clients.budget import Budget
from packit_worker.errors import in_short
from packit_worker.journal import Journal, JournalUnavailable, budgets
from packit_worker.journal.budgets import Key, Known

log = logging.getLogger(__name__)

#: Seconds for which it is believed what was read.
FRESH = 5.0
#: Seconds between two writes of what is not scarce.
INTERVAL = 15.0


class Budgets:
    """The budgets of one process. Safe to use from several threads.

    A journal that does not answer is a line in the log: the process goes on with what it knows by itself.
    """

    def __init__(self, journal: Journal | None, *, clock: Callable[[], float] = time.time) -> None:
        """``journal`` None: nobody is told, as in trials. ``clock``: seconds since the epoch."""
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._told_at = 0.0
        self._scarce: Mapping[Key, Known] = {}
        self._told: dict[Key, Known] = {}
        self._untold: dict[Key, Known] = {}

    def of(self, system: str, host: str, installation: str = "", *, write_interval: float = 0.0) -> Budget:
        """The budget of an account at a system; its ``write_interval`` is in seconds."""
        key = (host, installation)
        return Budget(
            f"{system}'s rate limit" + (f" of installation {installation}" if installation else ""),
            write_interval=write_interval,
            look=lambda: self._look(key),
            tell=lambda known: self._tell(key, known),
            clock=self._clock,
        )

    def _look(self, key: Key) -> Known | None:
        """What others have told, if the budget is scarce."""
        with self._lock:
            is_old = not 0 <= self._clock() - self._read_at < FRESH
            if is_old:
                # By one of them: the others go on with what was read before.
                self._read_at = self._clock()
        if is_old and self._journal is not None:
            try:
                with self._journal.read() as session:
                    self._scarce = budgets.scarce(session)
            except (JournalUnavailable, SQLAlchemyError) as error:
                log.warning("what others know of rate limits cannot be read: %s", in_short(error))
        return self._scarce.get(key)

    def _tell(self, key: Key, known: Known) -> None:
        """Note what was heard, and write it down if it is time for it."""
        with self._lock:
            self._untold[key] = known
            moment = self._clock()
            told = self._told.get(key, Known())
            if not _is_news(known, told, moment) and 0 <= moment - self._told_at < INTERVAL:
                return
            self._told_at = moment
            telling, self._untold = self._untold, {}
            self._told |= telling
        if self._journal is None:
            return
        try:
            with self._journal.write() as session:
                budgets.tell(session, telling)
        except (JournalUnavailable, SQLAlchemyError) as error:
            log.warning("what was heard of rate limits cannot be written down: %s", in_short(error))
            with self._lock:
                self._untold = telling | self._untold
                for each in telling:
                    self._told.pop(each, None)


def _is_news(known: Known, told: Known, at: float) -> bool:
    """Whether others have to hear of it at once: it is scarce, and a good deal more so than what they were told."""
    if not known.is_scarce(at):
        return False
    if not told.is_scarce(at) or known.paused_until > max(told.paused_until, at):
        return True
    return known.reset_at > told.reset_at or known.remaining <= told.remaining * 3 // 4 < told.remaining
