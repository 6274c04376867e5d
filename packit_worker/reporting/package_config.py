"""What is said of a package configuration that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import code_block, plain
from packit_worker.reporting.words import Words


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """Something in a package configuration that has to be corrected; ``nearest`` is the word probably meant."""

    message: str
    line: int | None = None
    column: int | None = None
    nearest: str | None = None


def bad_config(path: str, mistakes: Sequence[Mistake]) -> Words:
    """The package configuration cannot be used. A mistyped word is shown before what its absence brings about."""
    ordered = sorted(mistakes, key=lambda mistake: mistake.nearest is None)
    lines = [_mistake(path, mistake) for mistake in ordered]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.NEUTRAL,
        title=lines[0] + more,
        summary=f"Correct {plain(path)} and push again: nothing was run.\n\n{code_block(chr(10).join(lines))}",
    )


def _mistake(path: str, mistake: Mistake) -> str:
    where = f"{path}, line {mistake.line}, column {mistake.column}" if mistake.line else path
    hint = (
        f"; did you mean {mistake.nearest}?"
        if mistake.nearest and mistake.nearest not in mistake.message
        else ""
    )
    return f"{where}: {mistake.message}{hint}"
