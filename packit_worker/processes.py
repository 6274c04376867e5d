"""The processes of the service and their command lines, said once: for one machine, for manifests, for tests."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packit_worker.config.service import ServiceConfig

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process by name and command line; all are configured by PACKIT_WORKER_CONFIG."""

    name: str
    command: tuple[str, ...]


def web(host: str, port: int, *, workers: int = 1) -> Process:
    """The web door; how gunicorn serves it stands in ``packit_worker.web.serving``."""
    command = (
        *(sys.executable, "-m", "gunicorn", "--config", "python:packit_worker.web.serving"),
        *("--workers", str(workers), "--bind", f"{host}:{port}"),
        "packit_worker.web.wsgi:app",
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
    return Process(name="feed", command=(sys.executable, "-m", "packit_worker.bus.feed"))


def ready_notes(settings: ServiceConfig) -> Path:
    """The folder in which every worker that takes tasks has a file with its process's name."""
    return settings.data_dir / "ready"


def shared_metrics(settings: ServiceConfig) -> dict[str, str]:
    """The variable with which all processes of one machine count in the same folder, which is made anew.

    It is of the library for metrics: https://prometheus.github.io/client_python/multiprocess/
    """
    folder = settings.data_dir.absolute() / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return {"PROMETHEUS_MULTIPROC_DIR": str(folder)}


def all_of(settings: ServiceConfig, host: str, port: int) -> Iterator[Process]:
    """The whole service on one machine."""
    yield web(host, port)
    for name, options in settings.lanes.items():
        for number in range(1, options.processes + 1):
            yield lane(name, number)
    yield sweeper()
    if settings.bus.feed_url:
        yield feed()


def end_with_parent() -> None:
    """In a child, before its program begins: get SIGTERM when the thread that started it dies, however (Linux)."""
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
