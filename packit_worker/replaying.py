"""Replay: a delivery is read again, or an event processed again, on an operator's word.

Used by the command line. What can be opened again, and what then stays done, is known to ``journal.reopening``.
"""

from __future__ import annotations

from packit_worker.broker.hints import Hints
from packit_worker.intake import Unreadable, decode
from packit_worker.journal import Journal, reopening
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.reopening import Dropped, NotReplayable, Replay, reopen
from parsers.parsing import parse
from parsers.sending import held

__all__ = ["NotReplayable", "Replay", "drop", "replay"]


def replay(journal: Journal, hints: Hints, id: str, *, dry_run: bool) -> Replay:
    """Read the delivery or process the event ``id`` again. A delivery that was read leads to its event.

    One transaction, and a hint afterwards; the broker may be away. ``dry_run``: nothing is written, and nobody is
    called. Raises NotReplayable, JournalUnavailable.
    """
    transaction = journal.read if dry_run else journal.write
    with transaction() as session:
        answer, row = reopen(session, id, dry_run=dry_run, foretell=_foretold)
    if not dry_run:
        hints.row(row)
    return answer


def drop(journal: Journal, id: str, why: str) -> Dropped:
    """Let go of what was given up; it counts as ignored from now on.

    Raises NotReplayable for what is not dead, JournalUnavailable.
    """
    with journal.write() as session:
        return reopening.drop(session, id, why)


def _foretold(row: Delivery) -> str:
    """What reading will come to with the parsers as they are here. Pure."""
    try:
        body = decode(row.body or b"")
    except Unreadable as error:
        return f"it will be malformed again, {error}"
    with held() as sendings:
        parsed = parse(row.source, row.event_type, body)
    if parsed.malformed is not None:
        return f"it will be malformed again, {parsed.malformed}"
    if parsed.ignored is not None:
        return f"it will be ignored, {parsed.ignored}"
    return " and ".join(f"{made.task} about {made.event.subject}" for made in sendings)
