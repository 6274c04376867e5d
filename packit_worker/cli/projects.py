"""``packit-worker projects``."""

from __future__ import annotations

import json

import click

from packit_worker.cli.opening import opened, settings
from packit_worker.cli.printing import table
from packit_worker.journal import listing


@click.command("projects")
@click.option("--below", metavar="URL", help="Only those of this forge or namespace.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each project, one a line.")
@click.pass_context
def projects(context: click.Context, below: str | None, as_json: bool) -> None:
    """List the projects that something has happened in, and how much was handled in each.

    \b
    Examples:
      packit-worker projects
      packit-worker projects --below https://github.com/acme --json | jq -r .url
    """
    with opened(settings(context)) as journal, journal.read() as session:
        urls = listing.projects(session, None, below=below.rstrip("/") if below else None)
        handled = listing.handled(session, urls)
    if as_json:
        for url in urls:
            click.echo(json.dumps({"url": url, "handled": handled[url]}))
        return
    if not urls:
        click.echo("nothing has happened in any project yet", err=True)
        return
    kinds = (listing.PULL_REQUESTS, listing.BRANCHES, listing.RELEASES, listing.ISSUES)
    table(
        ("Project", *(kind.capitalize() for kind in kinds)),
        [(url, *(str(handled[url][kind]) for kind in kinds)) for url in urls],
    )
