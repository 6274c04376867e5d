"""``packit-worker explain``."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import moment, visible
from packit_worker.journal import story
from packit_worker.journal.story import Entry, Story
from packit_worker.tracing import trace_of

_COLOURS = {
    "received": "cyan",
    "event": "cyan",
    "effect": "magenta",
    "build": "yellow",
    "test_run": "yellow",
    "retry": "yellow",
    "held": "yellow",
    "check": "green",
    "done": "green",
    "dead": "red",
    "malformed": "red",
}
#: Where an entry's words begin: behind the time and the kind.
_INDENT = 26


@click.command("explain")
@click.argument("what", metavar="ID|URL")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each story, one a line.")
@click.pass_context
def explain(context: click.Context, what: str, as_json: bool) -> None:
    """Tell what happened to a delivery or a pull request, and why.

    ID is that of a delivery (X-GitHub-Delivery), of an event (a task's id), or of a check. URL is a pull request's page
    as it stands in the browser: all its deliveries are told, oldest first. Every decision comes with its reason, and
    with what to do about it.

    \b
    Examples:
      packit-worker explain https://github.com/acme/hello/pull/7
      packit-worker explain 72d3162e-cc78-11e3-81ab-4c9367dc0958
      packit-worker explain 72d3162e-cc78-11e3-81ab-4c9367dc0958 --json | jq .outcome
    """
    width = min(max(shutil.get_terminal_size((80, 24)).columns, 60), 100)
    made = settings(context)
    with opened(made) as journal:
        with journal.read() as session:
            ids = story.find(session, what)
        if not ids:
            raise _unknown(what)
        for number, delivery_id in enumerate(ids):
            with journal.read() as session:
                told = story.of_delivery(session, delivery_id)
            if told is None:
                continue
            trace = trace_of(made.tracing, delivery_id)
            if as_json:
                click.echo(json.dumps(told.to_json() | ({"trace": trace} if trace else {})))
            else:
                click.echo("\n".join([*([""] if number else []), *lines(told, width, trace)]))


def _unknown(what: str) -> Trouble:
    if "/" in what:
        subject = visible(story.subject_of_url(what))
        return Trouble(
            f"nothing about {subject} is in the journal",
            next_step="See whether the forge has sent a webhook for it: its settings list the recent deliveries.",
        )
    return Trouble(
        f"the journal knows no delivery, event or check {visible(what)}",
        next_step="Give a delivery's id (X-GitHub-Delivery), an event's (task id), or a pull request's URL.",
    )


def lines(told: Story, width: int, trace: str | None = None) -> Iterator[str]:
    """A story as lines of at most ``width`` columns, but for words that are longer. ``trace``: the id of its trace."""
    yield click.style(visible(f"{told.source} {told.event_type or ''}".strip()), bold=True)
    about = {
        "delivery": told.id,
        "event": told.event_id,
        "trace": trace,
        "about": told.subject,
        "received": f"{moment(told.received_at)}, {told.size} bytes",
        "outcome": f"{told.outcome}: {told.why}" if told.why else told.outcome,
    }
    for name, value in about.items():
        if value:
            yield from _wrapped(f"  {name:<9} ", value, width)
    yield ""
    day = None
    for entry in told.entries:
        if entry.at.date() != day:
            day = entry.at.date()
            yield click.style(f"{day} (UTC)", dim=True)
        yield from _entry(entry, width)


def _entry(entry: Entry, width: int) -> Iterator[str]:
    at = entry.at.strftime("%H:%M:%S.%f")[:12]
    kind = click.style(f"{entry.kind:<11}", fg=_COLOURS.get(entry.kind))
    yield from _wrapped(f"{at}  {entry.kind:<11} ", entry.title, width, shown=f"{at}  {kind} ")
    indent = " " * _INDENT
    url = entry.url if entry.url and entry.url not in entry.text else ""
    for text in (entry.text, _times(entry), _trace(entry), url):
        if text:
            yield from _wrapped(indent, text, width)
    if entry.next_step:
        yield from _wrapped(f"{indent}what to do: ", entry.next_step, width)


def _wrapped(head: str, text: str, width: int, shown: str | None = None) -> Iterator[str]:
    """``text`` behind ``head`` and below itself; ``shown`` is the head with colours."""
    room = max(width - len(head), 20)
    parts = textwrap.wrap(visible(text), room, break_long_words=False, break_on_hyphens=False) or [""]
    yield (shown or head) + parts[0]
    for part in parts[1:]:
        yield " " * len(head) + part


def _times(entry: Entry) -> str:
    """The other times of an entry, where it has some."""
    if entry.kind not in ("effect", "check", "run"):
        return ""
    names = {
        "sent_at": "sent",
        "confirmed_at": "confirmed",
        "started_at": "started",
        "finished_at": "finished",
    }
    times = [f"{word} {_clock(entry.facts[name])}" for name, word in names.items() if entry.facts.get(name)]
    sends = entry.facts.get("sends")
    return ", ".join([*times, *([f"{sends} call{'' if sends == 1 else 's'}"] if sends else [])])


def _trace(entry: Entry) -> str:
    """The last line of a traceback; all of it is in the JSON."""
    trace: Any = entry.facts.get("traceback")
    return f"{trace.strip().splitlines()[-1]} (the traceback: --json)" if trace and trace.strip() else ""


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S.%f")[:12]
