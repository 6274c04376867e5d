"""``packit-worker db``."""

from __future__ import annotations

import time
from collections.abc import Mapping

import click
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from packit_worker import logs, migrations
from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import opened, settings
from packit_worker.journal import Journal, JournalUnavailable, purging
from packit_worker.journal.database import ping

#: Between two looks at a database that is away, in seconds.
_INTERVAL = 1.0


@click.group("db")
def db() -> None:
    """The journal's database.

    \b
    Examples:
      packit-worker --config service.yaml db upgrade
    """


@db.command("upgrade")
@click.option(
    "--wait", default=60.0, show_default=True, help="How long to wait for the database, in seconds."
)
@click.pass_context
def upgrade(context: click.Context, wait: float) -> None:
    """Bring the database up to date, or make it.

    Waits for a database that does not answer yet. Two at the same time wait for each other. Does nothing where nothing
    is to be done.

    \b
    Examples:
      packit-worker --config service.yaml db upgrade
      PACKIT_WORKER_DATABASE_URL=postgresql://db/packit packit-worker db upgrade --wait 300
    """
    with opened(settings(context), may_be_missing=True) as journal:
        _wait_for(journal, wait)
        before = revision(journal)
        try:
            migrations.upgrade(journal)
        except CommandError as error:
            raise Trouble(
                f"the database is at revision {before}, which this release does not know: {error}",
                next_step="Run a release that is at least as new as the database.",
            ) from None
        after = revision(journal)
    click.echo(
        f"up to date: {after}" if before == after else f"upgraded from {before or 'nothing'} to {after}"
    )


@db.command("purge")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.pass_context
def purge(context: click.Context, dry_run: bool) -> None:
    """Let go of what is older than the configuration's retention.

    Bodies of deliveries, and the stories of what ended long ago. Nothing that is open, held or under way; ids and
    hashes of deliveries stay. In short transactions, beside the running service, which does the same once a day.

    \b
    Examples:
      packit-worker --config service.yaml db purge --dry-run
      packit-worker --config service.yaml db purge
    """
    config = settings(context)

    def progress(gone: Mapping[str, int]) -> None:
        click.echo(f"so far: {_counted(gone)}", err=True)

    with opened(config) as journal:
        gone = purging.purge(journal, config.retention, dry_run=dry_run, progress=progress)
    click.echo(f"{'would go' if dry_run else 'gone'}: {_counted(gone)}")


def _counted(gone: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in gone.items() if number) or "nothing"


def revision(journal: Journal) -> str | None:
    """The revision the database is at; None where it is empty."""
    with journal.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _wait_for(journal: Journal, patience: float) -> None:
    begun = time.monotonic()
    while True:
        try:
            ping(journal)
        except (JournalUnavailable, SQLAlchemyError) as error:
            waited = time.monotonic() - begun
            if waited >= patience:
                raise
            click.echo(
                f"waiting for the database, {waited:.0f} s: {logs.censor(str(error).splitlines()[0])}",
                err=True,
            )
            time.sleep(min(_INTERVAL, max(patience - waited, 0.05)))
        else:
            return
