"""One command in a jail, from start to end. Handlers and the other modules of this package use it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from packit_worker.cell import jail, paths
from packit_worker.cell.limits import Finished, Limits
from packit_worker.cell.missing import NoCell, no_cell
from packit_worker.cell.network import Proxy, Resolve, resolve
from packit_worker.cell.running import Running
from packit_worker.cell.spaces import hand_over, workspace


class Cell:
    """A jail with one directory of the machine in it, in which commands run one after the other.

    ``work`` is seen as /work and may be written to; from the first command on its content is in the hands of whoever
    wrote that command. ``read_only`` are directories with programs, seen where they are. ``allow`` names hosts that
    may be talked to (``host`` or ``host:port``, see ``network``); without it there is no network at all. ``files``
    (path inside -> text) lie read-only in the jail, ``environment`` is all a command finds in its environment besides
    PATH, HOME and LANG: never put a secret into either.
    """

    def __init__(
        self,
        work: Path,
        *,
        limits: Limits | None = None,
        allow: Sequence[str] = (),
        read_only: Sequence[Path] = (),
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self.work = work.resolve(strict=True)
        self.limits = limits or Limits()
        self._allow = tuple(allow)
        self._read_only = tuple(read_only)
        self._files = dict(files or {})
        self._environment = dict(environment or {})
        self._resolve = resolve

    @staticmethod
    def available() -> str | None:
        """Why no jail can be had on this machine, and what to do about it; None where one can. Takes some 50 ms."""
        if shutil.which("bwrap") is None:
            return "the program bwrap is missing: install bubblewrap, 0.8 or newer"
        if jail.python() is None:
            return "the jail needs a Python in /usr/bin or /usr/local/bin: install python3"
        with workspace() as folder:
            try:
                Cell(folder).run(["true"])
            except NoCell as error:
                return str(error)
        return None

    def run(
        self, command: Sequence[str], *, folder: str = ".", environment: Mapping[str, str] | None = None
    ) -> Finished:
        """Run the command in ``folder`` of the work directory and wait for its end; nothing it started lives on.

        A program that is not there ends with 127, as in a shell. Raises NoCell where there is no jail (nothing was
        run then), TemporaryError where the machine ended it for a reason of its own. Safe in several threads, as long
        as each has a work directory of its own.
        """
        bwrap = shutil.which("bwrap")
        if bwrap is None or jail.python() is None:
            raise no_cell(self.available() or "bwrap came and went")
        paths.inside(self.work, folder)
        with ExitStack() as keep:
            proxy = None
            if self._allow:
                socket = Path(keep.enter_context(workspace())) / "proxy"
                keep.enter_context(Proxy(socket, self._allow, resolve=self._resolve))
                hand_over(socket)
                proxy = socket
            inside = jail.Inside(
                work=self.work,
                limits=self.limits,
                read_only=self._read_only,
                files=self._files,
                environment={**self._environment, **(environment or {})},
                proxy=proxy,
            )
            hand_over(self.work)
            return Running(bwrap, inside, command, folder).finish()
