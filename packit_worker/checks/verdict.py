"""What a check comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packit_worker.situation.job import Job
    from packit_worker.situation.situation import Situation


class Kind(StrEnum):
    """What follows from a verdict."""

    PASS = "pass"  # noqa: S105
    #: Not for this handler; written down, and nobody is told.
    SKIP = "skip"
    #: It would run but may not; the user is told on the checks that it would have reported.
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check says, why, and what somebody can do about it."""

    kind: Kind
    reason: str
    next_step: str | None = None


#: A check looks at a situation and the job that a handler would run for (None for handlers without jobs).
Check = Callable[["Situation", "Job | None"], Verdict]


def passed(reason: str) -> Verdict:
    """It may run."""
    return Verdict(kind=Kind.PASS, reason=reason)


def skipped(reason: str) -> Verdict:
    """It is not for this handler."""
    return Verdict(kind=Kind.SKIP, reason=reason)


def refused(reason: str, next_step: str) -> Verdict:
    """It may not run, and here is what can be done."""
    return Verdict(kind=Kind.REFUSE, reason=reason, next_step=next_step)
