"""The processes of the service and their command lines, said once: for one machine, for manifests, for tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packit_worker.config.service import ServiceConfig


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process by name and command line; all are configured by PACKIT_WORKER_CONFIG."""

    name: str
    command: tuple[str, ...]


def web(host: str, port: int, *, workers: int = 1) -> Process:
    """The web door. Threads, because a slow client must not hold up the others."""
    command = (
        *(sys.executable, "-m", "gunicorn", "packit_worker.web.wsgi:app"),
        *("--worker-class", "gthread", "--workers", str(workers), "--threads", "8"),
        *(
            "--bind",
            f"{host}:{port}",
            "--timeout",
            "30",
            "--graceful-timeout",
            "20",
            "--log-level",
            "warning",
        ),
    )
    return Process(name="web", command=command)


def lane(name: str, number: int = 1) -> Process:
    """A worker of a lane. One task at a time: more processes help, more children of one process do not."""
    command = (
        *(sys.executable, "-m", "celery", "--app", "packit_worker.worker", "worker"),
        *("--queues", name, "--pool", "solo", "--hostname", f"{name}-{number}@%h"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"),
    )
    return Process(name=f"{name}-{number}", command=command)


def sweeper() -> Process:
    """The sweeper."""
    return Process(name="sweeper", command=(sys.executable, "-m", "packit_worker.cli", "sweeper"))


def feed() -> Process:
    """The reader of a local message feed, where there is no bus."""
    return Process(name="feed", command=(sys.executable, "-m", "packit_worker.feed"))


def ready_notes(settings: ServiceConfig) -> Path:
    """The folder in which every worker that takes tasks has a file with its process's name."""
    return settings.data_dir / "ready"


def all_of(settings: ServiceConfig, host: str, port: int) -> Iterator[Process]:
    """The whole service on one machine."""
    yield web(host, port)
    for name, options in settings.lanes.items():
        for number in range(1, options.processes + 1):
            yield lane(name, number)
    yield sweeper()
    if settings.bus.feed_url:
        yield feed()
