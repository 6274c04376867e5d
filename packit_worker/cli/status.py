"""``packit-worker status``: the overview, in the terminal."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import click

from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import moment, table, visible
from packit_worker.cli.queues import rows as rows_of_queues
from packit_worker.journal import budgets, overview, queues, story
from packit_worker.journal.base import State, now
from packit_worker.journal.budgets import Shown
from packit_worker.journal.entries import plain
from packit_worker.journal.queues import Queue
from packit_worker.journal.story import Filter

#: How many dead letters are named.
_SHOWN = 5
#: How many rate limits are.
_LIMITS = 10


@click.command("status")
@click.option("--hours", type=click.IntRange(1), default=24, show_default=True, help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def status(context: click.Context, hours: int, as_json: bool) -> None:
    """Tell how the service is doing: what waits, came in, was given up, and is left of rate limits.

    Read from the journal alone, so that it works while everything else is down.

    \b
    Examples:
      packit-worker status
      packit-worker status --hours 1 --json | jq .queues
    """
    since = now() - timedelta(hours=hours)
    with opened(settings(context)) as journal, journal.read() as session:
        lanes = queues.all_of(session)
        outcomes = queues.outcomes(session, since)
        sources = {source.name: source.last_at for source in overview.sources(session, now())}
        limits = budgets.latest(session, _LIMITS, now())
        dead = story.latest(session, _SHOWN, wanted=Filter(outcome=State.DEAD))
    if as_json:
        found: dict[str, Any] = {
            "queues": [plain(vars(lane) | {"oldest_seconds": lane.oldest_seconds(now())}) for lane in lanes],
            "outcomes": outcomes,
            "last_received": plain(sources),
            "rate_limits": [plain(vars(limit)) for limit in limits],
            "dead": [summary.to_json() for summary in dead],
        }
        click.echo(json.dumps(found))
        return
    click.echo(_verdict(lanes))
    table(*rows_of_queues(lanes))
    click.echo(f"\nDeliveries of the last {hours} hours, by outcome:")
    for outcome, number in outcomes.items() or [("none", 0)]:
        click.echo(f"  {outcome:<12} {number}")
    click.echo("\nLast delivery:" if sources else "\nNo delivery yet")
    for source, at in sources.items():
        click.echo(visible(f"  {source:<20} {moment(at) if at else 'more than a week ago'}"))
    if limits:
        click.echo("\nRate limits, the least left first:")
        table(("system", "installation", "left", "full again"), [_row(limit) for limit in limits])
    if dead:
        click.echo("\nGiven up (packit-worker dead list):")
        for summary in dead:
            click.echo(visible(f"  {summary.id}  {summary.why or ''}"))


def _row(limit: Shown) -> tuple[str, str, str, str]:
    left = "not told"
    if limit.paused_until:
        left = f"nothing until {moment(limit.paused_until)}"
    elif limit.limit:
        left = f"{limit.limit if limit.remaining is None else limit.remaining} of {limit.limit}"
    return limit.host, limit.installation, left, moment(limit.reset_at) if limit.reset_at else ""


def _verdict(lanes: list[Queue]) -> str:
    """The first line: what matters most."""
    waiting = [lane for lane in lanes if lane.waiting]
    if not waiting:
        return "nothing waits for a worker"
    worst = max(waiting, key=lambda lane: lane.oldest_seconds(now()))
    number, seconds = sum(lane.waiting for lane in waiting), worst.oldest_seconds(now())
    return f"{number} wait for a worker, the oldest for {seconds:.0f} s in the lane {worst.lane}"
