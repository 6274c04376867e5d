"""What may use the calls that a rate limit keeps back: whatever leads to the first status of an event.

Said by whoever knows (``course`` and ``showing``), for the thread and the moment; asked by ``clients``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_urgent: ContextVar[bool] = ContextVar("urgent", default=False)


@contextmanager
def first_status(yes: bool = True) -> Iterator[None]:
    """Inside, calls are made for a first status; or, with False, for something that can wait."""
    token = _urgent.set(yes)
    try:
        yield
    finally:
        _urgent.reset(token)


def is_urgent() -> bool:
    """Whether what this thread asks for now may use what is kept back."""
    return _urgent.get()
