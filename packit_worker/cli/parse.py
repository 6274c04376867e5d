"""``packit-worker parse``."""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO

import click

from packit_worker.intake import Unreadable, decode
from parsers.parsing import parse as parse_message
from parsers.registry import sources
from parsers.sending import held


@click.command("parse")
@click.option("--source", required=True, help=f"Who sent the message: {', '.join(sources())}.")
@click.option("--type", "event_type", help="What the source calls it: X-GitHub-Event, a topic...")
@click.argument("file", type=click.File("rb"))
def parse(source: str, event_type: str | None, file: BinaryIO) -> None:
    """Print the task that a message would be turned into.

    FILE holds the body of the message as it was received; - is standard input. One JSON object a line: the task with
    its queue and arguments, {"ignored": why} or {"malformed": why}. Needs no configuration, and touches nothing.

    \b
    Examples:
      packit-worker parse --source github --type pull_request hook.json
      curl -s https://example.org/hook.json | packit-worker parse --source github --type push -
      packit-worker parse --source fedora-messaging \\
        --type org.fedoraproject.prod.copr.build.end message.json

    Exit status 1 when the message is malformed.
    """
    said = said_of(source, event_type, file.read())
    for line in said:
        click.echo(json.dumps(line))
    sys.exit(1 if any("malformed" in line for line in said) else 0)


def said_of(source: str, event_type: str | None, raw: bytes) -> list[dict[str, Any]]:
    """What parsing comes to, a dictionary for each line."""
    try:
        body = decode(raw)
    except Unreadable as error:
        return [{"malformed": str(error)}]
    with held() as sendings:
        parsed = parse_message(source, event_type, body)
    if parsed.malformed is not None:
        return [{"malformed": parsed.malformed}]
    if parsed.ignored is not None:
        return [{"ignored": parsed.ignored}]
    return [{"task": made.task, "queue": made.queue, "kwargs": made.kwargs} for made in sendings]
