"""The sweeper: wakes whatever is overdue. It holds no state; two may run.

Lost hints are sent again, leases of dead workers run out here, builds and tests without news are asked for, checks past
their deadline end, and webhooks that did not arrive are asked for again.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from packit_worker import metrics, sentry
from packit_worker.broker.hints import priority_of, scope_of
from packit_worker.journal import JournalUnavailable, purging
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import not_hinted, overdue
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.shop import Shop
from packit_worker.sweeping.looking import end_late_checks, look_at_silent_builds, look_at_silent_tests
from packit_worker.sweeping.redelivery import ask_for_missed

log = logging.getLogger(__name__)

#: A hint that was not followed for so long is believed lost.
PATIENCE = timedelta(seconds=3)
INTERVAL = 0.7
#: How often silent builds, silent tests and late checks are looked for, in seconds.
LOOK_INTERVAL = 5.0
BATCH = 200
#: When what is old is let go of, in seconds: for the first time after the start, and from then on.
FIRST_PURGE = 600.0
PURGE_INTERVAL = 24 * 3600.0


def sweep(shop: Shop) -> int:
    """One round over deliveries, events and checks. Returns how many hints were sent."""
    sent = 0
    for model in (Delivery, EventRow, CheckRow):
        with shop.journal.write() as session:
            rows = overdue(session, model, limit=BATCH, patience=PATIENCE)
        waiting = Counter(map(_scope, rows))
        gone = 0
        # The first that cannot be sent is the last that is tried: a frozen broker costs seconds each time.
        while gone < len(rows) and shop.hints.row(
            rows[gone], priority=priority_of(waiting[_scope(rows[gone])])
        ):
            gone += 1
        sent += gone
        if gone < len(rows):
            # Else patience would be doubled for wake-ups that nobody ever had.
            with shop.journal.write() as session:
                not_hinted(session, model, [row.key for row in rows[gone:]])
            break
    return sent


def _scope(row: Any) -> str | None:
    """Whose work a row is."""
    if isinstance(row, EventRow):
        return scope_of(row.kwargs.get("project_url"))
    return scope_of(row.project_url) if isinstance(row, CheckRow) else None


def look(shop: Shop) -> None:
    """Ask about what has been silent for too long."""
    look_at_silent_builds(shop)
    look_at_silent_tests(shop)
    end_late_checks(shop)


class Sweeper:
    """Sweeps until it is told to stop. ``beat`` is called after each round, whatever came of it."""

    def __init__(self, shop: Shop, beat: Callable[[], object] = lambda: None) -> None:
        self._shop = shop
        self._beat = beat
        self._stop = threading.Event()
        self._purge_at = monotonic() + FIRST_PURGE

    def run(self) -> None:
        """Sweep until ``stop``. A database that is away is waited for."""
        # In threads of their own: whoever is asked can be slow, and nobody's wake-up shall wait for that.
        threads = [
            threading.Thread(
                target=self._repeat, args=(LOOK_INTERVAL, "look", look), name="looking", daemon=True
            ),
            threading.Thread(
                target=self._repeat,
                args=(LOOK_INTERVAL, "ask for missed webhooks", ask_for_missed),
                name="redelivery",
                daemon=True,
            ),
            threading.Thread(
                target=self._repeat, args=(LOOK_INTERVAL, "purge", self._purge), name="purge", daemon=True
            ),
        ]
        for thread in threads:
            thread.start()
        self._repeat(INTERVAL, "sweep", self._sweep, self._beat)

    def _sweep(self, shop: Shop) -> None:
        sent = sweep(shop)
        metrics.sweep_timestamp_seconds.set_to_current_time()
        metrics.hints_resent.inc(sent)
        if sent:
            log.info("sent %d hints again", sent)

    def _purge(self, shop: Shop) -> None:
        if monotonic() < self._purge_at:
            return
        gone = purging.purge(shop.journal, shop.settings.retention, stop=self._stop.is_set)
        self._purge_at = monotonic() + PURGE_INTERVAL
        log.info("purged: %s", ", ".join(f"{number} {name}" for name, number in gone.items()) or "nothing")

    def _repeat(
        self,
        interval: float,
        what: str,
        work: Callable[[Shop], object],
        beat: Callable[[], object] = lambda: None,
    ) -> None:
        while not self._stop.wait(interval):
            try:
                work(self._shop)
            except JournalUnavailable as error:
                log.error("cannot %s: %s", what, error)
            except Exception as error:
                # The one process that everything else relies on does not end because of a bug in one round.
                log.exception("%s: this round has a bug", what)
                sentry.report(error, "sweeper")
            beat()

    def stop(self, *_: object) -> None:
        """End after this round; also a signal handler."""
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT end the sweeper."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
