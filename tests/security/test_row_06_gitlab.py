"""Row 6 on GitLab: a token opens the door for its own project or group, whatever the headers and the body say."""

from __future__ import annotations

import hmac
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web.gitlab_hooks import (
    HOOK,
    INSTANCE,
    OTHER,
    OTHER_TOKEN,
    PROJECT,
    TOKEN,
    add_tokens,
    hook,
    repository,
    sent,
)
from web.opening import Opened, opened

from packit_worker import startup
from packit_worker.journal import Journal
from packit_worker.journal.base import State
from packit_worker.web.signatures import refusal_of_gitlab_token


@pytest.fixture
def door(sqlite_url: str, tmp_path: Path) -> Iterator[Opened]:
    """A door that knows two projects; the attacker has the token of the first."""
    journal = Journal(sqlite_url, timeout=0.8)
    add_tokens(journal)
    yield opened(journal, tmp_path)
    journal.dispose()


def post(door: Opened, body: bytes, token: str | None = TOKEN, **headers: str | None) -> Any:
    return door.client.post(HOOK, data=body, headers=sent(token, **headers))


@pytest.mark.parametrize(
    "project",
    [
        repository(OTHER),
        repository(OTHER) | {"path_with_namespace": PROJECT},
        repository() | {"path_with_namespace": OTHER},
        repository() | {"web_url": f"{INSTANCE}/{OTHER}"},
        repository() | {"web_url": f"{INSTANCE}.evil.example/{PROJECT}"},
        repository() | {"web_url": f"https://evil.example/{PROJECT}"},
        repository() | {"web_url": f"{INSTANCE}/x/{PROJECT}"},
        repository() | {"web_url": None},
        repository() | {"web_url": PROJECT},
        repository() | {"web_url": f"/{PROJECT}"},
        repository() | {"web_url": [f"{INSTANCE}/{PROJECT}"]},
        repository() | {"path_with_namespace": None},
        repository() | {"path_with_namespace": ""},
        repository() | {"path_with_namespace": {}},
        repository() | {"path_with_namespace": "kettle"},
        repository(PROJECT.upper()),
        repository(f"{PROJECT}/../../{OTHER}"),
        repository(f"{PROJECT}//x"),
        repository("/".join(["teapots"] * 40)),
        [],
        "text",
        None,
        7,
    ],
)
def test_a_token_is_good_for_its_own_project_only(door: Opened, project: Any) -> None:
    answer = post(door, hook(project=project))
    assert answer.status_code == 401
    assert door.count() == 0


def test_no_header_chooses_another_token(door: Opened) -> None:
    """What GitLab says of itself in headers anybody can say."""
    body = hook(project=repository(OTHER))
    for headers in ({"X_Gitlab_Instance": f"{INSTANCE}/{PROJECT}"}, {"X_Gitlab_Webhook_UUID": PROJECT}):
        assert post(door, body, **headers).status_code == 401
    assert post(door, body, OTHER_TOKEN).status_code == 202


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("Push Hook", {"project": repository() | {"web_url": f"{INSTANCE}/{PROJECT}.git"}}),
        ("Push Hook", {"project": repository() | {"web_url": f"{INSTANCE}/{PROJECT}?x=/{PROJECT}"}}),
    ],
)
def test_what_the_door_and_the_parser_could_take_for_two_projects(
    door: Opened, tmp_path: Path, event: str, body: dict[str, Any]
) -> None:
    answer = post(door, hook(**body), X_Gitlab_Event=event)
    if answer.status_code != 401:
        worker = startup.worker(door.app.extensions["packit_worker"].settings)
        worker.app.tasks["task.parse_message"](delivery_id=door.rows()[0].id)
        assert door.rows()[0].state == State.MALFORMED
        worker.heart.stop()
        worker.shop.journal.dispose()


def test_tokens_that_are_not_it(door: Opened) -> None:
    chance = random.Random(1)
    given = [
        *(
            "",
            " ",
            "é",
            "a" * 10_000,
            TOKEN.lower(),
            TOKEN[:-1],
            TOKEN + "0",
            f"{TOKEN},{TOKEN}",
            OTHER_TOKEN,
        ),
        *("Bearer " + TOKEN, "\x80" * 42, None),
        *("".join(chance.choices("K3TTLEé\xff", k=42)) for _ in range(100)),
    ]
    for one in given:
        assert post(door, hook(), one).status_code == 401, one
    for elsewhere in ("Authorization", "X-Gitlab-Secret", "X_Hub_Signature_256", "Private-Token"):
        assert post(door, hook(), None, **{elsewhere: TOKEN}).status_code == 401
    assert door.client.post(f"{HOOK}?token={TOKEN}", data=hook(), headers=sent(None)).status_code == 401
    assert door.count() == 0


def test_an_unknown_project_is_answered_like_a_wrong_token(door: Opened) -> None:
    wrong = post(door, hook(), "wrong")
    for project in (repository("teapots/copper/nobody"), repository(instance="https://nowhere.example"), []):
        answer = post(door, hook(project=project), "wrong")
        assert (answer.status_code, answer.json) == (wrong.status_code, wrong.json)
        assert set(answer.headers) == set(wrong.headers)


@pytest.mark.parametrize("keys", [(), ("a",), ("a", "b"), ("", "b"), ("a", "b", "c", "d")])
def test_as_many_comparisons_whatever_is_known(
    monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest

    def counted(given: bytes, key: bytes) -> bool:
        compared.append(key)
        return real(given, key)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    assert refusal_of_gitlab_token(keys, 3, "wrong") is not None
    assert len(compared) == 6
    assert b"" not in compared
    for key in filter(None, keys):
        assert refusal_of_gitlab_token(keys, 3, key) is None
