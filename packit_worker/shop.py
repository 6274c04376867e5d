"""The shop: what a worker process works with, whatever it works on. Made once by ``startup``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from packit_worker.broker.hints import Hints
from packit_worker.config.service import ServiceConfig
from packit_worker.handlers.base import Services
from packit_worker.interrupting import Limit
from packit_worker.journal import Journal


@dataclass(frozen=True)
class Shop:
    """The configuration, the journal, the systems outside and the broker's hints."""

    settings: ServiceConfig
    journal: Journal
    services: Services
    hints: Hints
    #: Seconds between the moment work is told to stop and the end of a process where it does not.
    grace: float = 30.0

    @property
    def lease(self) -> timedelta:
        """How long a claim lasts without a sign of life."""
        return timedelta(seconds=self.settings.limits.lease_seconds)

    @property
    def settle(self) -> timedelta:
        """How long a call may take to become visible at the other side."""
        return timedelta(seconds=self.settings.limits.settle_seconds)

    def limit(self, lane: str) -> Limit:
        """How long work of a lane may take."""
        return Limit(self.settings.lanes[lane].soft_time_limit, self.grace)
