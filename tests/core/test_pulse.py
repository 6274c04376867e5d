"""Notes that processes go on: who has left none for too long, and who has an excuse."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from packit_worker.config.service import ServiceConfig, from_mapping
from packit_worker.journal import Journal, claims
from packit_worker.journal.base import now
from packit_worker.journal.deliveries import Delivery
from packit_worker.pulse import Pulse, silent


@pytest.fixture
def settings(tmp_path: Path) -> ServiceConfig:
    return from_mapping({"data_dir": str(tmp_path)})


def answers() -> bool:
    return True


def grow_old(settings: ServiceConfig, name: str, pid: int | None = None) -> None:
    note = settings.data_dir / "pulse" / name
    if pid is not None:
        note.write_text(str(pid))
    then = time.time() - 90
    os.utime(note, (then, then))


def claim(journal: Journal) -> None:
    with journal.write() as session:
        session.add(
            Delivery(
                id="one", source="github", event_type="push", headers={}, body=b"{}", body_sha256="0" * 64
            )
        )
    with journal.write() as session:
        assert claims.take(session, Delivery, "one", timedelta(seconds=15)) is not None


def test_a_process_that_beats_goes_on(settings: ServiceConfig, journal: Journal) -> None:
    Pulse(settings, "parse-1").beat()
    assert list(silent(settings, journal, answers)) == []


def test_nobody_was_ever_here(settings: ServiceConfig, journal: Journal) -> None:
    (wrong,) = silent(settings, journal, answers)
    assert "no process has left a note" in wrong


def test_the_one_that_is_silent_is_named(settings: ServiceConfig, journal: Journal) -> None:
    for name in ("parse-1", "sweeper"):
        Pulse(settings, name).beat()
    grow_old(settings, "parse-1")
    (wrong,) = silent(settings, journal, answers)
    assert wrong.startswith("parse-1 has not gone on for 9")
    Pulse(settings, "parse-1").beat()
    assert list(silent(settings, journal, answers)) == []


def test_work_that_is_kept_alive_is_an_excuse(settings: ServiceConfig, journal: Journal) -> None:
    Pulse(settings, "parse-1").beat()
    claim(journal)
    grow_old(settings, "parse-1")
    assert list(silent(settings, journal, answers)) == []
    # That of somebody else is none.
    grow_old(settings, "parse-1", pid=1)
    assert len(list(silent(settings, journal, answers))) == 1


def test_work_whose_lease_ran_out_is_none(settings: ServiceConfig, journal: Journal) -> None:
    Pulse(settings, "parse-1").beat()
    claim(journal)
    with journal.write() as session:
        session.execute(update(Delivery).values(lease_until=now() - timedelta(seconds=1)))
    grow_old(settings, "parse-1")
    assert len(list(silent(settings, journal, answers))) == 1


def test_who_waits_for_broker_or_database_goes_on(settings: ServiceConfig, journal: Journal) -> None:
    Pulse(settings, "parse-1").beat()
    grow_old(settings, "parse-1")
    assert list(silent(settings, journal, lambda: False)) == []
    away = Journal("postgresql+psycopg://postgres@127.0.0.1:1/nowhere")
    assert list(silent(settings, away, answers)) == []
    away.dispose()


def test_a_note_that_cannot_be_written_ends_nobody(
    settings: ServiceConfig, caplog: pytest.LogCaptureFixture
) -> None:
    (settings.data_dir / "pulse").write_text("a file stands in the way")
    Pulse(settings, "sweeper").beat()
    assert "cannot be written" in caplog.text
