"""``packit-worker deliveries``."""

from __future__ import annotations

import json

import click

from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import moment, table
from packit_worker.journal import story
from packit_worker.journal.base import State
from packit_worker.journal.story import Filter


@click.command("deliveries")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--after", help="The id of the last delivery that was listed: go on behind it.")
@click.option("--source", help="Only from there: github, gitlab, pagure, fedora-messaging, testing-farm.")
@click.option(
    "--outcome", type=click.Choice([state.value for state in State]), help="Only those that came to this."
)
@click.option("--about", metavar="URL", help="Only about this project, pull request, branch or release.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each delivery, one a line.")
@click.pass_context
def deliveries(
    context: click.Context,
    limit: int,
    after: str | None,
    source: str | None,
    outcome: str | None,
    about: str | None,
    as_json: bool,
) -> None:
    """List what came in, newest first, and what became of it.

    \b
    Examples:
      packit-worker deliveries --outcome dead
      packit-worker deliveries --about https://github.com/acme/hello
      packit-worker deliveries --source pagure --limit 100 --json | jq -r .why
    """
    wanted = Filter(source=source, outcome=outcome, about=about)
    with opened(settings(context)) as journal, journal.read() as session:
        found = story.latest(session, limit, after, wanted)
    if as_json:
        for summary in found:
            click.echo(json.dumps(summary.to_json()))
        return
    if not found:
        click.echo("nothing like that has come in", err=True)
        return
    table(
        ("Received", "Delivery", "Kind", "Outcome", "Why", "About"),
        [
            (
                moment(summary.received_at),
                summary.id,
                f"{summary.source} {summary.event_type or ''}".strip(),
                summary.outcome,
                summary.why or "",
                summary.subject or "",
            )
            for summary in found
        ],
    )
    if len(found) == limit:
        click.echo(f"more: packit-worker deliveries --after {found[-1].id}", err=True)
