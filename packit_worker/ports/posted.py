"""Something that was created outside, of whatever kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Posted:
    """Something that was created outside: its id there and, if it has one, its web page."""

    id: str
    url: str | None = None
