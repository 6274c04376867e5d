"""How commands print: tables, times, and words from outside that may hold anything."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn on a terminal, elsewhere in plain columns that nothing is cut off from."""
    shown = [[visible(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        drawn = Table(*headers, box=box.SIMPLE_HEAD)
        for row in shown:
            drawn.add_row(*[Text(cell, overflow="fold") for cell in row])
        Console().print(drawn)
        return
    lines = [[header.upper() for header in headers], *shown]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def visible(text: str) -> str:
    """Text from outside for a terminal: control characters, which could steer it, are spelt out."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text
    )


def moment(at: datetime) -> str:
    """A time for people, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
