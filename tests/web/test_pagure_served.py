"""A Pagure that really posts, to the door as it is served; and whatever is posted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from packit_worker.journal import Journal, hooks
from packit_worker.journal.deliveries import Delivery
from packit_worker.sandbox import Sandbox
from web.opening import Opened, patient
from web.pagure_hooks import HOOK, KEY, PROJECT, add_keys, hook, signed
from web.serving import Served
from web.whatever import MANY, anything, bodies, headers_of

HOOK_KEY = "k" * 40


def test_a_project_gets_its_key_while_the_door_is_open(
    sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    with Sandbox(auto=False) as sandbox, Served(sqlite_url, tmp_path) as served:
        pagure, url = sandbox.pagure, served.url + HOOK
        pagure.add_project("rpms/hello", owner="mia", files={"a": "b"}, hook_key=HOOK_KEY)
        pagure.open_pull_request("rpms/hello", author="bob", files={"x": "y"})
        told = [
            pagure.webhook(f"pull-request.{kind}", project="rpms/hello", pull_request=1)
            for kind in ("new", "updated")
        ]
        assert pagure.deliver(told[0], url).status_code == 401
        with sqlite_journal.write() as session:
            hooks.add(session, pagure.url, "rpms/hello", HOOK_KEY, by="carol")
        assert [pagure.deliver(one, url).status_code for one in told] == [202, 202]
        with sqlite_journal.write() as session:
            hooks.remove(session, pagure.url, "rpms/hello")
        assert pagure.deliver(told[1], url).status_code == 401
        log = served.log.read_text()
    with sqlite_journal.read() as session:
        ids = set(session.execute(select(Delivery.id)).scalars())
    assert ids == {f"pagure:{one.id}" for one in told}
    assert HOOK_KEY not in log


def test_bodies_that_are_too_large_or_endless(sqlite_url: str, tmp_path: Path) -> None:
    with Served(sqlite_url, tmp_path, limits={"body_bytes": 100_000}) as served:
        headers = signed(b"")

        def endless() -> Iterator[bytes]:
            for _ in range(1000):
                yield b"x" * 10_000

        assert (
            requests.post(served.url + HOOK, b"x" * 100_001, headers=headers, timeout=10).status_code == 413
        )
        started = time.monotonic()
        try:
            status = requests.post(served.url + HOOK, endless(), headers=headers, timeout=10).status_code
        except requests.ConnectionError:
            status = 413
        assert (status, time.monotonic() - started < 5) == (413, True)


# -- whatever is sent --

headers = headers_of(
    *("X-Pagure", "X-Pagure-Project", "X-Pagure-Topic", "X-Pagure-Signature", "X-Pagure-Signature-256"),
    *("Content-Type", "Content-Encoding", "User-Agent", "X-Hub-Signature-256"),
)


@pytest.fixture(scope="module")
def fuzzed(empty_journal: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "journal.sqlite").write_bytes(empty_journal.read_bytes())
    journal = Journal(f"sqlite:///{folder}/journal.sqlite")
    add_keys(journal)
    yield patient(journal, folder)
    journal.dispose()


@MANY
@given(headers=headers, body=bodies)
def test_strangers(fuzzed: Opened, headers: dict[str, str], body: bytes) -> None:
    before = fuzzed.count()
    for known in ({}, {"X-Pagure": "https://src.fedoraproject.org", "X-Pagure-Project": PROJECT}):
        answer = fuzzed.client.post(HOOK, data=body, headers=headers | known)
        assert 400 <= answer.status_code < 500
        assert answer.json["reason"]
    assert fuzzed.count() == before


@MANY
@given(headers=headers, body=bodies)
def test_who_knows_the_key(fuzzed: Opened, headers: dict[str, str], body: bytes) -> None:
    mine = signed(body, KEY)
    kept = {name: mine[name] for name in ("X-Pagure", "X-Pagure-Project", "X-Pagure-Signature-256")}
    assert 400 <= fuzzed.client.post(HOOK, data=body, headers=mine | headers | kept).status_code < 500


@MANY
@given(
    envelope=st.dictionaries(
        st.sampled_from(["topic", "msg_id", "timestamp", "i", "msg"]), anything, max_size=3
    ),
    msg=st.dictionaries(st.text(max_size=20), anything, max_size=4),
)
def test_any_envelope_that_is_signed(fuzzed: Opened, envelope: dict[str, Any], msg: dict[str, Any]) -> None:
    body = hook(**({"msg": msg} | envelope))
    answer = fuzzed.client.post(HOOK, data=body, headers=signed(body))
    assert answer.status_code in (202, 400, 401)
    if answer.status_code == 202:
        page = answer.json["details"].removeprefix("https://packit.example")
        assert fuzzed.client.get(page).status_code == 200
