"""``packit-worker bus``: a process of the service, and what goes with it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from packit_worker import startup
from packit_worker.bus import SOURCE, Consumer, catching_up, listening
from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import given, opened, settings
from packit_worker.cli.printing import moment
from packit_worker.config.service import PATH_VARIABLE, ServiceConfig
from packit_worker.journal.base import now

#: fedora-messaging's program, which has no module to be run.
_PROGRAM = (
    "import sys; sys.argv[0] = 'fedora-messaging'; "
    "from fedora_messaging.cli import cli; cli(prog_name='fedora-messaging')"
)


@click.group("bus", invoke_without_command=True)
@click.option(
    "--print-config", is_flag=True, help="Print fedora-messaging's configuration, without password, and end."
)
@click.pass_context
def bus(context: click.Context, print_config: bool) -> None:
    """Run the process that listens to Fedora's bus, or catch up on it.

    Runs "fedora-messaging consume" with a configuration made from the service's: broker, queue, topics. SIGTERM ends
    it after the message at hand. With bus.datagrepper_url set it reads what was told while nobody listened.

    \b
    Examples:
      packit-worker --config service.yaml bus
      packit-worker --config service.yaml bus --print-config > fedora-messaging.toml
      packit-worker --config service.yaml bus catch-up --dry-run
    """
    if context.invoked_subcommand is not None:
        return
    made = settings(context, is_process=True)
    if print_config:
        click.echo(listening.toml(listening.fedora_messaging(made, shows_password=False)), nl=False)
        return
    file = _written(made)
    environment = dict(os.environ)
    if config := given(context).config:
        environment[PATH_VARIABLE] = str(Path(config).absolute())
    sys.stdout.flush()
    # In the place of this process, so that signals and process managers see one.
    command = [sys.executable, "-c", _PROGRAM, "--conf", str(file), "consume"]
    os.execve(sys.executable, command, environment)  # noqa: S606


@bus.command("catch-up")
@click.option("--since", metavar="ISO", help="Since when; else since the last message that was recorded.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded; change nothing.")
@click.pass_context
def catch_up(context: click.Context, since: str | None, dry_run: bool) -> None:
    """Record what the bus has told while nobody listened, read from datagrepper.

    At most the last three days. What was recorded before is not recorded again. Where messages have come since the
    outage, say when it began: --since.

    \b
    Examples:
      packit-worker bus catch-up --dry-run
      packit-worker bus catch-up --since 2026-01-31T18:00:00Z
    """
    made = settings(context)
    url = made.bus.datagrepper_url
    if not url:
        raise Trouble(
            "no datagrepper is configured",
            next_step="Set bus.datagrepper_url; Fedora's is https://apps.fedoraproject.org/datagrepper.",
        )
    end = now()
    with opened(made) as journal:
        last = _moment(since) if since else catching_up.last_recorded(journal, SOURCE)
        if last is None:
            raise Trouble("no message was ever recorded", next_step="Say since when: --since.")
        intake, behind = startup.intake(made, in_background=False)
        consumer = Consumer(intake, copr_users=made.bus.copr_users, koji_owners=made.bus.koji_owners)
        start = last if since else catching_up.beginning(last, end)
        if start < end - catching_up.LONGEST:
            start = end - catching_up.LONGEST
            click.echo(f"only the last {catching_up.LONGEST.days} days are read", err=True)
        take = consumer.foretell if dry_run else consumer.take
        try:
            done = catching_up.catch_up(url, listening.topics(made.deployment), start, end, take)
        except catching_up.DatagrepperError as error:
            raise Trouble(str(error), next_step="Try again later: nothing is recorded twice.") from None
        finally:
            behind.dispose()
    click.echo(f"from {moment(start)} to {moment(end)}: {catching_up.told(done)}")
    if dry_run:
        click.echo("nothing was changed")


def _written(made: ServiceConfig) -> Path:
    """The configuration in a file that nobody else can read: the broker's URL may hold a password."""
    made.data_dir.mkdir(parents=True, exist_ok=True)
    file = made.data_dir / "fedora-messaging.toml"
    fresh = made.data_dir / f"fedora-messaging.{os.getpid()}.toml"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(listening.toml(listening.fedora_messaging(made)))
    return fresh.replace(file)


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is no moment: write it like 2026-01-31T18:00:00Z.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
