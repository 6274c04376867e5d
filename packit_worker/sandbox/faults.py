"""Faults the sandbox's servers can be told to have.

Used inside the sandbox only; tests add faults through `Sandbox.faults`.

The kinds:

===================  ======================================================================================
``delay``            wait `seconds`, then answer as usual
``status``           answer with `status` instead of doing anything
``status_after``     do what was asked, then answer with `status`
``rate_limit``       GitHub's primary limit: 403 (or 429 with that `status`), a reset `reset_seconds` from now
``secondary_limit``  GitHub's secondary limit: 403 (or 429) with ``Retry-After: reset_seconds``
``drop_before``      close the connection without an answer and without doing anything
``drop_after_commit``  do what was asked, then close the connection without an answer
``delay_after``      do what was asked, then wait `seconds` before answering
===================  ======================================================================================
"""

import random
import re
import threading
from dataclasses import dataclass, replace
from typing import Literal, get_args

Kind = Literal[
    "delay",
    "delay_after",
    "status",
    "status_after",
    "rate_limit",
    "secondary_limit",
    "drop_before",
    "drop_after_commit",
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: for which calls, of which kind, how often."""

    server: str
    kind: str
    method: str | None = None
    path: str = ""
    """A regular expression searched in the path, without the prefix ``/api/v3`` of GitHub."""
    times: int | None = 1
    """How many calls it hits; None for all of them."""
    seconds: float = 0.0
    status: int = 500
    reset_seconds: int = 60
    skip: int = 0
    """How many matching calls pass unharmed first."""


@dataclass(frozen=True, kw_only=True)
class Chaos:
    """Random faults: probabilities between 0 and 1, and a range of delays in seconds."""

    drop_before: float = 0.0
    drop_after_commit: float = 0.0
    status_503: float = 0.0
    delay: tuple[float, float] | None = None
    servers: tuple[str, ...] | None = None


class Faults:
    """The faults of one sandbox. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._chaos: Chaos | None = None
        self._random = random.Random(0)

    def add(
        self,
        server: str,
        *,
        kind: str,
        method: str | None = None,
        path: str = "",
        times: int | None = 1,
        seconds: float = 0.0,
        status: int = 500,
        reset_seconds: int = 60,
        skip: int = 0,
    ) -> Fault:
        """Add a fault to the server named `server`. Raises ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"Unknown kind of fault {kind!r}; known are {', '.join(KINDS)}")
        re.compile(path)
        fault = Fault(
            server=server,
            kind=kind,
            method=method,
            path=path,
            times=times,
            seconds=seconds,
            status=status,
            reset_seconds=reset_seconds,
            skip=skip,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def chaos(
        self,
        seed: int,
        *,
        drop_before: float = 0.0,
        drop_after_commit: float = 0.0,
        status_503: float = 0.0,
        delay: tuple[float, float] | None = None,
        servers: tuple[str, ...] | None = None,
    ) -> None:
        """From now on hit calls at random, with a fixed `seed`; of all servers or of those named."""
        with self._lock:
            self._random = random.Random(seed)
            self._chaos = Chaos(
                drop_before=drop_before,
                drop_after_commit=drop_after_commit,
                status_503=status_503,
                delay=(delay[0], delay[1]) if delay else None,
                servers=tuple(servers) if servers else None,
            )

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._faults.clear()
            self._chaos = None

    def take(self, server: str, method: str, path: str) -> Fault | None:
        """The fault this call has, if any; it is used up by that."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if not _matches(fault, server, method, path):
                    continue
                if fault.skip:
                    self._faults[index] = replace(fault, skip=fault.skip - 1)
                    continue
                if fault.times is not None:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                    if fault.times <= 1:
                        del self._faults[index]
                return fault
            return self._draw(server)

    def _draw(self, server: str) -> Fault | None:
        chaos = self._chaos
        if chaos is None or (chaos.servers is not None and server not in chaos.servers):
            return None
        drawn = self._random.random()
        wait = self._random.uniform(*chaos.delay) if chaos.delay else 0.0
        for kind, probability in (
            ("drop_before", chaos.drop_before),
            ("drop_after_commit", chaos.drop_after_commit),
            ("status", chaos.status_503),
        ):
            if drawn < probability:
                return Fault(server=server, kind=kind, status=503, seconds=wait)
            drawn -= probability
        return Fault(server=server, kind="delay", seconds=wait) if wait else None


def _matches(fault: Fault, server: str, method: str, path: str) -> bool:
    return (
        fault.server == server
        and (fault.method is None or fault.method.upper() == method)
        and re.search(fault.path, path) is not None
    )
