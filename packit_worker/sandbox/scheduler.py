"""Things that happen later: build steps, test results, call-backs. Used inside the sandbox only."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Scheduler:
    """One thread that runs actions when they are due. Actions must be short; long ones go to `spawn`."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._spawned: set[threading.Thread] = set()
        self.stopping = threading.Event()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` in `seconds` from now, in the scheduler's thread."""
        with self._condition:
            heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._order), action))
            self._condition.notify()

    def spawn(self, action: Callable[[], None]) -> None:
        """Run `action` in a thread of its own, which `stop` waits for; it should watch `stopping`."""

        def run() -> None:
            try:
                action()
            finally:
                with self._condition:
                    self._spawned.discard(thread)

        thread = threading.Thread(target=run, name="sandbox-action", daemon=True)
        with self._condition:
            self._spawned.add(thread)
        thread.start()

    def clear(self) -> None:
        """Forget what has not happened yet."""
        with self._condition:
            self._queue.clear()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="sandbox-scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait, for two seconds at most, for what was spawned."""
        self.stopping.set()
        with self._condition:
            self._condition.notify()
            spawned = list(self._spawned)
        if self._thread is not None:
            self._thread.join(2)
        for thread in spawned:
            thread.join(2)

    def _run(self) -> None:
        while not self.stopping.is_set():
            with self._condition:
                delay = self._queue[0][0] - time.monotonic() if self._queue else None
                if delay is None or delay > 0:
                    self._condition.wait(delay)
                    continue
                action = heapq.heappop(self._queue)[2]
            try:
                action()
            except Exception:
                logger.exception("A scheduled action of the sandbox failed")
