"""The callback of fedora-messaging: writes down, returns, puts back; raises nothing else."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fedora_messaging.config import conf
from fedora_messaging.exceptions import Nack
from fedora_messaging.message import Message
from sqlalchemy import select
from sqlalchemy.exc import InternalError, ProgrammingError
from web.opening import Recorder

from packit_worker.broker.hints import Hints
from packit_worker.bus import Consumer
from packit_worker.intake import Intake
from packit_worker.journal import Journal
from packit_worker.journal.base import State
from packit_worker.journal.deliveries import Delivery

END = "org.fedoraproject.prod.copr.build.end"


class Bus:
    """A consumer, its journal and what it was waiting for."""

    def __init__(self, journal: Journal, **options: Any) -> None:
        self.journal = journal
        self.broker = Recorder()
        self.slept: list[float] = []
        intake = Intake(journal, Hints(self.broker), replay_window=timedelta(days=7))
        self.consumer = Consumer(intake, sleep=self.slept.append, **options)

    def rows(self) -> list[Delivery]:
        with self.journal.write() as session:
            return list(session.execute(select(Delivery).order_by(Delivery.received_at)).scalars())


@pytest.fixture
def sqlite_journal(sqlite_url: str) -> Iterator[Journal]:
    made = Journal(sqlite_url, timeout=0.2)
    yield made
    made.dispose()


@pytest.fixture
def bus(sqlite_journal: Journal) -> Bus:
    return Bus(sqlite_journal)


def message(body: Any = None, topic: Any = END, id: Any = "m-1") -> Message:
    made = Message(topic=topic, body={"user": "packit", "build": 1} if body is None else body)
    made.id = id
    return made


def test_a_message_is_recorded_and_its_parser_woken(bus: Bus) -> None:
    bus.consumer(message())
    (row,) = bus.rows()
    assert (row.id, row.source, row.event_type, row.state) == (
        "fedora-messaging:m-1",
        "fedora-messaging",
        END,
        State.READY,
    )
    assert json.loads(row.body or b"") == {"user": "packit", "build": 1}
    assert "sent-at" in row.headers
    assert [task["task_id"] for task in bus.broker.sent] == ["fedora-messaging:m-1"]


def test_a_message_that_comes_again_changes_nothing(bus: Bus) -> None:
    bus.consumer(message())
    bus.consumer(message())
    assert (len(bus.rows()), len(bus.broker.sent)) == (1, 1)


def test_what_nobody_acts_on_is_recorded_as_ignored(bus: Bus) -> None:
    bus.consumer(message(topic="org.fedoraproject.prod.bodhi.update.comment"))
    (row,) = bus.rows()
    assert row.state == State.IGNORED


def test_while_the_database_is_away_messages_are_put_back_slowly(bus: Bus, sqlite_url: str) -> None:
    lock = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Nack):
        bus.consumer(message())
    assert bus.slept == [5.0]
    lock.execute("ROLLBACK")
    lock.close()
    bus.consumer(message())
    assert len(bus.rows()) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"a": object()}, "no JSON"),
        ({"a": float("nan")}, "no JSON"),
        ([1], "not a JSON object"),
        ("text", "not a JSON object"),
        ({"a": {1, 2}}, "no JSON"),
    ],
)
def test_what_cannot_be_read_is_kept_and_acknowledged(bus: Bus, body: Any, words: str) -> None:
    bus.consumer(message(body))
    (row,) = bus.rows()
    assert row.state == State.IGNORED
    assert words in (row.reason or "")
    assert row.body


@pytest.mark.parametrize("topic", ["x" * 300, "a\x00b", "a\nb"])
def test_a_topic_that_is_none(journal: Journal, topic: str) -> None:
    bus = Bus(journal)
    bus.consumer(message(topic=topic))
    assert bus.rows()[0].reason == "the topic of the message is no topic"


@pytest.mark.parametrize("id", [None, "", "x" * 500, "a\x00", 7, "caf\xe9"])
def test_a_message_without_an_id_is_known_by_what_it_says(journal: Journal, id: Any) -> None:
    bus = Bus(journal)
    bus.consumer(message(id=id))
    bus.consumer(message(id=id))
    (row,) = bus.rows()
    assert row.id.startswith("fedora-messaging:sha256:")


def test_a_bug_stops_nothing(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def accept(self, **_: Any) -> None:
            raise RuntimeError("a bug")

    Consumer(Broken())(message())  # type: ignore[arg-type]
    assert "m-1" in caplog.text
    assert "a bug" in caplog.text


def test_builds_of_other_copr_users_are_passed_over(sqlite_journal: Journal) -> None:
    bus = Bus(sqlite_journal, copr_users=["packit"])
    bus.consumer(message({"user": "somebody"}, id="m-1"))
    bus.consumer(message({"user": "packit"}, id="m-2"))
    bus.consumer(message({"user": "somebody"}, topic="org.fedoraproject.prod.git.receive", id="m-3"))
    assert [row.id for row in bus.rows()] == ["fedora-messaging:m-2", "fedora-messaging:m-3"]
    assert bus.consumer.passed_over == 1


def test_what_was_passed_over_is_counted_in_a_line_of_the_log(
    sqlite_journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bus = Bus(sqlite_journal, copr_users=["packit"], count_interval=0.0)
    bus.consumer(message({"user": "somebody"}))
    assert "passed over 1 builds of others" in caplog.text
    assert bus.consumer.passed_over == 0


def test_no_list_of_copr_users_takes_all(bus: Bus) -> None:
    bus.consumer(message({"user": "somebody"}))
    assert len(bus.rows()) == 1


@pytest.mark.parametrize("kind", ["task.state.change", "build.state.change"])
def test_what_koji_does_for_others_is_passed_over(sqlite_journal: Journal, kind: str) -> None:
    bus = Bus(sqlite_journal, koji_owners=["packit"])
    topic = f"org.fedoraproject.prod.buildsys.{kind}"
    bus.consumer(message({"owner": "releng", "user": "packit"}, topic=topic, id="m-1"))
    bus.consumer(message({"owner": "packit"}, topic=topic, id="m-2"))
    bus.consumer(message({"owner": None}, topic=topic, id="m-3"))
    bus.consumer(message({"user": "somebody", "owner": "releng"}, id="m-4"))
    assert [row.id for row in bus.rows()] == [f"fedora-messaging:m-{number}" for number in (2, 3, 4)]
    assert bus.consumer.passed_over == 1


@pytest.mark.parametrize("broken", [ProgrammingError, InternalError])
def test_a_database_that_is_not_as_it_should_be_takes_nothing(broken: type[ProgrammingError]) -> None:
    class Broken:
        def accept(self, **_: Any) -> None:
            raise broken("INSERT", {}, Exception("no such table"))

    slept: list[float] = []
    with pytest.raises(Nack):
        Consumer(Broken(), sleep=slept.append)(message())  # type: ignore[arg-type]
    assert slept == [5.0]


def test_what_would_be_taken(sqlite_journal: Journal) -> None:
    bus = Bus(sqlite_journal, copr_users=["packit"])
    bus.consumer(message(id="m-1"))
    told = [bus.consumer.foretell(message(id=id)) for id in ("m-1", "m-2")]
    assert told == ["duplicate", "new"]
    assert bus.consumer.foretell(message({"user": "somebody"})) == "passed over"
    assert len(bus.rows()) == 1


@pytest.fixture
def same_logs() -> Iterator[None]:
    """A consumer made from the settings sends logs where the service does."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("same_logs")
def test_made_without_arguments_from_the_settings(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "service.yaml"
    file.write_text(
        json.dumps(
            {
                "database_url": sqlite_url,
                "data_dir": str(tmp_path),
                "broker_url": "memory://",
                "bus": {"copr_users": ["packit"]},
            }
        )
    )
    monkeypatch.setenv("PACKIT_WORKER_CONFIG", str(file))
    monkeypatch.setitem(conf, "consumer_config", {"pause_seconds": 0.1})
    consumer = Consumer()
    consumer(message({"user": "somebody"}))
    assert consumer.passed_over == 1
    monkeypatch.setitem(conf, "consumer_config", {"copr_users": []})
    Consumer()(message({"user": "somebody"}))
