"""The heart: keeps the claims alive that this process works on, and ends a process whose work does not go on."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from packit_worker.journal.claims import Claim, LostClaim
from packit_worker.journal.database import Journal, JournalUnavailable

log = logging.getLogger(__name__)

#: The exit status of a process that ends itself because of work that does not end.
HUNG = 70


class Beat:
    """A claim that is kept alive. Without ``limit`` for as long as it takes, else for so many seconds."""

    def __init__(self, claim: Claim, limit: float | None) -> None:
        self.claim = claim
        self.limit = limit
        self._since = time.monotonic()

    def goes_on(self) -> None:
        """There was progress: the limit counts from now."""
        self._since = time.monotonic()

    @property
    def is_hung(self) -> bool:
        """Whether nothing was heard of the work for longer than its limit."""
        return self.limit is not None and time.monotonic() - self._since > self.limit


class Heart:
    """Extends the leases of the claims this process works on, from a thread of its own.

    Work that goes on for longer than its limit hangs: its lease is let run out, and the process ends itself, for a
    process that hangs takes no other work. Whoever started it starts it again. ``end`` is how a process ends.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        lease: timedelta,
        beat: timedelta,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._beat = beat
        self._end = end
        self._beats: set[Beat] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def beating_for(self, claim: Claim, limit: float | None = None) -> Iterator[Beat]:
        """Keep the claim alive inside; ``limit`` is in seconds without ``Beat.goes_on``."""
        beat = Beat(claim, limit)
        with self._lock:
            self._beats.add(beat)
            if self._thread is None or not self._thread.is_alive():
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
                self._thread.start()
        try:
            yield beat
        finally:
            with self._lock:
                self._beats.discard(beat)

    def stop(self) -> None:
        """End the thread."""
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._wake.wait(self._beat.total_seconds()):
            with self._lock:
                beats = list(self._beats)
            for beat in beats:
                if beat.is_hung:
                    self._give_up(beat)
                else:
                    self._extend(beat)

    def _give_up(self, beat: Beat) -> None:
        table, key = beat.claim.model.__tablename__, beat.claim.key
        log.critical(
            "%s %s hangs for more than %.0f s; this process ends\n%s", table, key, beat.limit, _stacks()
        )
        self._forget(beat)
        self._end(HUNG)

    def _forget(self, beat: Beat) -> None:
        with self._lock:
            self._beats.discard(beat)

    def _extend(self, beat: Beat) -> None:
        claim = beat.claim
        try:
            with self._journal.write() as session:
                claim.fence(session, self._lease)
        except LostClaim:
            # The work finds out by itself before its next effect; nothing to be done from here.
            self._forget(beat)
        except JournalUnavailable as error:
            log.warning("could not extend the lease of %s: %s", claim.key, error)
        except Exception:
            # Other claims may hang on this thread; it does not end because of one.
            log.exception("could not extend the lease of %s", claim.key)


def _stacks() -> str:
    """Where every thread is."""
    return "\n".join("".join(traceback.format_stack(frame)) for frame in sys._current_frames().values())
