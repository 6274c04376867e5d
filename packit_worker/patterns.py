"""Regular expressions that somebody else wrote, for RE2: their time grows with the text and not with their twists."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from packit_worker.errors import UserError

#: Characters of a regular expression in a package configuration.
LONGEST_PATTERN = 500


@lru_cache(maxsize=256)
def compiled(pattern: str, what: str) -> Any:
    """The pattern, compiled; ``what`` it is in the configuration goes into the words of the error. Raises UserError."""
    if len(pattern) > LONGEST_PATTERN:
        raise UserError(
            f"the pattern of {what} is longer than {LONGEST_PATTERN} characters",
            next_step="Write a shorter one.",
        )
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise UserError(
            f"{what} {pattern!r} is no regular expression that RE2 knows: {_words(error)}",
            next_step="Correct it: https://github.com/google/re2/wiki/Syntax says what RE2 knows.",
        ) from error


def _words(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
