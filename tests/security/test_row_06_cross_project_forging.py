"""Row 6: the headers of Pagure are unsigned, so that a project's key opens nothing but the project's own door."""

from __future__ import annotations

import hashlib
import hmac
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
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
    pull_request,
    push,
    signature,
    signed,
)

from packit_worker import startup
from packit_worker.journal import Journal
from packit_worker.journal.base import State
from packit_worker.web.signatures import refusal_of_pagure_signature

#: For the project whose key the attacker has not.
THEIRS = {"project_fullname": OTHER}


@pytest.fixture
def door(sqlite_url: str, tmp_path: Path) -> Iterator[Opened]:
    """A door that knows two projects; the attacker has the key of the first."""
    journal = Journal(sqlite_url, timeout=0.8)
    add_keys(journal)
    yield opened(journal, tmp_path)
    journal.dispose()


def post(door: Opened, body: bytes, key: str = KEY, **headers: str | None) -> Any:
    return door.client.post(HOOK, data=body, headers=signed(body, key, **headers))


@pytest.mark.parametrize(
    ("msg", "headers"),
    [
        (pull_request(OTHER) | THEIRS, {}),
        (pull_request(OTHER) | THEIRS, {"X_Pagure_Project": OTHER}),
        (pull_request(OTHER), {"X_Pagure_Project": OTHER}),
        (pull_request() | {"project_fullname": None}, {}),
        (pull_request() | {"project_fullname": [PROJECT]}, {}),
        (pull_request() | {"project_fullname": PROJECT + "/"}, {}),
        (pull_request() | {"project_fullname": PROJECT.upper()}, {}),
        (pull_request() | {"pagure_instance": "https://pagure.io"}, {}),
        (pull_request() | {"pagure_instance": None}, {}),
        (pull_request() | {"pagure_instance": {}}, {}),
        (pull_request() | {"pagure_instance": INSTANCE + ".evil.example"}, {}),
        (pull_request() | {"pagure_instance": INSTANCE + "@evil.example"}, {}),
    ],
)
def test_the_key_of_one_project_for_another(
    door: Opened, msg: dict[str, Any], headers: dict[str, str | None]
) -> None:
    answer = post(door, hook(msg=msg), **headers)
    assert answer.status_code == 401
    assert door.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        *(hook(msg=msg) for msg in ([], [PROJECT], "text", 7, True)),
        hook().replace(b'"msg":', b'"gsm":'),
        b'{"msg": null}',
        b"{}",
    ],
)
def test_a_signed_body_that_speaks_for_nobody(door: Opened, body: bytes) -> None:
    assert post(door, body).status_code == 401
    assert door.count() == 0


@pytest.mark.parametrize(
    ("topic", "msg"), [("pull-request.new", pull_request(OTHER)), ("git.receive", push(OTHER))]
)
def test_in_one_s_own_name_about_another(
    door: Opened, tmp_path: Path, topic: str, msg: dict[str, Any]
) -> None:
    """The envelope is right, so the door takes it; the parser sees that the content is another project's."""
    assert post(door, hook(topic, msg)).json["decision"] == "accepted"
    worker = startup.worker(door.app.extensions["packit_worker"].settings)
    worker.app.tasks["task.parse_message"](delivery_id=door.rows()[0].id)
    (row,) = door.rows()
    assert row.state == State.MALFORMED
    assert "is not the project in whose name the hook was sent" in (row.reason or "")
    worker.heart.stop()
    worker.shop.journal.dispose()


def test_a_topic_that_was_not_signed(door: Opened) -> None:
    """What a pull request's author may cause to be sent shall not count as what its maintainer does."""
    body = hook("pull-request.comment.added")
    assert post(door, body, X_Pagure_Topic="git.receive").status_code == 400
    assert door.count() == 0
    post(door, body)
    assert door.rows()[0].event_type == "pull-request.comment.added"


# -- what row 1 to 4 say of GitHub --


