"""A database that is away, locked or frozen: 503 within a second, and never a false success."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from packit_worker.journal import JournalUnavailable
from packit_worker.web import create_app
from packit_worker.web.door import Patient

from .opening import BODY, RESULTS, TOKEN, WEBHOOK, Opened, settings_for, signed
from .serving import free_port


def assert_is_away(answer: TestResponse, started: float) -> None:
    assert time.monotonic() - started < 1.0
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "send this again" in answer.text


def test_a_locked_database(door: Opened, sqlite_url: str) -> None:
    lock = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    started = time.monotonic()
    assert_is_away(door.webhook(X_GitHub_Delivery="guid-1"), started)
    started = time.monotonic()
    assert_is_away(door.client.post(RESULTS, json={"request_id": "1", "token": TOKEN}), started)
    assert door.broker.sent == []
    lock.execute("ROLLBACK")
    lock.close()
    assert door.webhook(X_GitHub_Delivery="guid-1").json["decision"] in ("accepted", "duplicate")
    # What was told to have failed may have been kept after all; sent again it is one and the same.
    assert [row.id for row in door.rows() if row.source == "github"] == ["guid-1"]


def test_many_before_a_locked_database(door: Opened, sqlite_url: str) -> None:
    lock = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")

    def post(number: int) -> tuple[int, float]:
        started = time.monotonic()
        return door.webhook(b'{"n": %d}' % number).status_code, time.monotonic() - started

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(60)))
    lock.close()
    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < 1.5
    assert door.webhook().status_code == 202


@pytest.mark.parametrize("path", ["/", "/deliveries/1", "/events/1"])
def test_pages_say_so_too(tmp_path: Path, path: str) -> None:
    app = create_app(settings_for(f"postgresql://127.0.0.1:{free_port()}/none", tmp_path))
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (503, "text/html")


def test_nobody_listens(tmp_path: Path) -> None:
    client = create_app(settings_for(f"postgresql://127.0.0.1:{free_port()}/none", tmp_path)).test_client()
    started = time.monotonic()
    assert_is_away(client.post(WEBHOOK, data=BODY, headers=signed(BODY)), started)


def test_a_frozen_database(tmp_path: Path) -> None:
    """It takes connections, as the kernel does for a process that is stopped, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        url = f"postgresql://127.0.0.1:{frozen.getsockname()[1]}/none"
        client = create_app(settings_for(url, tmp_path)).test_client()
        for _ in range(3):
            started = time.monotonic()
            assert_is_away(client.post(WEBHOOK, data=BODY, headers=signed(BODY)), started)
            assert client.get("/api/healthz/ready").status_code == 503
            assert client.get("/api/healthz").status_code == 200


def test_a_line_that_moves_is_waited_in() -> None:
    patient = Patient(1, "test")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: patient.ask(lambda: _slowly(n)), range(8))) == list(range(8))


def _slowly(answer: int) -> int:
    time.sleep(0.3)
    return answer


def test_who_was_stuck_is_asked_again_when_it_answers() -> None:
    patient, answers = Patient(1, "test"), threading.Event()
    with pytest.raises(JournalUnavailable):
        patient.ask(answers.wait)
    started = time.monotonic()
    with pytest.raises(JournalUnavailable):
        patient.ask(lambda: None)
    assert time.monotonic() - started < 0.5
    answers.set()
    time.sleep(0.05)
    assert patient.ask(lambda: "well") == "well"


def test_an_error_of_the_question_is_the_asker_s() -> None:
    def broken() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        Patient(1, "test").ask(broken)
