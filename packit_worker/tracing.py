"""Traces through OpenTelemetry: one delivery is one trace, from its arrival to the checks that are shown for it.

``setup`` once a process; ``arrived`` at the door, ``delivery`` around work on what came of a delivery, ``span`` and
``call`` around parts of it. Without ``tracing.endpoint`` no library is imported, and all of it does nothing.

The ids of a trace and of its first span follow from the delivery's id. So every process knows them, whatever became of
the message that woke it, and the journal's ids lead to the trace. Spans carry ids, names and kinds only: no payloads,
no texts of errors. No library is instrumented: that would send our ids to forges, put whole addresses with their
queries into spans, and know nothing of what is done again by another process.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from packit_worker import logs
from packit_worker.config.tracing import TracingConfig

if TYPE_CHECKING:
    from packit_worker.spans import Spans

log = logging.getLogger(__name__)

Kind = Literal["internal", "server", "consumer", "client"]
#: Of an attribute; None is left out.
Value = str | int | None


class Part:
    """A part of a trace; this one is of none, and takes what is told of it to nowhere."""

    def set(self, **attributes: Value) -> None:
        """Tell more of it."""

    def answered(self, status: int) -> None:
        """Tell the status of HTTP that a call was answered with; 400 and more is an error."""


_NOTHING = Part()
_on: tuple[TracingConfig, Spans] | None = None


def trace_of(config: TracingConfig, delivery_id: str) -> str | None:
    """The id of a delivery's trace, 32 hexadecimal digits; None where none is sent for it."""
    if config.endpoint is None:
        return None
    trace = hashlib.sha256(b"delivery\0" + delivery_id.encode("utf-8", "replace")).hexdigest()[:32]
    # Whether it is one of those that are sampled is the same in every process, too.
    return trace if int(trace[16:], 16) < config.sample_rate * 2**64 else None


def is_on() -> bool:
    """Whether this process sends traces."""
    return _on is not None


def setup(config: TracingConfig, process: str) -> None:
    """Send what this process does (``web``, ``worker``...) to the configured address from now on, if there is one.

    Of a collector that is away or slow nothing is noticed but traces that are missing. Without the library there is an
    error in the log, and the service goes on.
    """
    global _on
    if config.endpoint is None or _on is not None:
        return
    try:
        from packit_worker.spans import Spans
    except ImportError as error:
        log.error("no traces are sent: install packit-worker with its extra tracing (%s)", error)
        return
    _on = config, Spans(config, process)
    atexit.register(stop)


def stop() -> None:
    """Send what waits, and nothing more; ends after some seconds, also where the collector is away."""
    global _on
    if _on is not None:
        (_, spans), _on = _on, None
        spans.stop()


def arrived(delivery_id: str, name: str, begun: int, *, kind: Kind = "server", **attributes: Value) -> None:
    """A delivery has been taken in, which began at ``begun`` (nanoseconds since the epoch): the trace's first span.

    To be told once for each delivery, whose trace has but one such span.
    """
    if _on is not None and (trace := trace_of(_on[0], delivery_id)) is not None:
        _on[1].first(trace, name, begun, kind, {"delivery": delivery_id, **attributes})


@contextmanager
def delivery(delivery_id: str | None, name: str, **attributes: Value) -> Iterator[Part]:
    """Work on what came of a delivery, in whatever process. Inside, log lines carry the trace's id."""
    trace = trace_of(_on[0], delivery_id) if _on is not None and delivery_id is not None else None
    if _on is None or trace is None:
        yield _NOTHING
        return
    attributes["delivery"] = delivery_id
    with logs.about(trace=trace), _on[1].below_first(trace, name, attributes) as part:
        yield part


def span(name: str, kind: Kind = "internal", **attributes: Value) -> AbstractContextManager[Part]:
    """A part of the work on a delivery; nothing where no ``delivery`` is around it."""
    return nullcontext(_NOTHING) if _on is None else _on[1].inside(name, kind, attributes)


def call(system: str, method: str, url: str) -> AbstractContextManager[Part]:
    """A request to a system outside: its host and path, without the query."""
    if _on is None:
        return nullcontext(_NOTHING)
    parts = urlsplit(url)
    told = {"http.request.method": method, "server.address": parts.hostname, "url.path": parts.path}
    return span(f"{method} {system}", "client", **told)
