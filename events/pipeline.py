"""The four steps between an event and its handlers, as a protocol.

Events know only this protocol; the worker brings the real pipeline (``packit_worker.pipeline.steps``) and puts it in
place around ``Event.process()``. So events reach handlers without knowing them. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from events.base import Event
    from events.outcome import Outcome


class Pipeline(Protocol):
    """What ``Event.process()`` asks of the worker. A run is the pipeline's own; events only pass it on."""

    def is_open_project(self, event: Event) -> bool:
        """Whether the project is public, or private and let in by the service's configuration."""

    def plan(self, event: Event) -> Sequence[Any]:
        """The runs that answer the event; a reason is written down for every one not taken."""

    def is_approved(self, event: Event, plan: Sequence[Any]) -> bool:
        """Whether the account behind the event is on the allowlist; a refusal is shown to the user."""

    def run(self, run: Any) -> Outcome:
        """Run one handler. Its failure is the run's ending and never reaches the next run."""


_current: ContextVar[Pipeline] = ContextVar("pipeline")


def current() -> Pipeline:
    """The pipeline in place. Raises ``RuntimeError`` outside of ``in_place()``."""
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError(
            "no pipeline is in place: process() runs inside events.pipeline.in_place()"
        ) from None


@contextmanager
def in_place(pipeline: Pipeline) -> Iterator[None]:
    """Put a pipeline in place for the events processed inside."""
    token = _current.set(pipeline)
    try:
        yield
    finally:
        _current.reset(token)
