"""The embedded broker: started, found, stopped; and what there is where no redis-server is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from packit_worker.broker.celery_app import create_app
from packit_worker.broker.embedded import EmbeddedBroker, current_url, redis_program
from packit_worker.broker.hints import Hints

needs_redis = pytest.mark.skipif(redis_program() is None, reason="there is no redis-server here")


def carries(url: str) -> bool:
    """Whether a hint gets through."""
    app = create_app(url)
    assert Hints(app).check("c")
    with app.connection_for_read() as connection:
        queue = app.amqp.queues["report"](connection.default_channel)
        queue.declare()
        message = queue.get(no_ack=True)
        return message is not None and message.headers["id"] == "c"


@needs_redis
def test_from_start_to_stop(tmp_path: Path) -> None:
    before = current_url(tmp_path)
    with EmbeddedBroker(tmp_path) as broker:
        assert broker.url == before == current_url(tmp_path)
        pid = broker.pid
        assert pid is not None
        assert carries(broker.url)
    assert not Path(f"/proc/{pid}").exists()
    assert broker.pid is None
    with EmbeddedBroker(tmp_path) as again:
        assert carries(again.url)
    assert not (tmp_path / "broker.url").exists()


@needs_redis
def test_a_directory_whose_path_no_socket_can_have(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)
    with EmbeddedBroker(directory) as broker:
        assert "long" not in broker.url
        assert carries(current_url(directory))


@pytest.mark.filterwarnings("ignore:.*noload.*")  # kombu's models, under SQLAlchemy 2.1
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(None, id="nowhere"),
        pytest.param("/bin/false", id="that does not run"),
        pytest.param("/there/is/no/such/program", id="that is not there"),
    ],
)
def test_without_a_redis_server(program: str | None, tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, find=lambda: program) as broker:
        assert broker.url.startswith("sqla+sqlite:///")
        assert broker.pid is None
        assert current_url(tmp_path) == broker.url
        assert carries(broker.url)


@needs_redis
@pytest.mark.slow
def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Else the next start would find a second server on the same socket."""
    code = f"""
import threading
from pathlib import Path
from packit_worker.broker.embedded import EmbeddedBroker
with EmbeddedBroker(Path({str(tmp_path)!r})) as broker:
    print(broker.pid, flush=True)
    threading.Event().wait()
"""
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with EmbeddedBroker(tmp_path) as broker:
        assert carries(broker.url)
