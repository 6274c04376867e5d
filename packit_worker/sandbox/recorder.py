"""What the sandbox saw: every call it answered and every effect a call had. Used inside the sandbox only."""

import hashlib
import json
import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

KEPT_CALLS = 200_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One HTTP request that reached a server of the sandbox."""

    server: str
    method: str
    path: str
    query: str
    status: int
    """The status answered; 0 if the connection was dropped instead."""
    at: float
    """When the request arrived, in seconds since the epoch."""
    seconds: float
    """How long answering took."""
    fault: str | None = None
    """The kind of the injected fault, if any."""


class Recorder:
    """Keeps the calls and counts the effects of all servers of one sandbox. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._effects: Counter[tuple[str, ...]] = Counter()

    def record(self, call: Call) -> None:
        """Remember one answered call."""
        with self._lock:
            self._calls.append(call)

    def count(self, *key: str | None) -> None:
        """Count one thing created on the outside, such as ``("check_run", repository, sha, name, id)``."""
        with self._lock:
            self._effects[tuple(part or "" for part in key)] += 1

    def calls(self, server: str | None = None) -> list[Call]:
        """The calls in order of arrival at the end of their answer, of one server or of all."""
        with self._lock:
            return [call for call in self._calls if server is None or call.server == server]

    def effects(self) -> Counter[tuple[str, ...]]:
        """How often each thing was created; a count above one is a doubled effect."""
        with self._lock:
            return Counter(self._effects)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._calls.clear()
            self._effects.clear()


def fingerprint(text: str) -> str:
    """A short stable name for a long text, for use in the key of an effect."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical(value: Any) -> str:
    """JSON with sorted keys, so that equal values make equal keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
