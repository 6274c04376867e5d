"""Processes for measurements: broker, sandbox, workers; and what the processor gives to them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kombu.connection import Connection
from kombu.entity import Queue

import packit_worker
from benchmarks import floor, scene
from benchmarks.databases import Database
from events.base import LANES
from packit_worker.broker.embedded import EmbeddedBroker
from packit_worker.config.service import ServiceConfig, load_service_config
from packit_worker.processes import Process
from packit_worker.sandbox.client import SandboxClient
from packit_worker.supervisor import Supervisor

_TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """It could not be measured: something did not start, did not happen in time, or went wrong."""


@contextmanager
def broker(url: str | None, directory: Path) -> Iterator[str]:
    """The broker of this URL, or an embedded one. Raises Failed when somebody else uses it."""
    if url is None:
        with EmbeddedBroker(directory) as embedded:
            yield embedded.url
        return
    queues = (*LANES, floor.FIRST, floor.SECOND)
    with Connection(url) as connection:
        if any(_waiting(connection, name) for name in queues):
            raise Failed("there are messages in the queues of this broker: name an unused virtual host")
    try:
        yield url
    finally:
        with Connection(url) as connection:
            for name in queues:
                connection.default_channel.queue_delete(name)


def _waiting(connection: Connection, name: str) -> int:
    """Messages in a queue."""
    count: int = Queue(name)(connection.default_channel).queue_declare().message_count
    return count


@contextmanager
def sandbox(directory: Path) -> Iterator[tuple[SandboxClient, dict[str, Any]]]:
    """A sandbox in a process of its own, and its addresses. Nothing moves in it unless it is told."""
    command = [sys.executable, "-m", "packit_worker.sandbox", "--exit-with-parent", "--manual"]
    with (directory / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--rate-limit", "1000000"],
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Failed("the sandbox did not start:\n" + (directory / "sandbox.log").read_text())
        addresses = json.loads(line)
        with SandboxClient(addresses["control"]) as client:
            yield client, addresses
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def configure(
    addresses: dict[str, Any], directory: Path, database: Database, broker_url: str
) -> tuple[ServiceConfig, dict[str, str]]:
    """The settings of a service for this sandbox, and the environment of its processes."""
    values = scene.configuration(
        addresses,
        addresses["credentials"],
        directory=directory,
        database_url=database.url,
        broker_url=broker_url,
        port=_free_port(),
    )
    path = directory / "packit-worker.yaml"
    path.write_text(yaml.safe_dump(values))
    path.chmod(0o600)
    return load_service_config(path, {}), environment(PACKIT_WORKER_CONFIG=str(path))


def environment(**variables: str) -> dict[str, str]:
    """Ours, with these variables, and with the project to be imported from wherever this was started."""
    here = Path(packit_worker.__file__).parents[1]
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(here), **variables}


@contextmanager
def workers(
    processes: Iterable[Process],
    variables: dict[str, str],
    directory: Path,
    notes: Path,
    *,
    wanted: Container[str] | None = None,
) -> Iterator[Supervisor]:
    """Processes; those that are workers leave a file in ``notes`` when they take tasks, and are waited for.

    ``wanted``: the lanes whose processes are workers; without it all are.
    """
    all_of_them = list(processes)
    with Supervisor(all_of_them, environment=variables, log_dir=directory / "logs") as supervisor:
        for process in all_of_them:
            if wanted is None or process.name.rpartition("-")[0] in wanted:
                log = supervisor.log_of(process.name)
                wait_for((notes / process.name).exists, 30, f"{process.name} is ready; see {log}")
        yield supervisor


def wait_for(is_so: Callable[[], bool], seconds: float, what: str, *, every: float = 0.05) -> None:
    """Wait until something is so. Raises Failed."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds:g} s for this: {what}")
        time.sleep(every)


@contextmanager
def held_back(pids: Iterable[int]) -> Iterator[None]:
    """Processes that stand still inside, so that a queue can be filled before they begin on it."""
    stopped = list(pids)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def processor_seconds(pids: Iterable[int]) -> float:
    """What the processor has given to these processes so far."""
    ticks = 0
    for pid in pids:
        # After the last parenthesis: the name of a process may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
