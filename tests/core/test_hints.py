"""Hints: a broker that is away or frozen costs moments, and nothing is lost with it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journal.rows import deliver, happen, row, want, wanted
from kombu.transport import memory
from sqlalchemy import update

from packit_worker.broker.celery_app import create_app
from packit_worker.broker.embedded import EmbeddedBroker, redis_program
from packit_worker.broker.hints import Hints
from packit_worker.journal import Journal
from packit_worker.journal.base import now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.sweeping.sweeper import sweep

from .making import a_shop

needs_redis = pytest.mark.skipif(redis_program() is None, reason="there is no redis-server here")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "broker") as running:
        yield running


def nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


def test_a_broker_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    hints = Hints(create_app(nobody_listens()))
    begun = time.monotonic()
    assert not hints.delivery("d", "github", "push")
    assert time.monotonic() - begun < 5
    assert "the broker is away, the sweeper will send task.parse_message d again" in caplog.text


@needs_redis
def test_a_broker_that_is_frozen(broker: EmbeddedBroker) -> None:
    hints = Hints(create_app(broker.url))
    assert hints.check("c")
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert not hints.check("c")
        assert time.monotonic() - begun < 8
        background = Hints(create_app(broker.url), in_background=True)
        begun = time.monotonic()
        assert background.check("c")
        assert time.monotonic() - begun < 0.5, "the door waits for nobody"
    finally:
        os.kill(broker.pid, signal.SIGCONT)


class Slow(Hints):
    """Its broker takes as long as the test wants."""

    def __init__(self, **options: Any) -> None:
        super().__init__(create_app("memory://"), **options)
        self.go_on = threading.Event()
        self.is_busy = threading.Event()
        self.sent: list[str] = []

    def _publish(self, task: str, lane: str, task_id: str, *_: Any) -> bool:
        self.is_busy.set()
        self.go_on.wait(10)
        self.sent.append(task_id)
        return True


def test_a_full_backlog_is_left_to_the_sweeper(caplog: pytest.LogCaptureFixture) -> None:
    hints = Slow(in_background=True, backlog=2)
    assert hints.check("0")
    assert hints.is_busy.wait(10)
    assert [hints.check(str(number)) for number in (1, 2, 3)] == [True, True, False]
    assert "the hint of task.show_check 3 is left to the sweeper" in caplog.text
    hints.go_on.set()
    while len(hints.sent) < 3:
        time.sleep(0.01)
    assert hints.sent == ["0", "1", "2"]


def test_a_bug_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """What is accepted has been accepted, and what cannot be sent does not stand in the way of the rest."""
    memory.Channel.queues.clear()
    hints = Hints(create_app("memory://"))
    assert hints._publish("task.show_check", "report", "c", {"check_id": object()})
    assert "could not be sent" in caplog.text


def test_hints_are_flat_and_carry_ids(journal: Journal) -> None:
    memory.Channel.queues.clear()
    hints = Hints(create_app("memory://"))
    happen(journal, "e")
    assert hints.row(row(journal, EventRow, "e"))
    (queued,) = memory.Channel.queues["short-running"].queue
    message = queued if isinstance(queued, dict) else __import__("json").loads(queued)
    assert message["headers"]["id"] == "e"
    assert message["headers"]["task"] == "task.process_pull_request_GH_event"


def _overdue(journal: Journal) -> None:
    with journal.write() as session:
        for model in (Delivery, EventRow, CheckRow):
            session.execute(update(model).values(hinted_at=now() - timedelta(minutes=10)))


def test_the_sweeper_and_a_broker_that_stays_away(journal: Journal, tmp_path: Path) -> None:
    """Patience grows with hints that were given, not with those that nobody ever got."""
    deliver(journal, *[f"d{number}" for number in range(5)])
    happen(journal, "e")
    (check,) = want(journal, wanted())
    shop = a_shop(journal, tmp_path, hints=Hints(create_app(nobody_listens())))
    _overdue(journal)
    begun = time.monotonic()
    for _ in range(4):
        assert sweep(shop) == 0
    assert time.monotonic() - begun < 20, "one call a round finds out"
    assert {row(journal, Delivery, f"d{number}").hints for number in range(5)} <= {0, 1}
    memory.Channel.queues.clear()
    assert sweep(a_shop(journal, tmp_path)) == 7, "it is back"
    assert sweep(a_shop(journal, tmp_path)) == 0
    assert row(journal, CheckRow, check).hints == 2


def test_the_sweeper_goes_on_behind_a_hint_that_has_a_bug(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    happen(journal, "sick", "a", kwargs={"x": {"__type__": "datetime", "__value__": "nonsense"}})
    happen(journal, "well", "b")
    memory.Channel.queues.clear()
    _overdue(journal)
    assert sweep(a_shop(journal, tmp_path)) == 2
