"""What may still be asked of a system: the rate budget of one account there. Only ``clients`` imports it.

GitHub counts per installation and answers every request with what remains; it asks for writes one after the other and
at least a second apart: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from packit_worker.clients.http_errors import DEFAULT_PAUSE
from packit_worker.errors import RateLimited
from packit_worker.journal.budgets import Known
from packit_worker.urgency import is_urgent

#: Requests kept back for the first statuses of events: the last thing to go quiet is what people look at.
RESERVE = 50
#: Seconds a caller waits for its turn to write before it is sent away to try later.
PATIENCE = 30.0
#: The longest that an answer can stop everything, in seconds: GitHub's budget begins anew every hour.
LONGEST = 3700.0
#: The largest number of requests that is believed.
MOST = 10**9


def _nobody_else() -> Known | None:
    return None


def _tell_nobody(known: Known) -> None:
    pass


class Budget:
    """Remembers what remains and who writes. Safe to use from several threads.

    ``name`` is what its limit is called where work waits for it. ``write_interval`` is in seconds between the end of a
    write and the start of the next; 0 for no pause. ``look`` says what other processes have told of the same account,
    and ``tell`` tells them (``sharing``). Writes take turns within one process only.
    """

    def __init__(
        self,
        name: str,
        *,
        look: Callable[[], Known | None] = _nobody_else,
        tell: Callable[[Known], None] = _tell_nobody,
        write_interval: float = 0.0,
        reserve: int = RESERVE,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._look = look
        self._tell = tell
        self._write_interval = write_interval
        self._reserve = reserve
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._state = threading.Lock()
        self._writing = threading.Lock()
        self._next_write = 0.0
        self._known = Known()

    @contextmanager
    def turn(self, *, write: bool) -> Iterator[None]:
        """Hold while one request is made. What is urgent (``packit_worker.urgency``) may use the reserve.

        Raises RateLimited, without any request, when nothing is left or the turn to write does not come in time.
        """
        self.check(count=not write)
        if not write:
            yield
            return
        if not self._writing.acquire(timeout=self._patience):
            raise RateLimited(
                f"too many writes wait for their turn: {self._name}", retry_after=self._patience
            )
        try:
            wait = self._next_write - self._clock()
            if wait > 0:
                self._sleep(wait)
            self.check()
            try:
                yield
            finally:
                self._next_write = self._clock() + self._write_interval
        finally:
            self._writing.release()

    def check(self, *, count: bool = True) -> None:
        """Count one request. Raises RateLimited where there may be none now."""
        others = self._look()
        now = self._clock()
        with self._state:
            known = self._known if others is None else self._known.with_news(others)
            self._known = known
            if known.paused_until > now:
                raise self._wait(known.paused_until, now)
            if known.reset_at <= now:
                return
            # A small budget (60 an hour without a token) must not be all reserve.
            floor = 0 if is_urgent() else min(self._reserve, known.limit // 10)
            if known.remaining <= floor:
                # It counts in whole seconds, by its own clock.
                raise self._wait(known.reset_at + 1, now)
            # Counted down here as well: others may ask before the answer to this one is in.
            if count:
                self._known = replace(known, remaining=known.remaining - 1)

    def saw(self, *, remaining: int, limit: int, reset_at: float) -> None:
        """Remember what an answer said. ``reset_at`` is in seconds since the epoch."""
        # What is no sensible number shall not stop anything for long. Whole seconds, as forges count: by its end others
        # know the same window.
        reset_at = float(int(min(max(reset_at, 0.0), self._clock() + LONGEST)))
        remaining, limit = (min(max(number, 0), MOST) for number in (remaining, limit))
        with self._state:
            self._known = replace(self._known, remaining=remaining, limit=limit, reset_at=reset_at)
            known = self._known
        self._tell(known)

    def hit(self, limited: RateLimited) -> RateLimited:
        """Let nothing through for as long as the other side has said; the error to raise instead of ``limited``."""
        seconds = min(DEFAULT_PAUSE if limited.retry_after is None else limited.retry_after, LONGEST)
        now = self._clock()
        with self._state:
            self._known = replace(self._known, paused_until=max(self._known.paused_until, now + seconds))
            known = self._known
        self._tell(known)
        return self._wait(known.paused_until, now, f": {limited}")

    @property
    def remaining(self) -> int | None:
        """Requests left until the reset; None while unknown."""
        with self._state:
            return self._known.remaining if self._known.reset_at > self._clock() else None

    def _wait(self, until: float, now: float, why: str = "") -> RateLimited:
        at = datetime.fromtimestamp(until, UTC)
        return RateLimited(f"waits until {at:%H:%M} UTC for {self._name}{why}", retry_after=until - now)
