"""``packit-worker dead``: what was given up."""

from __future__ import annotations

import json

import click

from packit_worker.cli.explain import explain
from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import moment, table
from packit_worker.cli.replay import replay
from packit_worker.journal import story
from packit_worker.journal.base import State
from packit_worker.journal.story import Filter
from packit_worker.replaying import NotReplayable, drop


@click.group("dead")
def dead() -> None:
    """What was given up after too many attempts: look at it, have it done again, or let it go.

    \b
    Examples:
      packit-worker dead list
      packit-worker dead show 72d3162e-cc78-11e3-81ab-4c9367dc0958
      packit-worker dead replay 72d3162e-cc78-11e3-81ab-4c9367dc0958 --dry-run
      packit-worker dead drop 72d3162e-cc78-11e3-81ab-4c9367dc0958 --why "the project is gone"
    """


@dead.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each, one a line.")
@click.pass_context
def list_(context: click.Context, limit: int, as_json: bool) -> None:
    """List what was given up, newest first.

    \b
    Examples:
      packit-worker dead list --json | jq -r .id
    """
    with opened(settings(context)) as journal, journal.read() as session:
        found = story.latest(session, limit, wanted=Filter(outcome=State.DEAD))
    if as_json:
        for summary in found:
            click.echo(json.dumps(summary.to_json()))
        return
    if not found:
        click.echo("nothing was given up", err=True)
        return
    table(
        ("Received", "Delivery", "Task", "Why", "About"),
        [
            (
                moment(summary.received_at),
                summary.id,
                summary.task or "task.parse_message",
                (summary.why or "").partition("\n")[0],
                summary.subject or "",
            )
            for summary in found
        ],
    )


@dead.command("drop")
@click.argument("id")
@click.option("--why", required=True, help="The reason, for whoever asks later.")
@click.pass_context
def drop_(context: click.Context, id: str, why: str) -> None:
    """Let something go that was given up: it counts as ignored from now on, and so do its checks that cannot be shown.

    \b
    Examples:
      packit-worker dead drop 72d3162e-cc78-11e3-81ab-4c9367dc0958 --why "the project is gone"
    """
    with opened(settings(context)) as journal:
        try:
            dropped = drop(journal, id.strip(), why)
        except NotReplayable as error:
            raise Trouble(str(error), next_step=error.next_step) from None
    click.echo(f"{dropped} is ignored from now on")


dead.add_command(explain, "show")
dead.add_command(replay, "replay")
