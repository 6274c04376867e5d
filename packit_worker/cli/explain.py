"""``packit-worker explain``."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from datetime import datetime

import click
from sqlalchemy.orm import Session

from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import moment, visible
from packit_worker.journal import story
from packit_worker.journal.story import Entry, Story

_COLOURS = {
    **{"received": "cyan", "event": "cyan", "effect": "magenta", "build": "yellow", "test_run": "yellow"},
    **{"check": "green", "done": "green", "retry": "yellow", "held": "yellow"},
    **{"dead": "red", "malformed": "red"},
}
#: Where an entry's words begin: behind the time and the kind.
_INDENT = 24


@click.command("explain")
@click.argument("what", metavar="ID|URL")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each story, one a line.")
@click.pass_context
def explain(context: click.Context, what: str, as_json: bool) -> None:
    """Tell what happened to a delivery or a pull request, and why.

    ID is that of a delivery (X-GitHub-Delivery), of an event (a task's id), or of a check. URL is a pull request's page as
    it stands in the browser: all its deliveries are told, oldest first. Every decision comes with its reason, and with
    what to do about it.

    \b
    Examples:
      packit-worker explain https://github.com/acme/hello/pull/7
      packit-worker explain 72d3162e-cc78-11e3-81ab-4c9367dc0958
      packit-worker explain 72d3162e-cc78-11e3-81ab-4c9367dc0958 --json | jq .outcome
    """
    with opened(settings(context)) as journal:
        with journal.read() as session:
            ids = find(session, what)
        if not ids:
            raise unknown(what)
        width = min(max(click.get_terminal_size_or_80(), 60), 100) if False else _width()
        for number, delivery_id in enumerate(ids):
            with journal.read() as session:
                told = story.of_delivery(session, delivery_id)
            if told is None:
                continue
            if as_json:
                click.echo(json.dumps(told.to_json()))
                continue
            for line in (*([""] if number else []), *lines(told, width)):
                click.echo(line)
