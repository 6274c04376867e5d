"""A jail while its command runs: started, watched, ended. ``cell`` alone uses it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from packit_worker import logs
from packit_worker.cell import jail, watching
from packit_worker.cell.limits import KIB, Finished, KilledBy
from packit_worker.cell.missing import no_cell
from packit_worker.errors import TemporaryError

log = logging.getLogger(__name__)

#: Seconds between two looks at the processes; between two looks at the files at least the second.
_LOOK, _LOOK_AT_FILES = 0.1, 1.0
#: Seconds within which everything in a jail is gone once its first process was killed.
_DYING = 10.0
#: Signals by which the kernel says that a limit of its own was passed.
_SIGNALS = {128 + signal.SIGXCPU: KilledBy.CPU, 128 + signal.SIGXFSZ: KilledBy.FILE_SIZE}


class Running:
    """One running jail."""

    def __init__(self, bwrap: str, inside: jail.Inside, command: Sequence[str], folder: str) -> None:
        self._inside = inside
        self._limits = inside.limits
        self._output = bytearray()
        self._written = 0
        self._killed_by: KilledBy | None = None
        self._first: int | None = None
        self._first_pid: int | None = None
        self._look_at_files_at = 0.0
        self._started = time.monotonic()
        # Two pipes: to the launcher's, whatever runs in the jail can write as well.
        self._told, self._status = _Pipe(), _Pipe()
        nobody = jail.NOBODY if os.geteuid() == 0 else None
        try:
            with ExitStack() as keep:
                line = jail.command_line(
                    bwrap, inside, command, folder, told=self._told.far, status=self._status.far, keep=keep
                )
                self._process = subprocess.Popen(  # noqa: S603 - this is the jail; the words are separate arguments
                    line.arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=jail.environment(inside),
                    cwd="/",
                    pass_fds=line.numbers,
                    user=nobody,
                    group=nobody,
                    extra_groups=None if nobody is None else [],
                )
                # Bubblewrap reads the files before it starts the command, and has its own copies of their numbers.
        except BaseException:
            self._told.close()
            self._status.close()
            raise
        finally:
            os.close(self._told.far)
            os.close(self._status.far)

    def finish(self) -> Finished:
        """Watch until nothing is left of it."""
        try:
            self._watch()
        finally:
            # Also where the worker was told to stop in the middle.
            self._end()
        return self._result()

    def _watch(self) -> None:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ, self._take_output)
            selector.register(self._told.near, selectors.EVENT_READ, self._take_told)
            selector.register(self._status.near, selectors.EVENT_READ, self._status.take)
            looked = 0.0
            while self._killed_by is None and self._process.poll() is None:
                for key, _ in selector.select(_LOOK):
                    if not key.data():
                        selector.unregister(key.fileobj)
                if time.monotonic() - looked >= _LOOK:
                    self._killed_by = self._passed()
                    looked = time.monotonic()

    def _take_output(self) -> bool:
        assert self._process.stdout is not None
        data = os.read(self._process.stdout.fileno(), 64 * KIB)
        self._written += len(data)
        self._output += data
        # Cut now and then and not every time: moving the rest costs.
        if len(self._output) > 4 * self._limits.output_kept:
            del self._output[: -self._limits.output_kept]
        if self._written > self._limits.output_total:
            self._killed_by = KilledBy.OUTPUT
        return bool(data)

    def _take_told(self) -> bool:
        """Bubblewrap tells us as JSON, among others, which process is the jail's first."""
        more = self._told.take()
        if self._first is None:
            for line in self._told.lines():
                with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
                    self._first_pid = int(json.loads(line)["child-pid"])
                    # A number that stays with this process, however many others come and go.
                    self._first = os.pidfd_open(self._first_pid)
        return more

    def _passed(self) -> KilledBy | None:
        """The limit that has been passed, if any."""
        now, limits = time.monotonic(), self._limits
        if now - self._started > limits.seconds:
            return KilledBy.TIME
        if self._first_pid is None:
            return self._killed_by
        used = watching.used(self._first_pid)
        # The jail's own first process and the way to the proxy are not the command's.
        if used.processes > limits.processes + 2:
            return KilledBy.PROCESSES
        if used.memory > limits.memory and watching.own_memory(used.pids) > limits.memory:
            return KilledBy.MEMORY
        if used.cpu_seconds > limits.cpu_seconds:
            return KilledBy.CPU
        if now >= self._look_at_files_at:
            return self._passed_on_disk(used.pids) or self._killed_by
        return self._killed_by

    def _passed_on_disk(self, pids: tuple[int, ...]) -> KilledBy | None:
        before = time.monotonic()
        stored = watching.stored(self._inside.work, most_files=self._limits.files)
        deleted = watching.deleted_files(pids)
        now = time.monotonic()
        # A large tree takes long to walk: one part in twenty of our time at most.
        self._look_at_files_at = now + max(_LOOK_AT_FILES, 20 * (now - before))
        if stored.size + deleted > self._limits.disk:
            return KilledBy.DISK
        if stored.files > self._limits.files:
            return KilledBy.FILES
        if watching.free(self._inside.work) < self._limits.free_disk:
            return KilledBy.FULL_DISK
        return None

    def _end(self) -> None:
        """Kill what is left and wait until it is gone. The kernel takes all others along with the first process."""
        deadline = time.monotonic() + _DYING
        assert self._process.stdout is not None
        try:
            # It may have been told and not been read.
            self._told.drain(self._take_told)
            if self._first is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._first, signal.SIGKILL)
            try:
                # It waits for the first process, which is then nobody's zombie.
                self._process.wait(_DYING if self._first is not None else 0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            os.set_blocking(self._process.stdout.fileno(), False)
            for data in self._rest(deadline):
                self._output += data
            self._status.drain(self._status.take)
        finally:
            self._process.stdout.close()
            self._told.close()
            self._status.close()
            if self._first is not None:
                os.close(self._first)

    def _rest(self, deadline: float) -> Iterator[bytes]:
        """What was written and not yet read. Its end is also the end of every process that could write."""
        assert self._process.stdout is not None
        while time.monotonic() < deadline:
            try:
                data = os.read(self._process.stdout.fileno(), 64 * KIB)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not data:
                return
            yield data
        log.error("processes of a jail were still there %s s after they were killed", _DYING)

    def _result(self) -> Finished:
        seconds = time.monotonic() - self._started
        output = logs.censor(bytes(self._output[-self._limits.output_kept :]).decode("utf-8", "replace"))
        if self._killed_by is not None:
            log.info("a command in a jail was ended after %.1f s: %s", seconds, self._killed_by)
            return Finished(exit_code=None, output=output, seconds=seconds, killed_by=self._killed_by)
        said = self._status.lines()
        codes = [int(line[6:]) for line in said if line.startswith("ended ") and line[6:].isdecimal()]
        if codes:
            code = codes[-1] & 0xFF
            killed_by = _SIGNALS.get(code)
            return Finished(
                exit_code=code if killed_by is None else None,
                output=output,
                seconds=seconds,
                killed_by=killed_by,
            )
        if not said:
            words = output.strip().splitlines()
            raise no_cell(
                words[-1] if words else f"bwrap ended with {self._process.returncode} and said nothing"
            )
        raise TemporaryError("the jail was ended from outside; the machine may be out of memory")


class _Pipe:
    """A pipe on which short messages come. ``far`` is the end that others write to."""

    def __init__(self) -> None:
        self.near, self.far = os.pipe()
        self._text = b""

    def take(self) -> bool:
        """Read what is there; False at the end."""
        data = os.read(self.near, 4 * KIB)
        # Never more than the last bit of it, however much somebody writes.
        self._text = (self._text + data)[-4 * KIB :]
        return bool(data)

    def drain(self, take: Callable[[], bool]) -> None:
        """Read all that is there already with ``take``, a bounded number of times."""
        os.set_blocking(self.near, False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):
                if not take():
                    return

    def lines(self) -> list[str]:
        """The lines that came."""
        return self._text.decode("utf-8", "replace").splitlines()

    def close(self) -> None:
        """Close our end."""
        os.close(self.near)
