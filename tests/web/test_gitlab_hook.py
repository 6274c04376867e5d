"""Every answer of the door for GitLab."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from packit_worker.journal import Journal, hooks
from packit_worker.journal.base import State, now
from packit_worker.journal.hooks import HookKeyRow
from web.gitlab_hooks import HOOK, INSTANCE, OTHER, PROJECT, TOKEN, add_tokens, hook, repository, sent
from web.opening import Opened, patient


@pytest.fixture
def door(sqlite_journal: Journal, tmp_path: Path) -> Opened:
    """A door that knows two projects of a GitLab."""
    add_tokens(sqlite_journal)
    return patient(sqlite_journal, tmp_path)


def post(door: Opened, body: bytes, token: str | None = TOKEN, **headers: str | None) -> Any:
    return door.client.post(HOOK, data=body, headers=sent(token, **headers))


def test_a_hook_is_on_disk_when_it_is_accepted(door: Opened) -> None:
    body = hook()
    answer = post(door, body, Idempotency_Key="f5e5f430")
    assert answer.status_code == 202
    assert answer.json == {
        "decision": "accepted",
        "reason": None,
        "delivery": "gitlab:f5e5f430",
        "details": "https://packit.example/deliveries/gitlab:f5e5f430",
    }
    (row,) = door.rows()
    assert (row.source, row.event_type, row.body, row.state) == ("gitlab", "Push Hook", body, State.READY)
    assert {name.lower() for name in row.headers} == {
        *("content-type", "user-agent", "idempotency-key"),
        *("x-gitlab-event", "x-gitlab-event-uuid", "x-gitlab-instance"),
    }
    assert [task["task_id"] for task in door.broker.sent] == ["gitlab:f5e5f430"]


def test_a_retry_is_a_duplicate(door: Opened) -> None:
    decisions = [post(door, hook(), Idempotency_Key="one").json["decision"] for _ in range(2)]
    assert decisions == ["accepted", "duplicate"]


def test_before_there_were_keys_the_body_stands_for_the_delivery(door: Opened) -> None:
    """One request can cause several events, which then share X-Gitlab-Event-UUID."""
    both = {"Idempotency_Key": None, "X_Gitlab_Event_UUID": "one"}
    first = post(door, hook(), **both)
    other = post(door, hook(ref="refs/heads/devel"), **both)
    again = post(door, hook(), **(both | {"X_Gitlab_Event_UUID": None}))
    assert [one.json["decision"] for one in (first, other, again)] == ["accepted", "accepted", "duplicate"]


def test_the_same_body_under_another_key_is_held(door: Opened) -> None:
    post(door, hook())
    answer = post(door, hook())
    assert (answer.status_code, answer.json["decision"]) == (202, "held")
    assert answer.json["reason"].startswith("suspected replay")


@pytest.mark.parametrize("kind", ["Pipeline Hook", "Issue Hook", "Deployment Hook", "whatever"])
def test_kinds_that_nobody_parses_are_ignored(door: Opened, kind: str) -> None:
    assert post(door, hook(), X_Gitlab_Event=kind).json["decision"] == "ignored"
    assert door.broker.sent == []


def test_a_token_of_a_group_covers_the_projects_below_it(door: Opened) -> None:
    with door.journal.write() as session:
        hooks.add(session, INSTANCE, "gnomes", "the token of a group", by="carol")
    for project in ("gnomes/hat", "gnomes/tools/saw", "gnomes/a/b/c/d"):
        answer = post(door, hook(project=repository(project)), "the token of a group")
        assert answer.json["decision"] == "accepted", project
    for project in ("gnomes2/hat", "agnomes/hat", "other/gnomes", "gnomes"):
        body = hook(project=repository(project))
        assert post(door, body, "the token of a group").status_code == 401, project


def test_tokens_in_the_configuration(sqlite_journal: Journal, tmp_path: Path) -> None:
    listed = [{"instance": f"{INSTANCE}/", "project": "gnomes", "key": "from the configuration"}]
    door = patient(sqlite_journal, tmp_path, gitlab={"hooks": listed})
    body = hook(project=repository("gnomes/hat"))
    assert post(door, body, "from the configuration").status_code == 202
    assert post(door, body, "another").status_code == 401


def test_the_token_before_is_taken_for_a_day(door: Opened) -> None:
    with door.journal.write() as session:
        hooks.rotate(session, INSTANCE, PROJECT, "the new token", by="carol")
    assert post(door, hook()).status_code == 202
    assert post(door, hook(ref="refs/heads/x"), "the new token").status_code == 202
    with door.journal.write() as session:
        session.execute(update(HookKeyRow).values(rotated_at=now() - timedelta(days=1, seconds=1)))
    assert post(door, hook()).status_code == 401


def test_a_gitlab_below_a_path(door: Opened) -> None:
    home = "https://example.org/gitlab"
    with door.journal.write() as session:
        hooks.add(session, home, PROJECT, "a token of its own", by="carol")
    body = hook(project=repository(instance=home))
    assert post(door, body, "a token of its own").status_code == 202
    assert post(door, body, TOKEN).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Encoding": "gzip"}, 415),
        ({"X_Gitlab_Event": None}, 400),
        ({"X_Gitlab_Event": "x" * 101}, 400),
        ({"Idempotency_Key": "x" * 101}, 400),
        ({"Idempotency_Key": "é"}, 400),
    ],
)
def test_what_has_to_be_corrected(door: Opened, headers: dict[str, str | None], status: int) -> None:
    answer = post(door, hook(), **headers)
    assert answer.status_code == status
    assert answer.json["error"]
    assert door.count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 400_000])
def test_bodies_that_are_no_object(door: Opened, body: bytes) -> None:
    assert post(door, body).status_code == 400
    assert post(door, body, None).status_code == 401, "nothing is parsed for who brings no token"
    assert door.count() == 0


def test_a_body_that_is_too_long(door: Opened) -> None:
    assert post(door, hook(filling="x" * (4 * 1024 * 1024))).status_code == 413


def test_only_posts(door: Opened) -> None:
    assert door.client.get(HOOK).status_code == 405


def test_the_token_is_in_no_log_and_no_answer(door: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [
        post(door, hook()),
        post(door, hook(project=repository(OTHER))),
        post(door, hook(), "wrong-token"),
    ]
    assert TOKEN not in caplog.text and "wrong-token" not in caplog.text
    for answer in answers:
        assert TOKEN not in answer.text
    (row,) = door.rows()
    assert TOKEN not in json.dumps(dict(row.headers))
