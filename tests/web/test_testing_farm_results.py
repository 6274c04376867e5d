"""Every answer of the door for Testing Farm."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from packit_worker.journal.base import State
from web.opening import RESULTS, TOKEN, Opened


def test_news_of_a_request_are_accepted(door: Opened) -> None:
    answer = door.client.post(RESULTS, json={"request_id": "1234", "token": TOKEN})
    assert (answer.status_code, answer.json["decision"]) == (202, "accepted")
    assert answer.json["delivery"].startswith("testing-farm:")
    assert answer.json["details"] == f"https://packit.example/deliveries/{answer.json['delivery']}"
    (row,) = door.rows()
    assert (row.source, row.event_type, row.state) == ("testing-farm", "result", State.READY)
    assert json.loads(row.body or b"") == {"request_id": "1234"}


def test_the_result_as_it_was_posted_in_2020(door: Opened) -> None:
    sent = {"pipeline": {"id": "1234"}, "result": "passed", "token": TOKEN}
    assert door.client.post(RESULTS, json=sent).status_code == 202


@pytest.mark.parametrize(
    "token",
    ["wrong", "", None, 7, True, [TOKEN], {"a": TOKEN}, "gar\xe7on", "\ud800", TOKEN + "\0", TOKEN.upper()],
)
def test_wrong_tokens(door: Opened, token: Any) -> None:
    answer = door.client.post(RESULTS, data=json.dumps({"request_id": "1", "token": token}))
    assert answer.status_code == 401
    assert door.count() == 0


def test_a_missing_token(door: Opened) -> None:
    assert door.client.post(RESULTS, json={"request_id": "1"}).status_code == 401


@pytest.mark.parametrize(
    "found",
    [{}, {"request_id": ""}, {"request_id": None}, {"request_id": {}}, {"pipeline": "1"}, {"pipeline": {}}],
)
def test_a_result_of_nothing(door: Opened, found: dict[str, Any]) -> None:
    answer = door.client.post(RESULTS, json={**found, "token": TOKEN})
    assert answer.status_code == 400
    assert "request_id" in answer.json["reason"]
    assert door.count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 400_000])
def test_unreadable_bodies(door: Opened, body: bytes) -> None:
    assert door.client.post(RESULTS, data=body).status_code == 400


def test_a_stranger_cannot_make_us_parse_megabytes(door: Opened) -> None:
    assert door.client.post(RESULTS, data=b"[" + b"0," * 600_000 + b"0]").status_code == 413


def test_the_token_is_kept_nowhere(door: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = door.client.post(
        RESULTS, json={"request_id": "1", "token": TOKEN}, headers={"Authorization": TOKEN, "X-Token": TOKEN}
    )
    door.client.post(RESULTS, json={"token": TOKEN})
    (row,) = door.rows()
    assert TOKEN not in f"{row.body!r} {row.headers} {answer.text} {caplog.text} {door.broker.sent}"


def test_a_text_that_is_no_text_is_kept_as_it_came(door: Opened) -> None:
    raw = b'{"request_id": "1", "token": "%s", "note": "\\ud800"}' % TOKEN.encode()
    assert door.client.post(RESULTS, data=raw).status_code == 202
    assert json.loads(door.rows()[0].body or b"")["note"] == "\ud800"
