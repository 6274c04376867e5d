"""Spans made and sent with OpenTelemetry's SDK. Imported by ``tracing`` only, and only where it is configured.

https://opentelemetry-python.readthedocs.io/en/stable/sdk/trace.html
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from packit_worker import logs
from packit_worker.config.tracing import TracingConfig
from packit_worker.tracing import Kind, Part, Value

#: Spans that wait to be sent; those beyond are dropped. And how many are sent at once.
QUEUE, BATCH = 2048, 512
#: Seconds between two batches, and for which an answer is waited for.
INTERVAL, TIMEOUT = 5.0, 5.0
#: Characters of an attribute's value.
LONGEST = 200

#: The ids of the span about to be made, where they are not left to chance.
_next: ContextVar[tuple[int, int] | None] = ContextVar("next", default=None)


class Spans:
    """The spans of one process (``web``, ``worker``...), sent in batches from a thread of their own."""

    def __init__(self, config: TracingConfig, process: str) -> None:
        headers = {"Authorization": f"Bearer {config.token.reveal()}"} if config.token else None
        self._provider = TracerProvider(
            resource=Resource.create(
                {
                    "service.name": f"packit-worker-{process}",
                    "service.version": importlib.metadata.version("packit-worker"),
                    "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
                }
            ),
            # Which deliveries are traced says ``tracing``.
            sampler=ALWAYS_ON,
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        self._exporter = _Exporter(endpoint=config.endpoint, headers=headers, timeout=TIMEOUT)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=QUEUE,
                max_export_batch_size=BATCH,
                schedule_delay_millis=INTERVAL * 1000,
            )
        )
        self._tracer = self._provider.get_tracer("packit_worker")

    def stop(self) -> None:
        """Send what waits, and nothing more. Waits twice ``TIMEOUT`` at most for a collector that is away."""
        self._exporter.is_ending = True
        self._provider.shutdown()

    def first(self, trace: str, name: str, begun: int, kind: Kind, attributes: Mapping[str, Value]) -> None:
        """The first span of a trace, from ``begun`` (nanoseconds since the epoch) until now."""
        token = _next.set((int(trace, 16), _first_id(trace)))
        try:
            made = self._tracer.start_span(
                name, Context(), kind=_kind(kind), attributes=_clean(attributes), start_time=begun
            )
        finally:
            _next.reset(token)
        made.end()

    @contextmanager
    def below_first(self, trace: str, name: str, attributes: Mapping[str, Value]) -> Iterator[Part]:
        """A span below the first of a trace, whichever process has made that."""
        first = SpanContext(int(trace, 16), _first_id(trace), is_remote=True, trace_flags=TraceFlags(1))
        above = set_span_in_context(NonRecordingSpan(first), Context())
        with self._made(name, "consumer", attributes, above) as part:
            yield part

    @contextmanager
    def inside(self, name: str, kind: Kind, attributes: Mapping[str, Value]) -> Iterator[Part]:
        """A span below the one that this thread is in; none where it is in none."""
        if not get_current_span().get_span_context().is_valid:
            yield Part()
            return
        with self._made(name, kind, attributes, None) as part:
            yield part

    @contextmanager
    def _made(
        self, name: str, kind: Kind, attributes: Mapping[str, Value], above: Context | None
    ) -> Iterator[Part]:
        with self._tracer.start_as_current_span(
            name,
            above,
            kind=_kind(kind),
            attributes=_clean(attributes),
            # Their texts may hold what others have said.
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            try:
                yield _Made(made)
            except BaseException as error:
                made.set_attribute("error.type", type(error).__name__)
                made.set_status(StatusCode.ERROR)
                raise


class _Exporter(OTLPSpanExporter):
    """Sends batches; at the end of the process only until one of them cannot be sent."""

    is_ending = False
    _is_away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.is_ending and self._is_away:
            return SpanExportResult.FAILURE
        result = super().export(spans)
        self._is_away = result is not SpanExportResult.SUCCESS
        return result


class _Made(Part):
    """A part that is a span."""

    def __init__(self, made: Span) -> None:
        self._made = made

    def set(self, **attributes: Value) -> None:
        self._made.set_attributes(_clean(attributes))

    def answered(self, status: int) -> None:
        self._made.set_attribute("http.response.status_code", status)
        if status >= 400:
            self._made.set_status(StatusCode.ERROR)


class _Ids(RandomIdGenerator):
    """Ids of chance, but for the first span of a trace."""

    def generate_trace_id(self) -> int:
        ids = _next.get()
        return super().generate_trace_id() if ids is None else ids[0]

    def generate_span_id(self) -> int:
        ids = _next.get()
        return super().generate_span_id() if ids is None else ids[1]


def _first_id(trace: str) -> int:
    """The id of a trace's first span; never 0, which is none."""
    return int(hashlib.sha256(b"first\0" + trace.encode()).hexdigest()[:16], 16) or 1


def _kind(kind: Kind) -> SpanKind:
    return SpanKind[kind.upper()]


def _short(text: str) -> str:
    return logs.censor(text)[:LONGEST]


def _clean(attributes: Mapping[str, Value]) -> dict[str, str | int]:
    return {
        name: _short(value) if isinstance(value, str) else value
        for name, value in attributes.items()
        if value is not None
    }
