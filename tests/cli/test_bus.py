"""``packit-worker bus``: the process that listens, the configuration it makes, and catching up."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pika
import pytest
import yaml
from bus.broker import HOST, PORT, until
from bus.datagrepper import Datagrepper
from fedora_messaging.message import Message
from sqlalchemy import select

from packit_worker.bus import listening
from packit_worker.config.service import load_service_config
from packit_worker.journal import Journal, deliveries
from packit_worker.journal.base import now
from packit_worker.journal.deliveries import Delivery

from .conftest import Run

END = "org.fedoraproject.dev.copr.build.end"


def change(config: Path, **bus: Any) -> None:
    """Set keys of ``bus``."""
    settings = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(settings | {"bus": settings.get("bus", {}) | bus}))


def ids(journal: Journal) -> set[str]:
    with journal.read() as session:
        return set(session.execute(select(Delivery.id)).scalars())


def record(journal: Journal, id: str) -> None:
    with journal.write() as session:
        deliveries.record(
            session,
            id=f"fedora-messaging:{id}",
            source="fedora-messaging",
            event_type=END,
            headers={},
            body=b"{}",
        )


def test_the_configuration_is_printed_without_password(run: Run, config: Path) -> None:
    change(config, amqp_url="amqp://packit:geheim@host/%2F", queue="packit")
    result = run("bus", "--print-config")
    assert result.exit_code == 0, result.output
    assert "geheim" not in result.output
    made = tomllib.loads(result.stdout)
    assert made == listening.fedora_messaging(load_service_config(config, {}), shows_password=False)
    assert made["amqp_url"] == "amqp://packit:***@host/%2F"
    assert not (config.parent / "data").exists()


@pytest.fixture
def queue() -> Iterator[str]:
    """A name for a queue, which is gone afterwards."""
    name = str(uuid.uuid4())
    yield name
    with pika.BlockingConnection(pika.ConnectionParameters(HOST, PORT)) as connection:
        connection.channel().queue_delete(name)


@pytest.mark.slow
@pytest.mark.services("rabbitmq")
def test_it_listens(config: Path, journal: Journal, queue: str) -> None:
    change(config, amqp_url=f"amqp://guest:guest@{HOST}:{PORT}/%2F", queue=queue)
    sent = [
        Message(topic=topic, body={})
        for topic in listening.topics(load_service_config(config, {}).deployment)
    ]
    log = config.parent / "bus.log"
    command = [sys.executable, "-m", "packit_worker.cli", "--config", str(config), "bus"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        with pika.BlockingConnection(pika.ConnectionParameters(HOST, PORT)) as connection:
            _wait_for_listener(connection, queue, process)
            channel = connection.channel()
            channel.confirm_delivery()
            for message in sent:
                channel.basic_publish(
                    "amq.topic", message.topic, message._encoded_body, message._properties, mandatory=True
                )
        wanted = {f"fedora-messaging:{message.id}" for message in sent}
        until(lambda: wanted <= ids(journal))
        file = config.parent / "data" / "fedora-messaging.toml"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait_for_listener(connection: Any, queue: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if connection.channel().queue_declare(queue, passive=True).method.consumer_count:
                return
        except pika.exceptions.ChannelClosedByBroker:
            pass
        time.sleep(0.1)
    raise AssertionError("nobody listens")


# -- catching up --


@pytest.fixture
def datagrepper(config: Path) -> Iterator[Datagrepper]:
    with Datagrepper() as running:
        change(config, datagrepper_url=running.url, copr_users=["packit"], koji_owners=["packit"])
        yield running


def test_catching_up(run: Run, journal: Journal, datagrepper: Datagrepper) -> None:
    record(journal, "known")
    for id, user in (("known", "packit"), ("missed", "packit"), ("other", "somebody")):
        datagrepper.tell(id, END, {"user": user})
    datagrepper.tell("koji", "org.fedoraproject.dev.buildsys.build.state.change", {"owner": "releng"})
    foretold = run("bus", "catch-up", "--dry-run")
    assert foretold.exit_code == 0, foretold.output
    assert "1 duplicate, 1 new, 2 passed over" in foretold.stdout
    assert "nothing was changed" in foretold.stdout
    assert ids(journal) == {"fedora-messaging:known"}
    assert "1 accepted, 1 duplicate, 2 passed over" in run("bus", "catch-up").stdout
    assert ids(journal) == {"fedora-messaging:known", "fedora-messaging:missed"}
    assert "2 duplicate, 2 passed over" in run("bus", "catch-up").stdout


def test_since_a_moment(run: Run, journal: Journal, datagrepper: Datagrepper) -> None:
    for days in (1, 2, 4):
        datagrepper.tell(f"{days}-days", END, {"user": "packit"}, ago=days * 86_400 - 3600)
    since = now() - timedelta(days=1)
    assert "1 accepted" in run("bus", "catch-up", "--since", since.isoformat()).stdout
    result = run("bus", "catch-up", "--since", f"{now() - timedelta(days=9):%Y-%m-%d}")
    assert "only the last 3 days are read" in result.stderr
    assert "1 accepted, 1 duplicate" in result.stdout
    assert ids(journal) == {"fedora-messaging:1-days", "fedora-messaging:2-days"}
    assert run("bus", "catch-up", "--since", "yesterday").exit_code == 2


def test_what_stands_in_the_way(run: Run, journal: Journal, config: Path, datagrepper: Datagrepper) -> None:
    result = run("bus", "catch-up")
    assert (result.exit_code, "what to do: Say since when: --since." in result.stderr) == (1, True)
    change(config, datagrepper_url=None)
    result = run("bus", "catch-up")
    assert (result.exit_code, "what to do: Set bus.datagrepper_url" in result.stderr) == (1, True)


def test_a_journal_that_is_not_there(run: Run, datagrepper: Datagrepper) -> None:
    result = run("bus", "catch-up", "--since", "2026-01-01")
    assert (result.exit_code, "packit-worker db upgrade" in result.stderr) == (1, True)
