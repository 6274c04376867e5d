"""Row 5: GitHub signs the body and not the id, so a captured body can come under a new one."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update
from web.opening import Opened

from packit_worker.journal.base import State, now
from packit_worker.journal.deliveries import Delivery


def test_the_same_body_under_a_new_id_is_held(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    answer = door.webhook(X_GitHub_Delivery="guid-2")
    assert (answer.status_code, answer.json["decision"]) == (202, "held")
    assert answer.json["reason"] == "suspected replay: the same body came as guid-1"
    assert [row.state for row in door.rows()] == [State.READY, State.HELD]
    assert [task["task_id"] for task in door.broker.sent] == ["guid-1"]


def test_the_same_id_is_a_duplicate_whatever_the_body(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    for body in (b'{"action": "opened", "number": 7}', b'{"action": "closed"}'):
        answer = door.webhook(body, X_GitHub_Delivery="guid-1")
        assert (answer.status_code, answer.json["decision"]) == (202, "duplicate")
    assert (door.count(), len(door.broker.sent)) == (1, 1)


def test_after_the_window_a_body_is_new(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    with door.journal.write() as session:
        session.execute(update(Delivery).values(received_at=now() - timedelta(days=8)))
    assert door.webhook(X_GitHub_Delivery="guid-2").json["decision"] == "accepted"


def test_what_is_ignored_is_not_held(door: Opened) -> None:
    for id in ("guid-1", "guid-2"):
        assert door.webhook(X_GitHub_Event="star", X_GitHub_Delivery=id).json["decision"] == "ignored"
