"""When an event that could not be finished comes again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from packit_worker.errors import RateLimited, TemporaryError
from packit_worker.journal.base import now

#: The longest back-off, in seconds.
LONGEST = 900.0


class Retrying:
    """Collects the temporary errors of one attempt at an event; the earliest moment asked for counts."""

    def __init__(self, attempts: int, max_attempts: int) -> None:
        self._attempts = attempts
        self._max_attempts = max_attempts
        self.at: datetime | None = None
        self.why = ""
        #: Whether the attempt counts: waiting for quota is nobody's failure.
        self.counts = True

    def another(self, error: TemporaryError) -> bool:
        """Whether there will be another attempt after this error; then ``at`` says when.

        As the other side asked, else after 2, 4, 8... seconds, at most 15 minutes.
        """
        waits_for_quota = isinstance(error, RateLimited)
        if self._attempts >= self._max_attempts and not waits_for_quota:
            return False
        delay = error.retry_after if error.retry_after is not None else min(2.0**self._attempts, LONGEST)
        at = now() + timedelta(seconds=delay)
        if self.at is None or at < self.at:
            self.at, self.why = at, str(error)
        self.counts = self.counts and not waits_for_quota
        return True
