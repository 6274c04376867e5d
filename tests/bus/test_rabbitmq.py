"""The consumer under ``fedora-messaging consume`` itself, on a real RabbitMQ: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fedora_messaging.message import Message
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import OperationalError

from packit_worker.bus import listening
from packit_worker.config.service import Deployment
from packit_worker.journal import Journal
from packit_worker.journal.base import State
from packit_worker.journal.deliveries import Delivery

from .broker import Listener, Place, Wire, until

pytestmark = [pytest.mark.services("rabbitmq"), pytest.mark.slow]

END = "org.fedoraproject.prod.copr.build.end"
TOPICS = listening.topics(Deployment.PROD)


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as made:
        yield made


@pytest.fixture
def sqlite_journal(sqlite_url: str) -> Iterator[Journal]:
    made = Journal(sqlite_url)
    yield made
    made.dispose()


def rows(journal: Journal) -> list[Delivery]:
    with journal.read() as session:
        return list(session.execute(select(Delivery).order_by(Delivery.received_at)).scalars())


def count(journal: Journal) -> int:
    with journal.read() as session:
        return session.execute(select(func.count()).select_from(Delivery)).scalar_one()


def numbered(many: int) -> list[Message]:
    return [Message(topic=END, body={"user": "packit", "build": number}) for number in range(many)]


def test_every_topic_arrives_as_a_delivery(
    place: Place, sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    sent = [Message(topic=topic, body={"number": number}) for number, topic in enumerate(TOPICS)]
    with Listener(place, tmp_path, sqlite_url) as listener:
        place.publish(*sent)
        until(lambda: count(sqlite_journal) == len(TOPICS))
        assert listener.end(signal.SIGTERM) == 0
    found = {row.id: row for row in rows(sqlite_journal)}
    assert set(found) == {f"fedora-messaging:{message.id}" for message in sent}
    for message in sent:
        row = found[f"fedora-messaging:{message.id}"]
        assert (row.source, row.event_type) == ("fedora-messaging", message.topic)
        assert json.loads(row.body or b"") == message.body
        assert row.headers["sent-at"] == message._headers["sent-at"]
    closed = [row for row in found.values() if str(row.event_type).endswith("pull-request.closed")]
    assert {row.state for row in closed} == {State.IGNORED}
    assert "is not something to act on" in (closed[0].reason or "")
    assert place.waiting == 0


def test_a_consumer_that_is_killed_in_the_middle(
    place: Place, sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    sent = numbered(300)
    place.publish(*sent)
    with Listener(place, tmp_path, sqlite_url) as listener:
        for enough in (20, 80):
            until(lambda enough=enough: count(sqlite_journal) >= enough)  # type: ignore[misc]
            listener.end(signal.SIGKILL)
            until(lambda: place.listeners == 0)
            assert count(sqlite_journal) < 300, "it was too quick to be killed in the middle"
            listener.start()
        until(lambda: count(sqlite_journal) == 300, 60)
        until(lambda: place.waiting == 0)
        assert listener.end(signal.SIGTERM) == 0
    assert {row.id for row in rows(sqlite_journal)} == {f"fedora-messaging:{one.id}" for one in sent}
    assert place.waiting == 0


def test_a_connection_that_breaks_in_the_middle(
    place: Place, sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    sent = numbered(300)
    place.publish(*sent)
    with Wire() as wire, Listener(place, tmp_path, sqlite_url, port=wire.port) as listener:
        for enough in (20, 80):
            until(lambda enough=enough: count(sqlite_journal) >= enough)  # type: ignore[misc]
            wire.cut()
            until(lambda: place.listeners == 0)
            until(lambda: place.listeners == 1)
        until(lambda: count(sqlite_journal) == 300, 60)
        assert wire.connections == 3
        assert listener.is_alive
        assert listener.end(signal.SIGTERM) == 0
    assert {row.id for row in rows(sqlite_journal)} == {f"fedora-messaging:{one.id}" for one in sent}
    assert place.waiting == 0


def test_what_fedora_messaging_cannot_read_is_kept_and_acknowledged(
    place: Place, sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    headers = {"fedora_messaging_schema": "base.message", "fedora_messaging_severity": 20}
    broken: dict[str, tuple[bytes, dict[str, object]]] = {
        "no-json": (b"{", {"headers": headers}),
        "no-utf-8": (b"\xff\xfe", {"headers": headers}),
        "no-object": (b"[1, 2]", {"headers": headers}),
        "deep": (b"[" * 200_000, {"headers": headers}),
        "no-codec": (b"{}", {"headers": headers, "content_encoding": "klingon"}),
        "no-severity": (b"{}", {"headers": headers | {"fedora_messaging_severity": "loud"}}),
        "no-schema": (b"{}", {"headers": {"fedora_messaging_schema": ["a", "list"]}}),
    }
    good = Message(topic=END, body={"user": "packit"})
    with Listener(place, tmp_path, sqlite_url) as listener:
        for name, (body, properties) in broken.items():
            place.publish_raw(END, body, message_id=name, **properties)
        place.publish_raw(END, b"\x00")
        place.publish_raw(END, b'{"user": "packit"}', message_id="bare")
        place.publish(good)
        until(lambda: count(sqlite_journal) == len(broken) + 3)
        assert listener.is_alive
        assert listener.end(signal.SIGTERM) == 0
    found = {row.id.removeprefix("fedora-messaging:"): row for row in rows(sqlite_journal)}
    assert found[good.id].state == found["bare"].state == State.READY
    for name, (body, _) in broken.items():
        assert (found[name].state, found[name].body) == (State.IGNORED, body)
        assert (found[name].reason or "").startswith("the message cannot be read: ")
    assert place.waiting == 0


def test_messages_of_others_are_passed_over(
    place: Place, sqlite_journal: Journal, sqlite_url: str, tmp_path: Path
) -> None:
    task = "org.fedoraproject.prod.buildsys.task.state.change"
    ours = [
        Message(topic=END, body={"user": "packit"}),
        Message(topic=task, body={"owner": "packit"}),
        Message(topic="org.fedoraproject.prod.git.receive", body={"owner": "releng", "user": "somebody"}),
    ]
    others = [Message(topic=END, body={"user": "somebody"}), Message(topic=task, body={"owner": "releng"})]
    with Listener(place, tmp_path, sqlite_url, copr_users=["packit"], koji_owners=["packit"]) as listener:
        place.publish(*others, *ours)
        until(lambda: count(sqlite_journal) == 3)
        assert listener.end(signal.SIGTERM) == 0
    assert {row.id for row in rows(sqlite_journal)} == {f"fedora-messaging:{one.id}" for one in ours}
    assert place.waiting == 0


@pytest.mark.services("postgresql")
def test_while_the_database_is_away_messages_wait_in_the_queue(
    place: Place, postgresql_url: str, tmp_path: Path
) -> None:
    name = postgresql_url.rpartition("/")[2]
    admin = create_engine(postgresql_url.rpartition("/")[0] + "/postgres", isolation_level="AUTOCOMMIT")
    journal = Journal(postgresql_url)
    sent = numbered(20)
    with Listener(place, tmp_path, postgresql_url) as listener, admin.connect() as connection:
        place.publish(*sent[:5])
        until(lambda: count(journal) == 5)
        journal.dispose()
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
        with pytest.raises(OperationalError):
            journal.engine.connect()
        place.publish(*sent[5:])
        until(lambda: "is put back" in listener.log.read_text())
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
        until(lambda: count(journal) == 20)
        assert listener.end(signal.SIGTERM) == 0
    assert {row.id for row in rows(journal)} == {f"fedora-messaging:{one.id}" for one in sent}
    assert place.waiting == 0
    # Slowly: not as fast as the broker hands them back.
    assert listener.log.read_text().count("is put back") < 100
    journal.dispose()
    admin.dispose()


@pytest.mark.services("postgresql")
def test_a_database_without_tables_loses_nothing(place: Place, postgresql_url: str, tmp_path: Path) -> None:
    journal = Journal(postgresql_url)
    with journal.engine.begin() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO elsewhere"))
    sent = numbered(3)
    with Listener(place, tmp_path, postgresql_url) as listener:
        place.publish(*sent)
        until(lambda: "is put back" in listener.log.read_text())
        with journal.engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO deliveries"))
        until(lambda: count(journal) == 3)
        assert listener.end(signal.SIGTERM) == 0
    assert place.waiting == 0
    journal.dispose()
