"""What was told while nobody listened is read from datagrepper, once."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fedora_messaging.message import Message
from sqlalchemy import select, update

from packit_worker.bus import SOURCE, catching_up, listening
from packit_worker.bus.catching_up import DatagrepperError, catch_up
from packit_worker.config.service import Deployment
from packit_worker.journal import Journal
from packit_worker.journal.base import now
from packit_worker.journal.deliveries import Delivery

from .broker import Listener, Place, Wire, until
from .datagrepper import Datagrepper
from .test_consumer import Bus, message

END = "org.fedoraproject.prod.copr.build.end"
TOPICS = listening.topics(Deployment.PROD)
DAY = 24 * 3600.0


@pytest.fixture
def datagrepper() -> Iterator[Datagrepper]:
    with Datagrepper() as running:
        yield running


@pytest.fixture
def sqlite_journal(sqlite_url: str) -> Iterator[Journal]:
    made = Journal(sqlite_url)
    yield made
    made.dispose()


@pytest.fixture
def bus(sqlite_journal: Journal) -> Bus:
    return Bus(sqlite_journal, copr_users=["packit"])


def read(datagrepper: Datagrepper, bus: Bus, start: datetime | None = None) -> Counter[str]:
    end = now()
    return catch_up(
        datagrepper.url, TOPICS, start or end - timedelta(days=1), end, bus.consumer.take, pauses=(0.01, 0.01)
    )


def test_messages_come_in_with_their_own_ids(datagrepper: Datagrepper, bus: Bus) -> None:
    datagrepper.tell("m-2", END, {"user": "packit", "build": 2}, ago=60)
    datagrepper.tell("m-1", END, {"user": "packit", "build": 1}, ago=120)
    datagrepper.tell("m-3", "org.fedoraproject.prod.bodhi.update.comment", {})
    datagrepper.tell("m-4", END, {"user": "packit"}, ago=2 * DAY)
    datagrepper.tell("m-5", END, {"user": "somebody"})
    assert read(datagrepper, bus) == {"accepted": 2, "passed over": 1}
    first, second = bus.rows()
    assert (first.id, second.id) == ("fedora-messaging:m-1", "fedora-messaging:m-2")
    assert (first.source, first.event_type) == (SOURCE, END)
    assert json.loads(first.body or b"") == {"user": "packit", "build": 1}
    assert datetime.fromisoformat(first.headers["sent-at"]) < now() - timedelta(seconds=100)
    assert [task["task_id"] for task in bus.broker.sent] == [first.id, second.id]


def test_what_came_over_the_bus_is_not_doubled(datagrepper: Datagrepper, bus: Bus) -> None:
    bus.consumer(message(id="m-1"))
    datagrepper.tell("m-1", END, {"user": "packit", "build": 1})
    datagrepper.tell("m-2", END, {"user": "packit", "build": 2})
    assert read(datagrepper, bus) == {"accepted": 1, "duplicate": 1}
    assert read(datagrepper, bus) == {"duplicate": 2}
    bus.consumer(message(id="m-2"))
    assert len(bus.rows()) == len(bus.broker.sent) == 2


@pytest.mark.parametrize("many", [0, 1, 100, 101, 250])
def test_page_by_page(datagrepper: Datagrepper, many: int) -> None:
    for number in range(many):
        datagrepper.tell(f"m-{number}", END, {"user": "packit"}, ago=1000 - number)
    got: list[str] = []

    def take(sent: Message) -> str:
        got.append(sent.id)
        return "taken"

    end = now()
    catch_up(datagrepper.url, TOPICS, end - timedelta(days=1), end, take)
    assert got == [f"m-{number}" for number in range(many)]
    assert len(datagrepper.asked) == max(1, -(-many // 100))
    for query in datagrepper.asked:
        assert sorted(query["topic"]) == sorted(TOPICS)
        assert query["rows_per_page"] == ["100"]
        assert (query["start"], query["end"]) == (datagrepper.asked[0]["start"], datagrepper.asked[0]["end"])


def test_requests_that_fail_are_made_again(datagrepper: Datagrepper, bus: Bus) -> None:
    datagrepper.tell("m-1", END, {"user": "packit"})
    datagrepper.failures = [500, 504]
    assert read(datagrepper, bus) == {"accepted": 1}
    datagrepper.failures = [500, 500, 500]
    with pytest.raises(DatagrepperError, match="does not answer as it should: 500"):
        read(datagrepper, bus)
    end = now()
    with pytest.raises(DatagrepperError):
        catch_up(datagrepper.url + "/nowhere", TOPICS, end, end, bus.consumer.take, pauses=())


def test_messages_that_are_none(datagrepper: Datagrepper, bus: Bus) -> None:
    datagrepper.messages = [None, 7, "text", []]
    datagrepper.tell("m-1", END, None)
    datagrepper.tell("m-2", END, [1])
    datagrepper.tell("", END, {})
    datagrepper.tell("m-3", END, {"user": "packit"})
    datagrepper.messages.append({"topic": END, "timestamp": 2.0**31, "msg": {}})
    assert read(datagrepper, bus) == {"accepted": 1, "ignored": 2}


def test_where_to_begin(sqlite_journal: Journal, bus: Bus) -> None:
    assert catching_up.last_recorded(sqlite_journal, SOURCE) is None
    bus.consumer(message(id="m-1"))
    bus.consumer(message(id="m-2"))
    with sqlite_journal.write() as session:
        session.execute(
            update(Delivery).where(Delivery.id.endswith("m-1")).values(received_at=now() - timedelta(days=9))
        )
    last = catching_up.last_recorded(sqlite_journal, SOURCE)
    assert last == bus.rows()[1].received_at
    end = now()
    assert last is not None and catching_up.beginning(last, end) == last - catching_up.OVERLAP
    assert catching_up.beginning(end - timedelta(days=9), end) == end - timedelta(days=3)


def test_a_database_that_is_away_when_it_begins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    away = Journal("postgresql://127.0.0.1:1/none")
    last = catching_up.last_recorded(away, SOURCE)
    assert last is not None and last <= now() - timedelta(days=3)
    assert "will be caught up on" in caplog.text
    away.dispose()


def test_in_the_background(datagrepper: Datagrepper, bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    datagrepper.tell("m-1", END, {"user": "packit"})
    assert catching_up.in_background(datagrepper.url, TOPICS, None, bus.consumer.take, after=0) is None
    thread = catching_up.in_background(datagrepper.url, TOPICS, now(), bus.consumer.take, after=0)
    assert thread is not None
    thread.join(timeout=10)
    assert [row.id for row in bus.rows()] == ["fedora-messaging:m-1"]
    assert "1 accepted" in caplog.text


@pytest.mark.slow
@pytest.mark.services("rabbitmq")
def test_a_consumer_that_starts_again_catches_up_by_itself(
    datagrepper: Datagrepper, sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    """Its queue was lost with what was in it; one message comes over the bus before it has caught up."""
    Bus(sqlite_journal).consumer(message(id="before"))
    datagrepper.tell("missed", END, {"user": "packit"}, ago=30)
    fresh = Message(topic=END, body={"user": "packit"})
    datagrepper.tell(fresh.id, END, fresh.body, ago=0)

    def ids() -> set[str]:
        with sqlite_journal.read() as session:
            return set(session.execute(select(Delivery.id)).scalars())

    options = {"catch_up_after_seconds": 1.0}
    with (
        Place() as place,
        Listener(place, tmp_path, sqlite_url, options=options, datagrepper_url=datagrepper.url),
    ):
        place.publish(fresh)
        until(lambda: len(ids()) == 3)
        until(lambda: "caught up since" in (tmp_path / "listener.log").read_text())
    assert ids() == {f"fedora-messaging:{id}" for id in ("before", "missed", fresh.id)}


@pytest.mark.slow
@pytest.mark.services("rabbitmq")
def test_a_connection_that_comes_back_catches_up_by_itself(
    datagrepper: Datagrepper, sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    """With the connection its queue was lost. There was nothing to catch up on at the start."""

    def ids() -> set[str]:
        with sqlite_journal.read() as session:
            return set(session.execute(select(Delivery.id)).scalars())

    fresh = Message(topic=END, body={"user": "packit"})
    options = {"catch_up_after_seconds": 0.5}
    with (
        Place() as place,
        Wire() as wire,
        Listener(
            place, tmp_path, sqlite_url, port=wire.port, options=options, datagrepper_url=datagrepper.url
        ) as listener,
    ):
        place.publish(fresh)
        until(lambda: len(ids()) == 1)
        assert datagrepper.asked == []
        for number in (1, 2):
            datagrepper.tell(f"missed-{number}", END, {"user": "packit"}, ago=0)
            wire.cut()
            until(lambda number=number: f"fedora-messaging:missed-{number}" in ids())  # type: ignore[misc]
        assert listener.is_alive
    assert ids() == {f"fedora-messaging:{id}" for id in (fresh.id, "missed-1", "missed-2")}
