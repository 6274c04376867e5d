"""Every answer of the door for Pagure."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from packit_worker.broker.hints import Hints
from packit_worker.journal import Journal, hooks
from packit_worker.journal.base import State, now
from packit_worker.journal.hooks import HookKeyRow
from packit_worker.replaying import replay
from web.opening import Opened, opened
from web.pagure_hooks import (
    HOOK,
    INSTANCE,
    KEY,
    OTHER,
    OTHER_KEY,
    PROJECT,
    add_keys,
    hook,
    push,
    signature,
    signed,
)


@pytest.fixture
def door(sqlite_journal: Journal, tmp_path: Path) -> Opened:
    """A door that knows two projects of a Pagure."""
    add_keys(sqlite_journal)
    return opened(sqlite_journal, tmp_path)


def post(door: Opened, body: bytes, key: str = KEY, **headers: str | None) -> Any:
    return door.client.post(HOOK, data=body, headers=signed(body, key, **headers))


def test_a_hook_is_on_disk_when_it_is_accepted(door: Opened) -> None:
    body = hook(msg_id="2026-abc")
    answer = post(door, body, X_Pagure_Topic="pull-request.new")
    assert answer.status_code == 202
    assert answer.json == {
        "decision": "accepted",
        "reason": None,
        "delivery": "pagure:2026-abc",
        "details": "https://packit.example/deliveries/pagure:2026-abc",
    }
    (row,) = door.rows()
    assert (row.id, row.source, row.event_type, row.state) == (
        "pagure:2026-abc",
        "pagure",
        "pull-request.new",
        State.READY,
    )
    assert row.body == body
    (task,) = door.broker.sent
    assert task["kwargs"] == {
        "delivery_id": "pagure:2026-abc",
        "source": "pagure",
        "event_type": "pull-request.new",
    }


def test_useful_headers_are_kept_and_signatures_are_not(door: Opened) -> None:
    post(door, hook(), X_Pagure_Topic="pull-request.new", Authorization="Basic abc", Cookie="a=b")
    (row,) = door.rows()
    assert set(row.headers) == {
        *("Content-Type", "User-Agent", "X-Pagure", "X-Pagure-Project", "X-Pagure-Topic")
    }


def test_the_same_hook_again_is_a_duplicate(door: Opened) -> None:
    body = hook()
    assert [post(door, body).json["decision"] for _ in range(2)] == ["accepted", "duplicate"]
    assert (door.count(), len(door.broker.sent)) == (1, 1)


def test_one_hook_a_hundred_times_at_once(journal: Journal, tmp_path: Path) -> None:
    add_keys(journal)
    door, body = opened(journal, tmp_path), hook()

    def send(_: int) -> str:
        answer = post(door, body)
        # A machine with other things to do may not answer in time, and says so.
        while answer.status_code == 503:
            answer = post(door, body)
        return str(answer.json["decision"])

    with ThreadPoolExecutor(100) as pool:
        answers = Counter(pool.map(send, range(100)))
    assert set(answers) <= {"accepted", "duplicate"}
    assert answers["accepted"] <= 1
    assert (door.count(), len(door.broker.sent)) == (1, 1)


@pytest.mark.parametrize(
    "topic", ["issue.edit", "pull-request.closed", "Test.notification", "git.centos.org/x"]
)
def test_what_nobody_here_acts_on_is_ignored_with_the_reason(door: Opened, topic: str) -> None:
    answer = post(door, hook(topic))
    assert (answer.status_code, answer.json["decision"]) == (202, "ignored")
    assert answer.json["reason"] == f"{topic} from pagure is not something to act on"


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"X_Pagure_Signature_256": None}, 401, "SHA-1 is not taken"),
        ({"X_Pagure_Signature_256": "abc"}, 401, "does not match"),
        ({"X_Pagure": None}, 401, "does not match"),
        ({"X_Pagure_Project": None}, 401, "does not match"),
        ({"X_Pagure_Project": "rpms/unknown"}, 401, "does not match"),
        ({"X_Pagure": "https://pagure.io"}, 401, "does not match"),
        ({"X_Pagure": "http://src.fedoraproject.org"}, 401, "does not match"),
        ({"X_Pagure": "https://[::1"}, 401, "does not match"),
        ({"X_Pagure": "https://a:port"}, 401, "does not match"),
        ({"X_Pagure_Project": "caf\xe9"}, 401, "does not match"),
        ({"X_Pagure_Project": "a\x00b"}, 401, "does not match"),
        ({"X_Pagure_Topic": "pull-request.closed"}, 400, "X-Pagure-Topic is not the topic"),
        ({"X_Pagure_Topic": ""}, 400, "X-Pagure-Topic is not the topic"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        ({"Content_Type": None}, 415, "application/json"),
        ({"Content_Encoding": "gzip"}, 415, "Content-Encoding"),
    ],
)
def test_refused_headers(door: Opened, headers: dict[str, str | None], status: int, words: str) -> None:
    answer = post(door, hook(), **headers)
    assert (answer.status_code, words in answer.json["reason"]) == (status, True), answer.json
    assert door.count() == 0


def test_the_database_takes_no_names_that_postgresql_would_not(journal: Journal, tmp_path: Path) -> None:
    add_keys(journal)
    door = opened(journal, tmp_path)
    for project in ("a\x00b", "\ud800", "x" * 5000):
        assert (
            post(door, hook(), X_Pagure_Project=project.encode("utf-8", "replace").decode()).status_code
            == 401
        )
    assert post(door, hook(), X_Pagure_Project="a\x00b").status_code == 401


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "has to be a JSON object"),
        (b"[" * 400_000, "nested too deeply"),
        (hook(topic=7), "has no topic"),
        (hook(topic=""), "has no topic"),
        (hook(topic="x" * 101), "at most 100 printable"),
        (hook(topic="a\x00b"), "at most 100 printable"),
        (hook(msg_id=None), "has no msg_id"),
        (hook(msg_id=["a"]), "has no msg_id"),
        (hook(msg_id="caf\xe9"), "at most 100 printable"),
        (hook(msg_id="a\nb"), "at most 100 printable"),
        (hook(timestamp=None), "no timestamp"),
        (hook(timestamp="1577836800"), "no timestamp"),
        (hook(timestamp=True), "no timestamp"),
        (hook(timestamp=-1), "no timestamp"),
        (hook(timestamp=10**99), "no timestamp"),
        (hook(timestamp=1e300), "no timestamp"),
    ],
)
def test_refused_bodies(door: Opened, body: bytes, words: str) -> None:
    answer = post(door, body)
    assert (answer.status_code, words in answer.json["reason"]) == (400, True), answer.json
    assert door.count() == 0


def test_more_than_is_taken(sqlite_journal: Journal, tmp_path: Path) -> None:
    add_keys(sqlite_journal)
    door = opened(sqlite_journal, tmp_path, limits={"body_bytes": 10_000})
    assert post(door, hook(msg={"text": "x" * 10_000})).status_code == 413
    assert post(door, hook(msg={"text": "x"})).status_code == 202


def test_only_posts_are_taken(door: Opened) -> None:
    assert door.client.get(HOOK).status_code == 405


@pytest.mark.parametrize("instance", [INSTANCE, f"{INSTANCE}/", "HTTPS://SRC.fedoraproject.org:443/"])
def test_an_address_may_be_spelt_in_several_ways(door: Opened, instance: str) -> None:
    assert post(door, hook(), X_Pagure=instance).status_code == 202


# -- keys --


def rotated(door: Opened, *, ago: timedelta = timedelta()) -> None:
    with door.journal.write() as session:
        assert hooks.rotate(session, INSTANCE, PROJECT, "N3W" * 14, by="dave")
        session.execute(
            update(HookKeyRow).where(HookKeyRow.project == PROJECT).values(rotated_at=now() - ago)
        )


def test_a_key_that_was_replaced_is_taken_for_a_day(door: Opened) -> None:
    rotated(door)
    assert post(door, hook(), "N3W" * 14).status_code == 202
    assert post(door, hook(), KEY).status_code == 202
    rotated(door, ago=timedelta(hours=25))
    assert post(door, hook(), "N3W" * 14).status_code == 202
    assert post(door, hook(), KEY).status_code == 401


def test_a_key_that_was_removed_is_taken_no_more(door: Opened) -> None:
    assert post(door, hook()).status_code == 202
    with door.journal.write() as session:
        assert hooks.remove(session, INSTANCE, PROJECT)
    assert post(door, hook()).status_code == 401


def test_keys_of_the_configuration(sqlite_journal: Journal, tmp_path: Path) -> None:
    """They come before those that were written down."""
    add_keys(sqlite_journal)
    key = "from the configuration"
    configured = {"instance": "https://SRC.fedoraproject.org/", "project": PROJECT, "key": key}
    door = opened(sqlite_journal, tmp_path, pagure={"hooks": [configured]})
    assert post(door, hook(), key).status_code == 202
    assert post(door, hook(), KEY).status_code == 401
    assert key in door.app.extensions["packit_worker"].settings.secrets()


def test_an_empty_key_is_none(door: Opened) -> None:
    with door.journal.write() as session:
        session.execute(update(HookKeyRow).values(key=""))
    assert post(door, hook(), "").status_code == 401


def test_no_key_is_in_a_log_or_an_answer(door: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [post(door, hook()), post(door, hook(), OTHER_KEY), post(door, hook(), X_Pagure_Topic="x")]
    right = signature(hook(msg_id="m"))
    answers.append(post(door, hook(msg_id="m"), "wrong"))
    (row,) = door.rows()
    seen = caplog.text + "".join(answer.text for answer in answers) + str(row.headers) + str(door.broker.sent)
    assert "a hook was refused" in caplog.text
    for secret in (KEY, OTHER_KEY, right):
        assert secret not in seen


# -- old ones --


@pytest.mark.parametrize(
    ("age", "decision"), [(0, "accepted"), (14 * 60, "accepted"), (-3600, "accepted"), (15 * 60 + 5, "held")]
)
def test_a_hook_that_was_signed_a_while_ago_is_held(door: Opened, age: int, decision: str) -> None:
    answer = post(door, hook(timestamp=int(time.time()) - age))
    assert (answer.status_code, answer.json["decision"]) == (202, decision)
    assert len(door.broker.sent) == (decision == "accepted")


def test_what_is_held_is_released_by_a_replay(door: Opened) -> None:
    body = hook(msg_id="old", timestamp=time.time() - 3600.5)
    answer = post(door, body)
    assert answer.json["decision"] == "held"
    assert "60 minutes before it came" in answer.json["reason"]
    (row,) = door.rows()
    assert (row.state, row.reason) == (State.HELD, answer.json["reason"])
    assert post(door, body).json["decision"] == "duplicate"
    assert door.broker.sent == []
    hints = Hints(door.broker)
    assert (
        "task.process_pull_request_pagure_event" in replay(door.journal, hints, row.id, dry_run=True).steps[0]
    )
    replay(door.journal, hints, row.id, dry_run=False)
    assert [task["task_id"] for task in door.broker.sent] == ["pagure:old"]
    assert door.rows()[0].state == State.READY


def test_what_is_ignored_is_not_held(door: Opened) -> None:
    answer = post(door, hook("issue.edit", timestamp=1))
    assert answer.json["decision"] == "ignored"


# -- the database --


def test_a_locked_database(door: Opened, sqlite_url: str) -> None:
    lock = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    answer = post(door, hook())
    assert (answer.status_code, time.monotonic() - started < 2) == (503, True)
    assert int(answer.headers["Retry-After"]) > 0
    lock.execute("ROLLBACK")
    lock.close()
    assert post(door, hook()).status_code == 202


def test_a_push_of_another_project_is_its_own(door: Opened) -> None:
    body = hook("git.receive", push(OTHER) | {"project_fullname": OTHER})
    assert post(door, body, OTHER_KEY, X_Pagure_Project=OTHER).status_code == 202
    assert json.loads(door.rows()[0].body or b"")["msg"]["repo"]["name"] == "teapot"
