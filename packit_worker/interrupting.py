"""Limits of time: work that takes too long is interrupted, and a process that cannot be interrupted comes to its end.

Three steps, each for when the one before does not help. After the soft limit ``TimedOut`` is raised where the work is:
by SIGALRM, so in the main thread only, which is where a worker of a solo pool works. After the hard limit
``journal.heart`` lets the lease run out and ends the process. And where not even its thread gets a turn (C code that
keeps the interpreter's lock), a thread without Python in it does.
"""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
import threading
import time
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Protocol

#: Seconds until somebody who has swallowed the first ``TimedOut`` gets another.
AGAIN = 5.0


class TimedOut(BaseException):
    """Work took longer than its lane allows: ``seconds``.

    No ``Exception``: a library that catches everything shall not swallow it.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"timed out after {_words(seconds)}")
        self.seconds = seconds


class Progress(Protocol):
    """Whoever is told that work goes on."""

    def goes_on(self) -> None:
        """From now on the limit counts anew."""


@dataclass(frozen=True)
class Limit:
    """A lane's limits, in seconds: work is told to stop after ``soft``, and has ``grace`` more to do so."""

    soft: float
    grace: float = 30.0

    @property
    def hard(self) -> float:
        """After this the process ends."""
        return self.soft + self.grace


class Watch:
    """The watch over one piece of work: as a context, it interrupts what goes on inside for too long (``TimedOut``)."""

    def __init__(self, limit: Limit, beat: Progress) -> None:
        self._limit = limit
        self._beat = beat
        self._is_on = False
        self._before: object = None
        self._timer_before = (0.0, 0.0)
        self._begun = 0.0

    def __enter__(self) -> Watch:
        if threading.current_thread() is threading.main_thread():
            self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _begin(self) -> None:
        self._begun = time.monotonic()
        self._before = signal.signal(signal.SIGALRM, self._ring)
        self._timer_before = signal.setitimer(signal.ITIMER_REAL, self._limit.soft, AGAIN)
        self._is_on = True
        self._set_last_resort()

    def goes_on(self) -> None:
        """A step is done, and the next has the whole time."""
        self._beat.goes_on()
        if self._is_on:
            signal.setitimer(signal.ITIMER_REAL, self._limit.soft, AGAIN)
            self._set_last_resort()

    def _end(self) -> None:
        """Take the timers away, and put those back that were there."""
        while self._is_on:
            # It can ring in here, too.
            with contextlib.suppress(TimedOut):
                self._is_on = False
                faulthandler.cancel_dump_traceback_later()
                left, interval = self._timer_before
                if left:
                    left = max(0.001, left - (time.monotonic() - self._begun))
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, self._before)  # type: ignore[arg-type]
                signal.setitimer(signal.ITIMER_REAL, left, interval)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_on:
            raise TimedOut(self._limit.soft)

    def _set_last_resort(self) -> None:
        if sys.__stderr__ is not None:
            last = self._limit.hard + self._limit.grace
            faulthandler.dump_traceback_later(last, exit=True, file=sys.__stderr__)


def _words(seconds: float) -> str:
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:g} s"
