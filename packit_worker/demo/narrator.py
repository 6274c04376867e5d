"""The narrator: follows a delivery's story in the journal and tells each entry once, as it happens."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

from packit_worker.journal import Journal, story
from packit_worker.journal.story import Entry, Story

#: How often the journal is read, in seconds.
INTERVAL = 0.15

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


def follow(
    journal: Journal, delivery_id: str, is_over: Callable[[Story], bool], timeout: float
) -> Iterator[Entry]:
    """The entries of a story, each once, until it is over or ``timeout`` seconds have passed."""
    told: set[tuple[object, ...]] = set()
    deadline = time.monotonic() + timeout
    while True:
        with journal.read() as session:
            now_known = story.of_delivery(session, delivery_id)
        if now_known is not None:
            for entry in now_known.entries:
                key = (entry.at, entry.kind, entry.title, entry.text)
                if key not in told:
                    told.add(key)
                    yield entry
            if is_over(now_known):
                return
        if time.monotonic() > deadline:
            return
        time.sleep(INTERVAL)


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
