"""What is said of any check whose work cannot be done."""

from __future__ import annotations

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import plain
from packit_worker.reporting.words import Words, capital

REFUSED_NEXT = "Correct what it does not accept, or ask the operators of this service."


def superseded(commit_sha: str) -> Words:
    """The pull request has got newer commits."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title=f"Superseded by the newer commit {commit_sha[:12]}.",
        summary=f"Nothing to do. What was under way here was canceled when `{plain(commit_sha)}` was pushed; "
        "the checks of that commit count now.",
    )


def refused(reason: str, next_step: str | None) -> Words:
    """It may not run; somebody can allow it."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.ACTION_REQUIRED,
        title=reason,
        summary=f"{plain(next_step, 600)}\n\n{plain(reason, 600)}" if next_step else plain(reason, 600),
    )


def user_error(message: str, next_step: str) -> Words:
    """Something only a person can mend."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=message,
        summary=f"{plain(next_step, 600)}\n\n{plain(message, 1000)}",
    )


def gave_up(why: str, attempts: int, again: str) -> Words:
    """Tried several times in vain."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=f"Given up after {attempts} attempts.",
        summary=f"{capital(again)} to try again later.\n\nThe last attempt ended with: {plain(why, 600)}",
    )


def timed_out(after: str, again: str) -> Words:
    """It took longer than it may. ``after``: timed out after so long."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.TIMED_OUT,
        title=f"{capital(after)}.",
        summary=f"{capital(again)} to try again; if it stays like this, tell the operators of this service.",
    )


def our_fault(event_id: str, again: str) -> Words:
    """A bug of this service."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Something went wrong in this service; it is not the fault of your change.",
        summary=f"Its operators have been told. {capital(again)} to try again; "
        f"if it stays like this, tell them the number `{event_id}`.",
    )


def too_late(hours: int, again: str) -> Words:
    """No news for too long."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.TIMED_OUT,
        title=f"No result within {hours} hours.",
        summary=f"{capital(again)} to try again.",
    )
