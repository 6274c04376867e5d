"""The names of distributions that change their meaning."""

from __future__ import annotations

from typing import Protocol


class Aliases(Protocol):
    """What names such as fedora-stable stand for today."""

    def expand(self, alias: str) -> tuple[str, ...] | None:
        """Distribution names with version (``fedora-43``), newest first; None for a name that is no alias."""
