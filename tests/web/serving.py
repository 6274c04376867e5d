"""The door as it is served: gunicorn in a process of its own, on a free port of 127.0.0.1."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from .opening import SECRET, TOKEN


class Served:
    """A served door, for as long as the context lasts. ``more`` goes over its settings."""

    def __init__(self, database_url: str, data_dir: Path, **more: Any) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir / "web.log"
        self._config = data_dir / "service.yaml"
        settings = {
            "server_url": self.url,
            "data_dir": str(data_dir),
            "database_url": database_url,
            "broker_url": "memory://",
            "github": {"webhook_secret": SECRET},
            "testing_farm": {"callback_token": TOKEN},
            **more,
        }
        # JSON is YAML.
        self._config.write_text(json.dumps(settings))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Served:
        command = [
            *(sys.executable, "-m", "gunicorn", "--config", "python:packit_worker.web.serving"),
            *("--bind", f"127.0.0.1:{self.port}", "packit_worker.web.wsgi:app"),
        ]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=os.environ | {"PACKIT_WORKER_CONFIG": str(self._config)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if requests.get(self.url + "/api/healthz", timeout=5).ok:
                    return self
            except requests.ConnectionError:
                time.sleep(0.05)
        self.__exit__(None, None, None)
        raise AssertionError(f"the door did not open: {self.log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    @property
    def pids(self) -> list[int]:
        """The processes that answer: the children of gunicorn's master."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def memory(self, name: str = "VmHWM") -> int:
        """The most memory that the answering process ever had, in bytes."""
        (pid,) = self.pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {name} in the status of {pid}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
