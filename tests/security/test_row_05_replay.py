"""Row 5: GitHub signs the body and not the id, so a captured body can come under a new one.

Pagure signs id and time with the body, so that a captured one can come late, but not twice.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta

from sqlalchemy import update
from web.opening import Opened
from web.pagure_hooks import HOOK, KEY, add_keys, hook, signed

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


def test_a_hook_of_pagure_that_is_an_hour_old_is_held(door: Opened) -> None:
    add_keys(door.journal)
    body = hook(timestamp=int(time.time()) - 3600)
    answer = door.client.post(HOOK, data=body, headers=signed(body))
    assert (answer.status_code, answer.json["decision"]) == (202, "held")
    assert answer.json["reason"].startswith("suspected replay: signed at ")
    assert door.broker.sent == []


def test_a_hook_of_pagure_counts_once_for_ever(door: Opened) -> None:
    add_keys(door.journal)
    body = hook()
    decisions = [
        door.client.post(HOOK, data=body, headers=signed(body, **headers)).json["decision"]
        for headers in ({}, {"X_Pagure_Topic": "pull-request.new"}, {"X_Something": "else"})
    ]
    assert decisions == ["accepted", "duplicate", "duplicate"]
    with door.journal.write() as session:
        session.execute(update(Delivery).values(received_at=now() - timedelta(days=800)))
    assert door.client.post(HOOK, data=body, headers=signed(body)).json["decision"] == "duplicate"
    assert len(door.broker.sent) == 1


def test_id_and_time_of_a_hook_cannot_be_changed(door: Opened) -> None:
    add_keys(door.journal)
    headers, sent = signed(hook(msg_id="m-1"), KEY), json.loads(hook(msg_id="m-1"))
    for change in ({"msg_id": "m-2"}, {"timestamp": int(time.time()) + 1}):
        body = json.dumps(sent | change, sort_keys=True).encode()
        assert door.client.post(HOOK, data=body, headers=headers).status_code == 401
    assert door.count() == 0
