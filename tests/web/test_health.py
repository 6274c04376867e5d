"""Health: alive, and ready or not for which reasons."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from packit_worker.journal import Journal, events
from packit_worker.journal.base import State, now
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow

from .opening import Opened, opened

READY = "/api/healthz/ready"
LONG_AGO = timedelta(minutes=5)


def change(door: Opened, model: Any, **values: Any) -> None:
    with door.journal.write() as session:
        session.execute(update(model).values(**values))


def event(door: Opened, subject: str) -> str:
    id = str(uuid.uuid4())
    with door.journal.write() as session:
        events.record(
            session, id=id, delivery_id=None, task="task.x", lane="short-running", kwargs={}, subject=subject
        )
    return id


@pytest.mark.parametrize("path", ["/api/healthz", READY])
def test_a_service_without_work_is_well(door: Opened, path: str) -> None:
    assert door.client.get(path).status_code == 200
    head = door.client.head(path)
    assert (head.status_code, head.data) == (200, b"")


def test_alive_asks_nobody(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/none.sqlite")
    door = opened(journal, tmp_path)
    with journal.counted() as cost:
        assert door.client.get("/api/healthz").json == {"status": "healthy"}
    assert cost.statements == 0


def test_a_journal_without_migrations_is_not_ready(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/new.sqlite")
    answer = opened(journal, tmp_path).client.get(READY)
    assert (answer.status_code, answer.json["reasons"]) == (503, ["the database lacks migrations"])
    journal.dispose()


def test_a_database_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").mkdir()
    answer = opened(Journal(f"sqlite:///{tmp_path}/j.sqlite"), tmp_path).client.get(READY)
    assert answer.status_code == 503
    assert "the database does not answer" in answer.json["reasons"][0]


def test_ready_in_every_kind_of_database(journal: Journal, tmp_path: Path) -> None:
    door = opened(journal, tmp_path)
    door.webhook()
    event(door, "a")
    answer = door.client.get(READY)
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "reasons": []})


def test_a_delivery_nobody_reads(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    change(door, Delivery, due_at=now() - LONG_AGO)
    answer = door.client.get(READY)
    assert answer.status_code == 503
    assert "delivery guid-1 has waited" in answer.json["reasons"][0]


def test_an_event_nobody_takes(door: Opened) -> None:
    id = event(door, "a")
    change(door, EventRow, due_at=now() - LONG_AGO)
    assert f"event {id} has waited" in door.client.get(READY).json["reasons"][0]


@pytest.mark.parametrize(
    ("state", "times"),
    [
        (State.RUNNING, {"lease_until": timedelta(hours=1), "due_at": -LONG_AGO}),
        (State.RUNNING, {"lease_until": -timedelta(seconds=5), "due_at": -LONG_AGO}),
        (State.DONE, {"due_at": -LONG_AGO}),
        (State.DEAD, {"due_at": -LONG_AGO}),
        (State.HELD, {"due_at": -LONG_AGO}),
        (State.READY, {"due_at": timedelta(hours=1)}),
        (State.READY, {"due_at": -timedelta(seconds=5)}),
    ],
)
def test_what_is_worked_on_or_over_or_not_due_is_no_reason(
    door: Opened, state: State, times: dict[str, timedelta]
) -> None:
    event(door, "a")
    # From the present moment: minutes pass between the collection of tests and this one.
    change(door, EventRow, state=state, **{name: now() + delta for name, delta in times.items()})
    assert door.client.get(READY).json["reasons"] == []


def test_a_lease_that_ran_out_long_ago(door: Opened) -> None:
    event(door, "a")
    change(door, EventRow, state=State.RUNNING, lease_until=now() - LONG_AGO, due_at=now() - 2 * LONG_AGO)
    assert door.client.get(READY).status_code == 503


def test_an_event_whose_turn_has_only_come_is_no_reason(door: Opened) -> None:
    first, _ = event(door, "a"), event(door, "a")
    change(door, EventRow, due_at=now() - LONG_AGO)
    with door.journal.write() as session:
        over = {"state": State.DONE, "finished_at": now() - timedelta(seconds=1)}
        session.execute(update(EventRow).where(EventRow.id == first).values(**over))
    assert door.client.get(READY).json["reasons"] == []
