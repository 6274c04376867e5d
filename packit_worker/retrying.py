"""When an event that could not be finished comes again. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from packit_worker.errors import RateLimited, Settling, TemporaryError
from packit_worker.journal.base import now

#: The longest back-off, in seconds.
LONGEST = 900.0
#: The longest that somebody else can make us wait at once, in seconds: GitHub's quota starts anew every hour.
LONGEST_ASKED_FOR = 3700.0
#: For how long waiting is nobody's failure.
PATIENCE = timedelta(hours=24)


class Retrying:
    """Collects the temporary errors of one attempt at an event; the earliest moment asked for counts."""

    def __init__(
        self,
        attempts: int,
        max_attempts: int,
        *,
        since: datetime | None = None,
        owes: Callable[[], bool] = lambda: False,
    ) -> None:
        """``since``: when the work came up, by which waiting for quota has an end, too.

        ``owes``: whether the work has made a call whose fate is unknown. It is not given up before it was found out.
        """
        self._owes = owes
        self._attempts = attempts
        self._max_attempts = max_attempts
        self._is_old = since is not None and since < now() - PATIENCE
        self._failed = False
        self.at: datetime | None = None
        self.why = ""
        #: Whether the attempt counts: waiting for quota is nobody's failure, nor is waiting for a call to settle.
        self.counts = True

    def another(self, error: TemporaryError) -> bool:
        """Whether there will be another attempt after this error; then ``at`` says when.

        As the other side asked, else after 2, 4, 8... seconds, at most 15 minutes.
        """
        only_waits = isinstance(error, RateLimited | Settling) and not self._is_old
        if self._attempts >= self._max_attempts and not only_waits:
            if self._is_old or not self._owes():
                return False
            only_waits = True
        delay = min(2.0 ** min(self._attempts, 30), LONGEST)
        if error.retry_after is not None:
            delay = min(max(error.retry_after, 0.0), LONGEST_ASKED_FOR)
        at = now() + timedelta(seconds=delay)
        if self.at is None or at < self.at:
            self.at, self.why = at, str(error)
        # One that failed makes the attempt count, whatever the others wait for.
        self.counts = self._failed or not only_waits
        self._failed = self.counts
        return True
