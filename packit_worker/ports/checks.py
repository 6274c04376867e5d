"""What a check on a commit shows, in the words of GitHub's check runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How far a check is, in the words of GitHub's check runs; forges with fewer words map them."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    """How a completed check went, in the words of GitHub's check runs."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True, kw_only=True)
class CheckState:
    """What a check on a commit shall show. ``name`` is stable for the life of the commit.

    ``marker`` is our own id of the check, kept by the forge (external_id), by which it is found again. ``summary`` is
    Markdown that has been made safe; its first line says what to do.
    """

    commit_sha: str
    name: str
    marker: str
    status: CheckStatus
    conclusion: Conclusion | None = None
    title: str
    summary: str = ""
    url: str | None = None
