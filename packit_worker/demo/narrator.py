"""The narrator: prints the entries of a story, for people or for programs."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.text import Text

from packit_worker.journal.story import Entry

_COLOURS = {
    "received": "cyan",
    "event": "cyan",
    "decision": "white",
    "check": "green",
    "effect": "magenta",
    "build": "yellow",
    "test_run": "yellow",
    "dead": "red",
    "malformed": "red",
}


class Narrator:
    """Prints entries: a timeline for people, or JSON lines."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False)
        self._begun: float | None = None

    def tell(self, entry: Entry) -> None:
        """Print one entry. Times are seconds since the first."""
        moment = entry.at.timestamp()
        self._begun = moment if self._begun is None else self._begun
        if self._as_json:
            print(json.dumps(entry.to_json() | {"seconds": round(moment - self._begun, 3)}), flush=True)  # noqa: T201
            return
        line = Text(f"{moment - self._begun:7.2f} s  ", style="dim")
        line.append(f"{entry.kind:<9} ", style=_COLOURS.get(entry.kind, "white"))
        line.append(entry.title, style="bold")
        if entry.text:
            line.append(f"  {entry.text}")
        self._console.print(line, soft_wrap=True)
        if entry.next_step:
            self._console.print(Text(f"{'':22}what to do: {entry.next_step}", style="dim"), soft_wrap=True)

    def say(self, text: str) -> None:
        """A line that is no entry: where things are. Kept from the JSON lines."""
        if self._as_json:
            print(text, file=sys.stderr, flush=True)  # noqa: T201
        else:
            self._console.print(text, style="dim", soft_wrap=True)
