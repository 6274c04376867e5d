"""What one process remembers of slowly changing facts outside. Only ``clients`` imports it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from packit_worker.errors import TemporaryError

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two attempts to renew what is old while the other side is away.
RETRY_INTERVAL = 60.0


class Remembered(Generic[T]):
    """A value that is fetched when it is first asked for and again when it is ``seconds`` old.

    While the other side is away the old value is given out; with none yet, TemporaryError goes through. Safe to use
    from several threads, of which one fetches.
    """

    def __init__(
        self, fetch: Callable[[], T], *, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._value: tuple[T] | None = None
        self._good_until = 0.0

    def get(self) -> T:
        """The value. Raises what fetching it raises, but TemporaryError only when there is no old value."""
        value = self._value
        if value is not None and self._clock() < self._good_until:
            return value[0]
        with self._lock:
            if self._value is not None and self._clock() < self._good_until:
                return self._value[0]
            try:
                self._value = (self._fetch(),)
                self._good_until = self._clock() + self._seconds
            except TemporaryError as error:
                if self._value is None:
                    raise
                logger.warning("Using what was remembered: %s", error)
                self._good_until = self._clock() + RETRY_INTERVAL
            return self._value[0]
