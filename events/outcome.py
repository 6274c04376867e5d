"""How a run ended. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """The ways in which a run can end."""

    DONE = "done"
    #: Nothing can be done about it here; the user has been told why.
    FAILED = "failed"
    #: Will be tried again later: the journal knows when.
    RETRY = "retry"
    #: Left to a worker of another lane.
    DEFERRED = "deferred"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one run: handler, job and target it was for, its ending and a note for people."""

    handler: str
    job: str
    target: str
    ending: Ending
    note: str
