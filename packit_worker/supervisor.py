"""Keeps a set of processes running on one machine, and stops them together. In production the platform does this."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from packit_worker.processes import Process, end_with_parent

log = logging.getLogger(__name__)

#: Seconds before a process is started again.
SHORTEST, LONGEST = 0.2, 10.0


class Supervisor:
    """Starts processes, starts again those that end, and stops all at the end of the context.

    Each process writes to ``<log_dir>/<name>.log``. One that ends is started again after 0.2 s, doubled up to 10 s
    while it keeps ending within 10 s. They are stopped all at once, and one that does not end is killed. When the
    supervisor dies they get SIGTERM (Linux), so it has to be made in a thread that lives as long as it does.
    """

    def __init__(
        self, processes: Iterable[Process], *, environment: Mapping[str, str], log_dir: Path
    ) -> None:
        self._specs = {process.name: process for process in processes}
        self._environment = dict(environment)
        self._log_dir = log_dir
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._watch_them, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        try:
            for name in self._specs:
                self._start(name)
        except BaseException:
            self.stop()
            raise
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        with self._lock:
            return {name: process.pid for name, process in self._running.items() if process.poll() is None}

    def log_of(self, name: str) -> Path:
        """Where a process writes to."""
        return self._log_dir / f"{name}.log"

    def stop(self, timeout: float = 10.0) -> None:
        """Ask all to end; kill those that have not after ``timeout`` seconds."""
        self._stopping.set()
        with self._lock:
            processes = list(self._running.values())
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + timeout
        for process in processes:
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        # The kernel takes the thread that started a process for its parent: it must not end before them.
        self._stopped.set()
        if self._watch.is_alive():
            self._watch.join()

    def _start(self, name: str) -> None:
        with self._lock, self.log_of(name).open("ab") as output:
            if self._stopping.is_set():
                return
            process = subprocess.Popen(  # noqa: S603 - command lines of our own
                self._specs[name].command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches the supervisor, and the supervisor stops them in order.
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
            self._running[name] = process

    def _watch_them(self) -> None:
        delays = dict.fromkeys(self._specs, SHORTEST)
        started = {name: time.monotonic() for name in self._specs}
        due: dict[str, float] = {}
        while not self._stopping.wait(0.1):
            moment = time.monotonic()
            for name, process in list(self._running.items()):
                if process.poll() is None:
                    continue
                if name not in due:
                    lasted = moment - started[name]
                    delay = SHORTEST if lasted > LONGEST else delays[name]
                    delays[name] = min(delay * 2, LONGEST)
                    due[name] = moment + delay
                    log.warning(
                        "%s ended with %s after %.1f s; it is started again", name, process.returncode, lasted
                    )
                elif moment >= due[name]:
                    self._restart(name, due)
                    started[name] = moment
        self._stopped.wait()

    def _restart(self, name: str, due: dict[str, float]) -> None:
        try:
            self._start(name)
            del due[name]
        except OSError as error:
            log.error("%s cannot be started: %s", name, error)
            due[name] = time.monotonic() + LONGEST
