"""Whatever is sent: never a 5xx, and never a row without a valid signature or token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web.opening import RESULTS, TOKEN, WEBHOOK, Opened, patient, signature
from web.whatever import MANY, anything, bodies, headers_of

from packit_worker.journal import Journal

headers = headers_of(
    *("X-Hub-Signature-256", "X-Hub-Signature", "X-GitHub-Event", "X-GitHub-Delivery", "Content-Type"),
    *("Content-Encoding", "User-Agent", "X-GitHub-Hook-ID", "Accept", "Cookie", "Authorization", "Range"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Origin", "Content-Language", "Expect"),
)


@pytest.fixture(scope="module")
def door(empty_journal: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "journal.sqlite").write_bytes(empty_journal.read_bytes())
    journal = Journal(f"sqlite:///{folder}/journal.sqlite")
    yield patient(journal, folder)
    journal.dispose()


@MANY
@given(headers=headers, body=bodies, path=st.sampled_from([WEBHOOK, RESULTS]))
def test_strangers(door: Opened, headers: dict[str, str], body: bytes, path: str) -> None:
    before = door.count()
    answer = door.client.post(path, data=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.json["reason"]
    assert door.count() == before


@MANY
@given(headers=headers, body=bodies)
def test_who_knows_the_secret(door: Opened, headers: dict[str, str], body: bytes) -> None:
    usual = {"Content-Type": "application/json", "X-GitHub-Event": "pull_request"}
    answer = door.client.post(
        WEBHOOK, data=body, headers=usual | headers | {"X-Hub-Signature-256": signature(body)}
    )
    assert answer.status_code < 500
    if answer.status_code == 202:
        assert (
            door.client.get(answer.json["details"].removeprefix("https://packit.example")).status_code == 200
        )


@MANY
@given(
    found=st.dictionaries(st.text(max_size=20), anything, max_size=4), request_id=anything, pipeline=anything
)
def test_who_knows_the_token(
    door: Opened, found: dict[str, object], request_id: object, pipeline: object
) -> None:
    body = json.dumps(found | {"request_id": request_id, "pipeline": pipeline, "token": TOKEN})
    assert door.client.post(RESULTS, data=body).status_code in (202, 400)


@MANY
@given(path=st.text(max_size=60), query=st.text(max_size=60))
def test_any_address(door: Opened, path: str, query: str) -> None:
    for folder in ("/", "/deliveries/", "/events/", "/projects/", "/replay/", "/static/", "/api/"):
        questions = dict.fromkeys(("after", "q", "about", "below", "page", "state"), query)
        answer = door.client.get(folder + quote(path.lstrip("/")), query_string=questions)
        assert answer.status_code < 500
