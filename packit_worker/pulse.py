"""Whether the processes of a data directory go on: each leaves a note of its own, and ``silent`` looks at their age.

Workers and sweepers have no port that a probe could ask. A worker of a solo pool leaves no note while it is at a task;
then it has a claim in the journal, which ``journal.heart`` keeps alive for as long as the work may take, no longer.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from packit_worker.config.service import ServiceConfig
from packit_worker.journal import Journal, JournalUnavailable
from packit_worker.journal.base import State, now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import owner
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow

log = logging.getLogger(__name__)

#: Seconds between two notes, and after which a process that has left none is silent.
INTERVAL, PATIENCE = 5.0, 60.0


class Pulse:
    """The note of one process. ``name`` is the process's, as in ``processes``."""

    def __init__(self, settings: ServiceConfig, name: str) -> None:
        self._note = _notes(settings) / name

    def beat(self) -> None:
        """This process goes on. A note that cannot be written is told of in the log: probes will miss it."""
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            self._note.write_text(str(os.getpid()))
        except OSError as error:
            log.warning("the note %s that this process goes on cannot be written: %s", self._note, error)


def silent(
    settings: ServiceConfig,
    journal: Journal,
    broker_answers: Callable[[], bool],
    *,
    patience: float = PATIENCE,
) -> Iterator[str]:
    """What is wrong, one line for each process that does not go on; nothing where all do.

    A process that waits for a database or a broker that is away goes on: to start it again would not help. Neither is
    asked while the notes are fresh.
    """
    notes = sorted(_notes(settings).glob("*"))
    if not notes:
        yield f"no process has left a note in {_notes(settings)} yet"
    for note in notes:
        age = time.time() - note.stat().st_mtime
        if age > patience and not _has_an_excuse(note, journal, broker_answers):
            yield f"{note.name} has not gone on for {age:.0f} s"


def _has_an_excuse(note: Path, journal: Journal, broker_answers: Callable[[], bool]) -> bool:
    pid = note.read_text()
    try:
        with journal.read() as session:
            return _is_at_work(session, owner(int(pid) if pid.isdigit() else 0)) or not broker_answers()
    except JournalUnavailable:
        return True


def _is_at_work(session: Session, who: str) -> bool:
    """Whether a claim of this process is kept alive."""
    return any(
        session.execute(
            select(
                exists().where(
                    model.claimed_by == who, model.state == State.RUNNING, model.lease_until > now()
                )
            )
        ).scalar_one()
        for model in (Delivery, EventRow, CheckRow)
    )


def _notes(settings: ServiceConfig) -> Path:
    return settings.data_dir / "pulse"
