"""``packit-worker replay``."""

from __future__ import annotations

import click

from packit_worker import startup
from packit_worker.broker.celery_app import create_app
from packit_worker.broker.hints import Hints
from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import visible
from packit_worker.replaying import NotReplayable
from packit_worker.replaying import replay as replay_it


@click.command("replay")
@click.argument("id")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing, call nobody.")
@click.pass_context
def replay(context: click.Context, id: str, dry_run: bool) -> None:
    """Read a delivery or process an event again.

    A delivery that was held, ignored, malformed or given up is read again from its stored bytes. An event that was
    given up, ignored or done is processed again: failed runs are run again, of an event that was done all of them.
    What was done outside is not done a second time.

    \b
    Examples:
      packit-worker replay 72d3162e-cc78-11e3-81ab-4c9367dc0958 --dry-run
      packit-worker replay 72d3162e-cc78-11e3-81ab-4c9367dc0958
    """
    made = settings(context)
    hints = Hints(create_app(startup.broker_url(made)))
    with opened(made) as journal:
        try:
            done = replay_it(journal, hints, id.strip(), dry_run=dry_run)
        except NotReplayable as error:
            raise Trouble(visible(str(error)), next_step=error.next_step) from None
    click.echo(visible(f"{done.kind} {done.id} was {done.was}"))
    for step in done.steps:
        click.echo(visible(f"  {'would' if dry_run else 'will'} {step}"))
    for kept in done.stays:
        click.echo(visible(f"  stays: {kept}"))
    click.echo("nothing was changed" if dry_run else f"follow it: packit-worker explain {done.id}")
