"""``packit-worker queues``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import table
from packit_worker.journal import queues as journal_queues
from packit_worker.journal.base import now
from packit_worker.journal.entries import plain
from packit_worker.journal.queues import Queue


@click.command("queues")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each lane, one a line.")
@click.pass_context
def queues(context: click.Context, as_json: bool) -> None:
    """Tell what waits for workers, lane by lane.

    Waiting is what could be done now; later is what is tried again at its time; dead is what was given up. The journal
    is asked, not the broker, which only wakes workers.

    \b
    Examples:
      packit-worker queues
      packit-worker queues --json | jq -r 'select(.oldest_seconds > 60) | .lane'
    """
    with opened(settings(context)) as journal, journal.read() as session:
        lanes = journal_queues.all_of(session)
    if as_json:
        for lane in lanes:
            click.echo(json.dumps(plain(vars(lane) | {"oldest_seconds": lane.oldest_seconds(now())})))
        return
    table(*rows(lanes))


def rows(lanes: Sequence[Queue]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """The heads and rows of a table of lanes."""
    return ("Lane", "Waiting", "Oldest", "Running", "Later", "Dead"), [
        (
            lane.lane,
            str(lane.waiting),
            f"{lane.oldest_seconds(now()):.0f} s" if lane.waiting else "",
            str(lane.running),
            str(lane.later),
            str(lane.dead),
        )
        for lane in lanes
    ]
