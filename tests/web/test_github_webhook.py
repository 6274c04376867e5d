"""Every answer of the door for GitHub."""

from __future__ import annotations

import json

import pytest

from packit_worker.journal.base import State
from web.opening import BODY, WEBHOOK, Opened, signed


def test_a_webhook_is_on_disk_when_it_is_accepted(door: Opened) -> None:
    answer = door.webhook(X_GitHub_Delivery="guid-1")
    assert answer.status_code == 202
    assert answer.json == {
        "decision": "accepted",
        "reason": None,
        "delivery": "guid-1",
        "details": "https://packit.example/deliveries/guid-1",
    }
    (row,) = door.rows()
    assert (row.id, row.source, row.event_type, row.state) == (
        "guid-1",
        "github",
        "pull_request",
        State.READY,
    )
    assert row.body == BODY


def test_the_parser_is_woken_with_the_id_of_the_delivery(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    (task,) = door.broker.sent
    assert (task["name"], task["task_id"], task["queue"]) == ("task.parse_message", "guid-1", "parse")
    assert task["kwargs"] == {"delivery_id": "guid-1", "source": "github", "event_type": "pull_request"}


def test_useful_headers_are_kept_and_signatures_are_not(door: Opened) -> None:
    door.webhook(X_Hub_Signature="sha1=abc", Authorization="Basic abc", Cookie="a=b")
    (row,) = door.rows()
    assert set(row.headers) == {
        *("Content-Type", "User-Agent"),
        *("X-Github-Event", "X-Github-Delivery", "X-Github-Hook-Id"),
    }


def test_the_same_delivery_again_is_a_duplicate(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    again = door.webhook(X_GitHub_Delivery="guid-1")
    assert (again.status_code, again.json["decision"]) == (202, "duplicate")
    assert (door.count(), len(door.broker.sent)) == (1, 1)


def test_what_nobody_here_acts_on_is_ignored_with_the_reason(door: Opened) -> None:
    answer = door.webhook(X_GitHub_Event="star")
    assert (answer.status_code, answer.json["decision"]) == (202, "ignored")
    assert answer.json["reason"] == "star from github is not something to act on"
    assert door.rows()[0].state == State.IGNORED
    assert door.broker.sent == []


@pytest.mark.parametrize("event", ["integration_installation", "integration_installation_repositories"])
def test_what_github_tells_twice_is_ignored_once(door: Opened, event: str) -> None:
    answer = door.webhook(X_GitHub_Event=event)
    assert (answer.status_code, answer.json["decision"]) == (202, "ignored")
    assert "second time" in answer.json["reason"]


def test_a_ping_is_answered_and_not_kept(door: Opened) -> None:
    answer = door.webhook(json.dumps({"zen": "Keep it logically awesome."}).encode(), X_GitHub_Event="ping")
    assert (answer.status_code, answer.json["decision"]) == (200, "pong")
    assert door.count() == 0


def test_a_ping_has_to_be_signed_too(door: Opened) -> None:
    body = json.dumps({"zen": "z", "hook_id": 1, "hook": {}}).encode()
    assert door.webhook(body, X_GitHub_Event="ping", X_Hub_Signature_256="sha256=0").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"X_Hub_Signature_256": None}, 401, "X-Hub-Signature-256 is missing"),
        ({"X_Hub_Signature_256": "sha1=abc"}, 401, "has to be sha256="),
        ({"X_Hub_Signature_256": "sha256=abc"}, 401, "does not match"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415, "App's webhook settings"),
        ({"Content_Type": None}, 415, "application/json"),
        ({"Content_Encoding": "gzip"}, 415, "as it is"),
        ({"X_GitHub_Event": None}, 400, "X-GitHub-Event is missing"),
        ({"X_GitHub_Delivery": None}, 400, "X-GitHub-Delivery is missing"),
        ({"X_GitHub_Delivery": "  "}, 400, "X-GitHub-Delivery is missing"),
        ({"X_GitHub_Delivery": "a" * 101}, 400, "at most 100 printable"),
        ({"X_GitHub_Delivery": "a\x00b"}, 400, "printable"),
        ({"X_GitHub_Delivery": "caf\xe9"}, 400, "printable"),
        ({"X_GitHub_Event": "x" * 101}, 400, "at most 100 printable"),
    ],
)
def test_refused_headers(door: Opened, headers: dict[str, str | None], status: int, words: str) -> None:
    answer = door.webhook(**headers)
    assert answer.status_code == status
    assert words in answer.json["reason"]
    assert door.count() == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not UTF-8"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": %s}' % (b"9" * 5000), "a number of 5000 digits"),
        (b"[]", "has to be a JSON object"),
        (b"null", "has to be a JSON object"),
        (b'"text"', "has to be a JSON object"),
    ],
)
def test_refused_bodies(door: Opened, body: bytes, words: str) -> None:
    answer = door.webhook(body)
    assert answer.status_code == 400
    assert words in answer.json["reason"]
    assert door.count() == 0


def test_json_may_come_with_a_charset(door: Opened) -> None:
    assert door.webhook(Content_Type="application/json; charset=utf-8").status_code == 202


def test_identity_is_no_encoding(door: Opened) -> None:
    assert door.webhook(Content_Encoding="identity").status_code == 202


def test_only_posts_are_taken(door: Opened) -> None:
    answer = door.client.get(WEBHOOK)
    assert (answer.status_code, answer.json["error"]) == (405, "Method Not Allowed")
    assert "POST" in answer.headers["Allow"]


def test_a_body_shorter_than_it_says_is_refused(door: Opened) -> None:
    answer = door.client.post(
        WEBHOOK, data=BODY, headers=signed(BODY), environ_overrides={"CONTENT_LENGTH": "99"}
    )
    assert answer.status_code == 400
    assert "shorter" in answer.json["reason"]
