"""What may still be asked of a forge: the rate budget of one installation. Only ``clients`` imports it.

GitHub counts per installation and answers every request with what remains; it asks for writes one after the other and
at least a second apart: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from packit_worker.errors import RateLimited

#: Requests kept back for writing checks: the last thing to go quiet is what people look at.
RESERVE = 50
#: Seconds a caller waits for its turn to write before it is sent away to try later.
PATIENCE = 30.0


class Budget:
    """Remembers what remains and who writes. Safe to use from several threads.

    ``write_interval`` is in seconds between the end of a write and the start of the next; 0 for no pause. Several
    processes share an installation's budget: each learns of the others from the numbers in its own answers.
    """

    def __init__(
        self,
        name: str,
        *,
        write_interval: float = 0.0,
        reserve: int = RESERVE,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._write_interval = write_interval
        self._reserve = reserve
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._state = threading.Lock()
        self._writing = threading.Lock()
        self._next_write = 0.0
        self._remaining: int | None = None
        self._limit = 0
        self._reset_at = 0.0
        self._paused_until = 0.0

    @contextmanager
    def turn(self, *, write: bool, urgent: bool = False) -> Iterator[None]:
        """Hold while one request is made. ``urgent`` may use the reserve.

        Raises RateLimited, without any request, when nothing is left or the turn to write does not come in time.
        """
        self._check(urgent)
        if not write:
            yield
            return
        if not self._writing.acquire(timeout=self._patience):
            raise RateLimited(f"Too many writes are waiting for {self._name}", retry_after=self._patience)
        try:
            wait = self._next_write - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._check(urgent)
            try:
                yield
            finally:
                self._next_write = self._clock() + self._write_interval
        finally:
            self._writing.release()

    def saw(self, *, remaining: int, limit: int, reset_at: float) -> None:
        """Remember what an answer said. ``reset_at`` is in seconds since the epoch."""
        with self._state:
            self._remaining, self._limit, self._reset_at = remaining, limit, reset_at

    def pause(self, seconds: float) -> None:
        """Let nothing through for this long: the other side has said that it is too much."""
        with self._state:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    @property
    def remaining(self) -> int | None:
        """Requests left until the reset; None while unknown. For metrics."""
        with self._state:
            return self._remaining if self._reset_at > self._clock() else None

    def _check(self, urgent: bool) -> None:
        now = self._clock()
        with self._state:
            if self._paused_until > now:
                raise RateLimited(
                    f"{self._name} wants no requests for {self._paused_until - now:.0f} s",
                    retry_after=self._paused_until - now,
                )
            if self._remaining is None or self._reset_at <= now:
                return
            # A small budget (60 an hour without a token) must not be all reserve.
            floor = 0 if urgent else min(self._reserve, self._limit // 10)
            if self._remaining <= floor:
                raise RateLimited(
                    f"{self._name} has {self._remaining} requests left until its reset",
                    retry_after=self._reset_at - now + 1,
                )
            # Counted down here as well: others may ask before the answer to this one is in.
            self._remaining -= 1
