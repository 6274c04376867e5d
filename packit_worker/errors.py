"""Errors whose names say what the machine has to do next. Ground floor: anybody may import it."""

from __future__ import annotations


def in_short(error: BaseException) -> str:
    """An error in one line. Those of databases go on with the statement and its values, which are nobody's business."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


class TemporaryError(Exception):
    """Nothing happened outside, and it may go well later: try again with back-off.

    ``retry_after`` is in seconds, where the other side said how long to wait.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(TemporaryError):
    """The other side wants no more requests for ``retry_after`` seconds."""


class Unanswered(TemporaryError):
    """A request was sent and no answer came: whether it was carried out is unknown. Look before sending it again."""


class Settling(Unanswered):
    """Nothing was asked this time: an earlier request without an answer may still be carried out."""


class UserError(Exception):
    """Only a person can help, and the text is for them: what is wrong, and in ``next_step`` what to do."""

    def __init__(self, message: str, *, next_step: str, url: str | None = None) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.url = url


class NotFound(Exception):
    """The other side knows no such thing."""


class Refused(Exception):
    """The other side will not do this, however often it is asked (a 4xx answer that is no rate limit).

    ``status`` is the HTTP status, ``answer`` the words of the other side.
    """

    def __init__(self, message: str, *, status: int | None = None, answer: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.answer = answer


class NotYet(TemporaryError):
    """A result came before the order it belongs to is written down: park it, it will be wanted soon."""
