"""What a measurement says: rows with a figure, and a budget where there is one."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. ``most`` is what it may be at most; ``note`` says what it was measured on, or how it spreads."""

    benchmark: str
    what: str
    value: float
    unit: str = ""
    most: float | None = None
    note: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it breaks its budget."""
        return self.most is not None and self.value > self.most

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return dataclasses.asdict(self) | {"verdict": self._verdict}

    @property
    def _verdict(self) -> str:
        if self.most is None:
            return ""
        return "OVER" if self.is_over else "OK"

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        figure = (
            f"{self.value:,.0f}"
            if self.value >= 100 or self.value == int(self.value)
            else f"{self.value:.2f}"
        )
        budget = "" if self.most is None else f"<= {self.most:g}"
        colour = "red" if self.is_over else "green"
        return (
            self.what,
            f"{figure} {self.unit}".strip(),
            budget,
            f"[{colour}]{self._verdict}[/]",
            self.note,
        )


def show(rows: Sequence[Row]) -> None:
    """Print a table for each benchmark."""
    console = Console()
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        table = Table("what", "figure", "budget", "", "note", title=benchmark, title_justify="left")
        for row in rows:
            if row.benchmark == benchmark:
                table.add_row(*row.cells)
        console.print(table)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(values: Sequence[float]) -> str:
    """The range of some rounds, for a note."""
    return f"median of {len(values)} rounds, {min(values):.3g} to {max(values):.3g}"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)
