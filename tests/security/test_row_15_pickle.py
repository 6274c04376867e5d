"""Row 15: what comes through the broker is JSON; anything that could be executed is not even unpacked."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker

from packit_worker.broker.celery_app import PARSE_MESSAGE, create_app
from packit_worker.broker.embedded import EmbeddedBroker, redis_program


class Bomb:
    """Whoever unpickles this makes a directory."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A real Redis of the test's own."""
    if redis_program() is None:
        pytest.skip("no redis-server runs here")
    with EmbeddedBroker(tmp_path) as running:
        yield running.url


@pytest.mark.filterwarnings("default")
def test_a_pickled_message_is_refused(broker: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    app = create_app(broker)
    done = threading.Event()
    got: list[dict[str, Any]] = []

    @app.task(name=PARSE_MESSAGE, shared=False)  # type: ignore[untyped-decorator]
    def parse(**kwargs: Any) -> None:
        got.append(kwargs)
        done.set()

    headers = {"task": PARSE_MESSAGE, "id": "evil", "lang": "py", "root_id": "evil"}
    with app.connection_for_write() as connection:
        producer = connection.Producer()
        for serializer in ("pickle", "yaml"):
            producer.publish(
                ((), {"x": Bomb(canary)} if serializer == "pickle" else {"x": 1}, {}),
                routing_key="parse",
                serializer=serializer,
                headers=headers,
                correlation_id="evil",
            )
        assert connection.default_channel.client.llen("parse") == 2
        app.send_task(PARSE_MESSAGE, kwargs={"delivery_id": "good"}, queue="parse")
        with start_worker(app, pool="solo", perform_ping_check=False, queues=["parse"]):
            assert done.wait(20)
        time.sleep(0.2)
        assert connection.default_channel.client.llen("parse") == 0
    assert not canary.exists()
    assert got == [{"delivery_id": "good"}]


def test_the_bomb_is_live(tmp_path: Path) -> None:
    import pickle

    pickle.loads(pickle.dumps(Bomb(tmp_path / "canary")))
    assert (tmp_path / "canary").exists()