def test_one_flipped_bit_anywhere(door: Opened) -> None:
    body = hook()
    headers = signed(body)
    for place in range(0, len(body), 7):
        flipped = bytearray(body)
        flipped[place] ^= 1
        assert door.client.post(HOOK, data=bytes(flipped), headers=headers).status_code == 401
    assert door.count() == 0


def test_headers_that_do_not_prove_it(door: Opened) -> None:
    body = hook()
    right = signature(body)
    chance = random.Random(1)
    given = [
        *(
            "",
            " ",
            "é",
            "=",
            "0" * 64,
            "a" * 10_000,
            right.upper(),
            right[:-1],
            right + "0",
            f"sha256={right}",
        ),
        *(f"{right},{right}", signature(b""), signature(body, OTHER_KEY), signature(body, ""), "\x80" * 64),
        *("".join(chance.choices("0123456789abcdefé\xff", k=64)) for _ in range(100)),
    ]
    for one in given:
        assert post(door, body, X_Pagure_Signature_256=one).status_code == 401, one
    assert door.count() == 0


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha512"])
def test_a_right_signature_of_another_algorithm(door: Opened, algorithm: str) -> None:
    body = hook()
    given = hmac.new(KEY.encode(), body, algorithm).hexdigest()
    assert post(door, body, X_Pagure_Signature_256=None, X_Pagure_Signature=given).status_code == 401
    assert post(door, body, X_Pagure_Signature_256=given).status_code == 401
    assert post(door, body, X_Pagure_Signature="wrong").status_code == 202


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 400_000, b"", b"[]"])
def test_nothing_is_parsed_for_a_stranger(door: Opened, body: bytes) -> None:
    """Each of these bodies is answered with 400 as soon as somebody parses it."""
    assert post(door, body, "another key").status_code == 401
    assert post(door, body, X_Pagure_Signature_256=None, Content_Type="text/plain").status_code == 401
    assert post(door, body).status_code == 400


# -- what a stranger may learn --


def test_an_unknown_project_is_answered_like_a_wrong_key(door: Opened) -> None:
    body = hook()
    wrong = post(door, body, "wrong")
    unknown = post(door, body, "wrong", X_Pagure_Project="rpms/nobody")
    elsewhere = post(door, body, "wrong", X_Pagure="https://nowhere.example")
    for answer in (unknown, elsewhere):
        assert (answer.status_code, answer.json) == (wrong.status_code, wrong.json)
        assert set(answer.headers) == set(wrong.headers)


def test_an_unknown_project_takes_as_long_as_a_wrong_key(door: Opened) -> None:
    """Processor time, so that a busy machine does not count: medians of many, taken in turns.

    A key more or less to compute with would be a difference of a third.
    """
    body = hook(msg=pull_request() | {"filling": "x" * 2_000_000})
    headers = {
        project: signed(body, "wrong", X_Pagure_Project=project) for project in (PROJECT, "rpms/nobody")
    }
    taken: dict[str, list[float]] = {project: [] for project in headers}
    for _ in range(60):
        for project, with_it in headers.items():
            started = time.process_time()
            assert door.client.post(HOOK, data=body, headers=with_it).status_code == 401
            taken[project].append(time.process_time() - started)
    known, unknown = (statistics.median(taken[project]) for project in headers)
    assert abs(known - unknown) < 0.2 * max(known, unknown), (known, unknown)


@pytest.mark.parametrize("keys", [(), ("a",), ("a", "b"), ("", "b")])
def test_as_many_digests_whatever_is_known(monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]) -> None:
    made: list[str] = []
    real = hmac.new

    def counted(key: bytes, *rest: Any) -> Any:
        made.append(key.decode())
        return real(key, *rest)

    monkeypatch.setattr(hmac, "new", counted)
    assert refusal_of_pagure_signature(keys, b"body", "0" * 64) is not None
    assert len(made) == 2
    assert "" not in made
    for key in filter(None, keys):
        right = real(key.encode(), b"body", hashlib.sha256).hexdigest()
        assert refusal_of_pagure_signature(keys, b"body", right) is None
