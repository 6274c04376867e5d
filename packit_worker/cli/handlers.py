"""``packit-worker handlers``."""

from __future__ import annotations

import click

# Importing the package registers the handlers.
import packit_worker.handlers  # noqa: F401
from packit_worker import registry
from packit_worker.cli.printing import table


@click.command("handlers")
def handlers() -> None:
    """Print which handler answers which event.

    A handler runs for each job of its types in a project's package configuration; "needed by" are types of jobs that
    make it run where the configuration has none of its own. Needs no configuration.

    \b
    Examples:
      packit-worker handlers
      packit-worker handlers | grep -i copr
    """
    rows = [
        (
            answer.family.__name__,
            answer.handler.__name__,
            ", ".join([*answer.jobs, *[f"(needed by {job})" for job in answer.needed_by]]) or "-",
            answer.about,
        )
        for answer in registry.table()
    ]
    table(("Event", "Handler", "Jobs", "What it does"), rows)
    waiting = [event.__name__ for event in registry.unanswered()]
    if waiting:
        click.echo("\nWaiting for a handler, and written down as ignored until then:")
        for name in waiting:
            click.echo(f"  {name}")
