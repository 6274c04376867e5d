"""The reader of a local message feed, with the sandbox's bus."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fedora_messaging.exceptions import Nack
from fedora_messaging.message import Message
from sqlalchemy import select
from web.serving import free_port

from packit_worker.bus.feed import Feed
from packit_worker.journal import Journal
from packit_worker.journal.deliveries import Delivery
from packit_worker.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(auto=False) as running:
        yield running


@contextmanager
def reading(feed: Feed) -> Iterator[None]:
    thread = threading.Thread(target=feed.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        feed._is_stopping = True
        thread.join(timeout=10)
        assert not thread.is_alive()


def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_messages_are_handed_on_in_order_and_once(sandbox: Sandbox) -> None:
    got: list[Message] = []
    sandbox.bus.publish("a.topic", {"n": 1}, id="m-1")
    with reading(Feed(sandbox.bus.url, got.append, wait=0.2)):
        until(lambda: len(got) == 1)
        sandbox.bus.publish("a.topic", {"n": 2}, id="m-2")
        until(lambda: len(got) == 2)
        time.sleep(0.5)
    assert [(one.id, one.topic, one.body) for one in got] == [
        ("m-1", "a.topic", {"n": 1}),
        ("m-2", "a.topic", {"n": 2}),
    ]
    assert str(got[0]._headers["sent-at"]).startswith("20")


def test_what_is_put_back_is_read_again(sandbox: Sandbox) -> None:
    got: list[str] = []

    def callback(message: Message) -> None:
        got.append(message.id)
        if len(got) == 2:
            raise Nack

    for number in (1, 2, 3):
        sandbox.bus.publish("a.topic", {}, id=f"m-{number}")
    with reading(Feed(sandbox.bus.url, callback, wait=0.2)):
        until(lambda: len(got) == 4)
    assert got == ["m-1", "m-2", "m-2", "m-3"]


def test_a_feed_that_is_away_is_waited_for() -> None:
    got: list[str] = []
    port = free_port()
    feed = Feed(f"http://127.0.0.1:{port}", lambda message: got.append(message.id), wait=0.2)
    with reading(feed):
        time.sleep(0.5)
        assert got == []


def test_the_program_records_and_stops_on_sigterm(sandbox: Sandbox, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "service.yaml"
    settings = {"database_url": sqlite_url, "data_dir": str(tmp_path), "broker_url": "memory://"}
    file.write_text(json.dumps(settings | {"bus": {"feed_url": sandbox.bus.url}}))
    sandbox.bus.publish("org.fedoraproject.prod.copr.build.end", {"build": 1}, id="m-1")
    journal = Journal(sqlite_url)

    def recorded() -> list[str]:
        with journal.read() as session:
            return list(session.execute(select(Delivery.id)).scalars())

    process = subprocess.Popen(
        [sys.executable, "-m", "packit_worker.bus.feed"],
        env=os.environ | {"PACKIT_WORKER_CONFIG": str(file)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: bool(recorded()), 30)
        assert recorded() == ["fedora-messaging:m-1"]
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        _, errors = process.communicate(timeout=10)
        assert time.monotonic() - started < 3
        assert process.returncode == 0, errors
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        journal.dispose()
