"""A place of the test's own on the RabbitMQ of this machine, and fedora-messaging's real program that listens there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pika
from fedora_messaging.message import Message

from packit_worker.bus import listening
from packit_worker.config.service import from_mapping

HOST, PORT = "127.0.0.1", 5672
PROGRAM = Path(sys.executable).with_name("fedora-messaging")


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


class Place:
    """An exchange and a queue with names that nobody else has. The exchange keeps tests apart that run at once."""

    def __init__(self) -> None:
        self.queue = str(uuid.uuid4())
        self.exchange = f"test-{self.queue}"

    def __enter__(self) -> Place:
        with self.channel() as channel:
            channel.exchange_declare(self.exchange, "topic", durable=True)
            channel.queue_declare(self.queue, durable=True)
            for topic in listening.topics(from_mapping({"deployment": "prod"}).deployment):
                channel.queue_bind(self.queue, self.exchange, topic)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.channel() as channel:
            channel.queue_delete(self.queue)
            channel.exchange_delete(self.exchange)

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.ConnectionParameters(HOST, PORT))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            connection.close()

    def publish(self, *messages: Message) -> None:
        """As fedora-messaging publishes."""
        with self.channel() as channel:
            for message in messages:
                channel.basic_publish(
                    self.exchange, message.topic, message._encoded_body, message._properties, mandatory=True
                )

    def publish_raw(self, topic: str, body: bytes, **properties: Any) -> None:
        """As somebody publishes who does not know how."""
        with self.channel() as channel:
            channel.basic_publish(
                self.exchange,
                topic,
                body,
                pika.BasicProperties(delivery_mode=2, **properties),
                mandatory=True,
            )

    @property
    def waiting(self) -> int:
        """How many messages nobody has yet."""
        return self._declared().message_count

    @property
    def listeners(self) -> int:
        return self._declared().consumer_count

    def _declared(self) -> Any:
        with self.channel() as channel:
            return channel.queue_declare(self.queue, passive=True).method


class Listener:
    """``fedora-messaging consume`` with the consumer of the service."""

    def __init__(
        self,
        place: Place,
        folder: Path,
        database_url: str,
        *,
        port: int = PORT,
        options: Any = None,
        **more: Any,
    ) -> None:
        self.place = place
        self.log = folder / "listener.log"
        bus = {"amqp_url": f"amqp://guest:guest@{HOST}:{port}/%2F", "queue": place.queue}
        settings = {
            "deployment": "prod",
            "data_dir": str(folder),
            "database_url": database_url,
            "broker_url": "memory://",
            "bus": bus | more,
        }
        self._service = folder / "service.yaml"
        self._service.write_text(json.dumps(settings))
        made = listening.fedora_messaging(from_mapping(settings))
        made["bindings"][0]["exchange"] = place.exchange
        made["consumer_config"] = {"pause_seconds": 0.2} | (options or {})
        made["exchanges"] = {
            place.exchange: {"type": "topic", "durable": True, "auto_delete": False, "arguments": {}}
        }
        self._config = folder / "fedora-messaging.toml"
        self._config.write_text(listening.toml(made))
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Listener:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(signal.SIGKILL)

    def start(self, *, waits: bool = True) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(PROGRAM), "--conf", str(self._config), "consume"],
                env=os.environ | {"PACKIT_WORKER_CONFIG": str(self._service)},
                stdout=output,
                stderr=output,
            )
        if waits:
            until(lambda: self.place.listeners == 1 or not self.is_alive)
            assert self.is_alive, self.log.read_text()

    def end(self, number: signal.Signals) -> int:
        """Send a signal, and wait for the end; returns the exit status."""
        assert self.process is not None
        if self.is_alive:
            self.process.send_signal(number)
        return self.process.wait(timeout=20)

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Wire:
    """A wire to the broker that can be cut: a proxy on a port of its own."""

    def __init__(self) -> None:
        self._server = socket.create_server((HOST, 0))
        self.port: int = self._server.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._is_cut = False
        self.connections = 0

    def __enter__(self) -> Wire:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not only closed: a thread waits in accept().
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break all connections, in the middle of whatever they carry."""
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection((HOST, PORT))
            self.connections += 1
            with self._lock:
                self._ends += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
