"""The sweeper: wakes whatever is overdue. It holds no state; two may run.

Lost hints are sent again, leases of dead workers run out here, builds and tests without news are asked for, and
checks past their deadline end.
"""

from __future__ import annotations

import logging
import signal
import threading
from datetime import timedelta

from packit_worker.journal import JournalUnavailable
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import overdue
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.looking import end_late_checks, look_at_silent_builds, look_at_silent_tests
from packit_worker.pipeline import Shop

log = logging.getLogger(__name__)

#: A hint that was not followed for so long is believed lost.
PATIENCE = timedelta(seconds=3)
INTERVAL = 0.7
#: How often silent builds, silent tests and late checks are looked for, in seconds.
LOOK_INTERVAL = 5.0
BATCH = 200


def sweep(shop: Shop) -> int:
    """One round over deliveries, events and checks. Returns how many hints were sent."""
    sent = 0
    for model in (Delivery, EventRow, CheckRow):
        with shop.journal.write() as session:
            rows = overdue(session, model, limit=BATCH, patience=PATIENCE)
        for row in rows:
            shop.hints.row(row)
        sent += len(rows)
    return sent


def look(shop: Shop) -> None:
    """Ask about what has been silent for too long."""
    look_at_silent_builds(shop)
    look_at_silent_tests(shop)
    end_late_checks(shop)


class Sweeper:
    """Sweeps until it is told to stop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._stop = threading.Event()

    def run(self) -> None:
        """Sweep until ``stop``. A database that is away is waited for."""
        rounds_to_look = max(1, round(LOOK_INTERVAL / INTERVAL))
        rounds = 0
        while not self._stop.wait(INTERVAL):
            rounds += 1
            try:
                sent = sweep(self._shop)
                if sent:
                    log.info("sent %d hints again", sent)
                if rounds % rounds_to_look == 0:
                    look(self._shop)
            except JournalUnavailable as error:
                log.error("cannot sweep: %s", error)
            except Exception:
                # The one process that everything else relies on does not end because of a bug in one round.
                log.exception("a round of the sweeper has a bug")

    def stop(self, *_: object) -> None:
        """End after this round; also a signal handler."""
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT end the sweeper."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
