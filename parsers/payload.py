"""A payload that says where it is wrong. Standard library only; used by the parsers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from parsers.forms import kind_of

T = TypeVar("T", str, int, float, bool, dict, list)  # type: ignore[type-arg]
F = TypeVar("F")


class MalformedPayload(ValueError):
    """The payload has not the shape its sender documents. ``path`` is dotted: ``pull_request.head.sha``."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path or 'the payload'}: {why}")
        self.path = path
        self.why = why


class Ignored(Exception):
    """The payload is well, and none of our business; the message says why, for people."""


class Payload:
    """Read access to decoded JSON by dotted path; list items are addressed by number (``comments.-1.user``).

    ``origin`` is the deployment that speaks, where the bus tells it beside the payload (``io.pagure.prod``,
    ``git.centos.org``); ``sent_at`` the time on the envelope, in seconds since the epoch.
    """

    def __init__(
        self, body: Any, *, at: str = "", origin: str | None = None, sent_at: float | None = None
    ) -> None:
        """``at`` is where the body sits in what arrived. Raises ``MalformedPayload`` when it is no JSON object."""
        if not isinstance(body, dict):
            raise MalformedPayload(at, f"is {kind_of(body)}, not an object")
        self._body: dict[str, Any] = body
        self._at = at
        self.origin = origin
        self.sent_at = sent_at

    def dig(self, path: str, kind: type[T] = str) -> T:  # type: ignore[assignment]
        """The value at the path, of the given type. Raises ``MalformedPayload`` when missing, null or of another."""
        return self._present(path, self.optional(path, kind))

    def optional(self, path: str, kind: type[T] = str) -> T | None:  # type: ignore[assignment]
        """The value at the path; None where it, or anything on the way to it, is missing or null.

        Raises ``MalformedPayload`` when something on the way is no object or list, or the value has another type.
        """
        value = self._at_path(path)
        if value is None:
            return None
        if kind is float and type(value) is int:
            value = self._as_float(path, value)
        if type(value) is not kind:
            raise self.malformed(path, f"is {kind_of(value)}, not {kind.__name__}")
        return value

    def read(self, path: str, form: Callable[[Any], F | None]) -> F:
        """The value at the path in the given form (see ``parsers.forms``). Raises ``MalformedPayload``."""
        return self._present(path, self.read_optional(path, form))

    def read_optional(self, path: str, form: Callable[[Any], F | None]) -> F | None:
        """The value at the path in the given form; None where it is missing, null or empty text."""
        value = self._at_path(path)
        if value is None or value == "":
            return None
        try:
            return form(value)
        except ValueError as wrong:
            raise self.malformed(path, str(wrong)) from None

    def part(self, path: str) -> Payload:
        """The object at the path as a payload of its own, whose complaints name the whole path."""
        return Payload(self.dig(path, dict), at=self._full(path), origin=self.origin, sent_at=self.sent_at)

    def parts(self, path: str) -> list[Payload]:
        """The objects in the list at the path; empty where there is no list."""
        count = len(self.optional(path, list) or ())
        return [self.part(f"{path}.{index}") for index in range(count)]

    def has(self, path: str) -> bool:
        """Whether there is something but null at the path, of whatever type."""
        value: Any = self._body
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        return value is not None

    def malformed(self, path: str, why: str) -> MalformedPayload:
        """What to raise when the value at the path is wrong."""
        return MalformedPayload(self._full(path), why)

    def _at_path(self, path: str) -> Any:
        value: Any = self._body
        walked: list[str] = []
        for step in path.split("."):
            value = self._step(value, step, ".".join(walked))
            walked.append(step)
            if value is None:
                return None
        return value

    def _step(self, value: Any, step: str, walked: str) -> Any:
        if isinstance(value, dict):
            return value.get(step)
        if not isinstance(value, list) or not step.lstrip("-").isdigit():
            raise self.malformed(walked, f"is {kind_of(value)}, not an object")
        index = int(step)
        return value[index] if -len(value) <= index < len(value) else None

    def _as_float(self, path: str, value: int) -> float:
        try:
            return float(value)
        except OverflowError:
            raise self.malformed(path, "is too large a number") from None

    def _present(self, path: str, value: F | None) -> F:
        if value is None:
            raise self.malformed(path, "is missing or null")
        return value

    def _full(self, path: str) -> str:
        return ".".join(filter(None, (self._at, path)))
