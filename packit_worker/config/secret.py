"""A value that does not show itself. Anybody may import it."""

from __future__ import annotations

import hmac


class Secret:
    """A secret text: prints as stars, compares in constant time, and gives its value only to who asks with `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself: for the client that sends it or the check that needs it, never for a log."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret | str):
            return NotImplemented
        text = other.reveal() if isinstance(other, Secret) else other
        # bytes, as compare_digest raises TypeError for text that is not ASCII
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret('***')"
