"""Pagure tells a fact by a hook and over the bus, with different ids: one event comes of it, however the two come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fedora_messaging.message import Message
from sqlalchemy import select

from packit_worker import startup
from packit_worker.broker.hints import Hints
from packit_worker.bus import Consumer
from packit_worker.intake import Intake
from packit_worker.journal import Journal
from packit_worker.journal.base import State
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from web.opening import Recorder, patient, settings_for
from web.pagure_hooks import HOOK, add_keys, hook, pull_request, push, signed

TOLD = [
    ("pull-request.new", pull_request()),
    ("pull-request.updated", pull_request()),
    ("pull-request.rebased", pull_request()),
    ("pull-request.reopened", pull_request()),
    ("pull-request.comment.added", pull_request()),
    (
        "pull-request.comment.edited",
        pull_request()
        | {"comment": {"id": 2, "comment": "/packit test", "user": {"name": "a"}, "edited_on": "1577836805"}},
    ),
    ("git.receive", push()),
]
THE_SAME = "the same fact came in another delivery"


class Service:
    """Both doors, and a worker that parses."""

    def __init__(self, journal: Journal, folder: Path) -> None:
        self.journal = journal
        add_keys(journal)
        self._door = patient(journal, folder)
        self._consumer = Consumer(Intake(journal, Hints(Recorder()), replay_window=timedelta(days=7)))
        url = journal.url.render_as_string(hide_password=False)
        self.worker = startup.worker(settings_for(url, folder))

    def hook(self, topic: str, msg: dict[str, Any], **changes: Any) -> str:
        """The hook comes; returns the delivery."""
        body = hook(topic, msg, **changes)
        answer = self._door.client.post(HOOK, data=body, headers=signed(body))
        assert answer.status_code == 202
        return str(answer.json["delivery"])

    def bus(self, topic: str, msg: dict[str, Any]) -> str:
        """The message comes; returns the delivery."""
        message = Message(topic=f"org.fedoraproject.prod.pagure.{topic}", body=msg)
        self._consumer(message)
        return f"fedora-messaging:{message.id}"

    def parse(self, delivery_id: str) -> None:
        self.worker.app.tasks["task.parse_message"](delivery_id=delivery_id)

    def end_of(self, delivery_id: str) -> tuple[str, str | None]:
        with self.journal.read() as session:
            row = session.get_one(Delivery, delivery_id)
        return row.state, row.reason

    def events(self) -> list[EventRow]:
        with self.journal.read() as session:
            return list(session.execute(select(EventRow)).scalars())

    def close(self) -> None:
        self.worker.heart.stop()
        self.worker.shop.journal.dispose()


@pytest.fixture
def service(sqlite_journal: Journal, tmp_path: Path) -> Iterator[Service]:
    made = Service(sqlite_journal, tmp_path)
    yield made
    made.close()


@pytest.fixture
def on_each_database(journal: Journal, tmp_path: Path) -> Iterator[Service]:
    made = Service(journal, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(("topic", "msg"), TOLD)
@pytest.mark.parametrize("first", ["hook", "bus"])
def test_one_after_the_other(service: Service, topic: str, msg: dict[str, Any], first: str) -> None:
    ways: dict[str, Callable[[str, dict[str, Any]], str]] = {"hook": service.hook, "bus": service.bus}
    second = "bus" if first == "hook" else "hook"
    earlier = ways[first](topic, msg)
    service.parse(earlier)
    later = ways[second](topic, msg)
    service.parse(later)
    assert service.end_of(earlier) == (State.DONE, None)
    assert service.end_of(later) == (State.IGNORED, THE_SAME)
    (event,) = service.events()
    assert event.delivery_id == earlier


@pytest.mark.parametrize(("topic", "msg"), TOLD)
def test_both_at_once(on_each_database: Service, topic: str, msg: dict[str, Any]) -> None:
    service = on_each_database
    deliveries = [service.hook(topic, msg), service.bus(topic, msg)]
    together = threading.Barrier(2)

    def parse(delivery: str) -> None:
        together.wait(timeout=10)
        service.parse(delivery)

    threads = [threading.Thread(target=parse, args=(delivery,)) for delivery in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    ends = sorted(service.end_of(delivery) for delivery in deliveries)
    assert ends == [(State.DONE, None), (State.IGNORED, THE_SAME)]
    assert len(service.events()) == 1


def test_a_hook_that_was_held_adds_nothing_when_it_is_released(service: Service) -> None:
    """It came late, which is why it is held; the bus was quicker."""
    late = service.hook("pull-request.new", pull_request(), timestamp=1)
    on_time = service.bus("pull-request.new", pull_request())
    service.parse(on_time)
    service.parse(late)
    assert service.end_of(late)[0] == State.HELD
    assert len(service.events()) == 1


@pytest.mark.parametrize(
    ("topic", "one", "other"),
    [
        ("pull-request.new", pull_request(), pull_request(id=5)),
        ("git.receive", push(), push() | {"branch": "refs/heads/f44"}),
        ("git.receive", push(), push() | {"old_commit": "f" * 40}),
    ],
)
def test_other_facts_are_others(
    service: Service, topic: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    for delivery in (service.hook(topic, one), service.bus(topic, other)):
        service.parse(delivery)
        assert service.end_of(delivery) == (State.DONE, None)
    assert len(service.events()) == 2
