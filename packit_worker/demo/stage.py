"""The stage: sandbox, broker and service in a directory of their own, started and stopped together."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml

from packit_worker import migrations
from packit_worker.broker.embedded import EmbeddedBroker
from packit_worker.config.service import ServiceConfig, load_service_config
from packit_worker.journal import Journal
from packit_worker.processes import all_of, ready_notes, shared_metrics
from packit_worker.sandbox.client import SandboxClient
from packit_worker.supervisor import Supervisor


class StageError(Exception):
    """The stage could not be set; the text says what did not start, and where its log is."""


class Stage:
    """Everything that runs during a demo. A context manager: set on entry, struck on exit.

    ``directory`` takes configuration, database, broker and logs. Nothing is bound but 127.0.0.1. ``more`` are sections
    of the service's configuration beside those of the demo, or instead of them.
    """

    def __init__(
        self,
        directory: Path,
        *,
        build_seconds: float = 1.5,
        test_seconds: float = 1.5,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self._seconds = (build_seconds, test_seconds)
        self._more = dict(more or {})
        self._stack = contextlib.ExitStack()
        self._remembered: dict[str, str] = {}
        #: Places to look at, by what they are.
        self.places: dict[str, str] = {}
        self.settings: ServiceConfig
        self.sandbox: SandboxClient
        self.journal: Journal
        self.supervisor: Supervisor
        #: The embedded broker, where no other is configured.
        self.broker: EmbeddedBroker | None = None

    @property
    def web_url(self) -> str:
        """Where the service's web page is."""
        return self.settings.server_url

    @property
    def config(self) -> Path:
        """The service's configuration file."""
        return self.directory / "packit-worker.yaml"

    @property
    def forge(self) -> str:
        """The host that accounts are approved on."""
        return urlsplit(self.settings.github.web_url).hostname or ""

    def remember(self, name: str, value: str) -> None:
        """Keep something of a tale's beginning for its end."""
        self._remembered[name] = value

    def recall(self, name: str) -> str:
        """What was kept."""
        return self._remembered[name]

    def announce(self, what: str, where: str) -> None:
        """Note a place that people may want to look at."""
        self.places[what] = where

    def __enter__(self) -> Stage:
        with contextlib.ExitStack() as stack:
            self._set(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _set(self, stack: contextlib.ExitStack) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        addresses = self._start_sandbox(stack)
        self.sandbox = stack.enter_context(SandboxClient(addresses["control"]))
        port = _free_port()
        config = self.config
        config.write_text(yaml.safe_dump(_config(addresses, self.directory, port) | self._more))
        config.chmod(0o600)
        environment = {**os.environ, "PACKIT_WORKER_CONFIG": str(config), "PYTHONUNBUFFERED": "1"}
        self.settings = load_service_config(config, {})
        environment |= shared_metrics(self.settings)
        self.journal = Journal(self.settings.database_url)
        stack.callback(self.journal.dispose)
        migrations.upgrade(self.journal)
        if self.settings.broker_url is None:
            self.broker = stack.enter_context(EmbeddedBroker(self.settings.data_dir))
        processes = list(all_of(self.settings, "127.0.0.1", port))
        self.supervisor = stack.enter_context(
            Supervisor(processes, environment=environment, log_dir=self.directory / "logs")
        )
        self._wait_for("web", self._web_is_ready)
        for process in processes:
            if process.name.rpartition("-")[0] in self.settings.lanes:
                self._wait_for(process.name, (ready_notes(self.settings) / process.name).exists)

    def _start_sandbox(self, stack: contextlib.ExitStack) -> dict[str, Any]:
        build, test = self._seconds
        log = stack.enter_context((self.directory / "sandbox.log").open("wb"))
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "packit_worker.sandbox", "--exit-with-parent"),
                *("--build-seconds", str(build), "--test-seconds", str(test)),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(_end, process)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise StageError(f"the sandbox did not start; see {self.directory / 'sandbox.log'}")
        addresses: dict[str, Any] = json.loads(line)
        return addresses

    def _web_is_ready(self) -> bool:
        try:
            return requests.get(f"{self.web_url}/api/healthz/ready", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def _wait_for(self, name: str, is_ready: Callable[[], bool], timeout: float = 30.0) -> None:
        deadline = time.monotonic() + timeout
        while not is_ready():
            if time.monotonic() > deadline:
                raise StageError(f"{name} did not start; see {self.supervisor.log_of(name)}")
            time.sleep(0.05)


def _config(addresses: dict[str, Any], directory: Path, port: int) -> dict[str, Any]:
    """A service configuration for the sandbox."""
    credentials = addresses["credentials"]
    github, copr, farm = credentials["github"], credentials["copr"], credentials["testing_farm"]
    web_url = addresses["github"]
    return {
        "deployment": "dev",
        "server_url": f"http://127.0.0.1:{port}",
        "data_dir": str(directory / "data"),
        "approval_repository_url": f"{web_url}/packit/approvals",
        "github": {
            "app_id": github["app_id"],
            "private_key": github["private_key"],
            "webhook_secret": github["webhook_secret"],
            "api_url": f"{web_url}/api/v3",
            "web_url": web_url,
            "app_slug": "packit-sandbox",
        },
        "copr": {
            "url": addresses["copr"],
            "username": copr["username"],
            "login": copr["login"],
            "token": copr["token"],
        },
        "dist_git": {
            "url": addresses["pagure"],
            "login": credentials["pagure"]["username"],
            "token": credentials["pagure"]["token"],
            "lookaside_url": f"{addresses['lookaside']}/repo/pkgs",
            "lookaside_upload_url": f"{addresses['lookaside']}/repo/pkgs/upload.cgi",
        },
        "testing_farm": {
            "api_url": f"{addresses['testing_farm']}/v0.1",
            "token": farm["token"],
            "callback_token": secrets.token_urlsafe(24),
        },
        "gitlab": {
            "instances": [
                {
                    "url": addresses["gitlab"],
                    "login": credentials["gitlab"]["username"],
                    "token": credentials["gitlab"]["token"],
                }
            ]
        },
        "bus": {"feed_url": addresses["bus"]},
        # One process a lane: the demo's machine may be small.
        "lanes": {lane: {"processes": 1} for lane in ("parse", "short-running", "long-running", "report")},
        "target_aliases": {"fedora-stable": ["fedora-43", "fedora-44"]},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
