"""``packit-worker up``."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import click

from packit_worker import migrations, startup
from packit_worker.broker.embedded import EmbeddedBroker
from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import given, opened, settings
from packit_worker.config.service import PATH_VARIABLE, ServiceConfig, ServiceConfigError
from packit_worker.processes import all_of, shared_metrics
from packit_worker.supervisor import Supervisor


@click.command("up")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the web door listens on.")
@click.option("--port", default=8000, show_default=True, help="Port the web door listens on.")
@click.pass_context
def up(context: click.Context, host: str, port: int) -> None:
    """Run the whole service on this machine, until Ctrl-C.

    Web door, workers of every lane and sweeper, as the configuration says. Where it names no broker, one is embedded;
    the journal is brought up to date first. Logs go to the folder logs in the data directory.

    \b
    Examples:
      packit-worker --config service.yaml up
      packit-worker --config service.yaml up --host 0.0.0.0 --port 8080
    """
    made = settings(context, is_process=True)
    try:
        made.check_for_serving()
        startup.self_check()
    except ServiceConfigError as error:
        raise Trouble(
            str(error), next_step="Set what is missing; config/example.yaml shows every key."
        ) from None
    with opened(made, may_be_missing=True) as journal:
        migrations.upgrade(journal)
    with _broker(made):
        environment = dict(os.environ)
        if config := given(context).config:
            environment[PATH_VARIABLE] = str(Path(config).absolute())
        environment |= shared_metrics(made)
        logs = made.data_dir / "logs"
        processes = list(all_of(made, host, port))
        with Supervisor(processes, environment=environment, log_dir=logs) as supervisor:
            click.echo(f"web door   http://{host}:{port}   (announced as {made.server_url})")
            click.echo(f"processes  {', '.join(supervisor.pids)}")
            click.echo(f"logs       {logs}")
            click.echo("Ctrl-C stops it.")
            _wait_for_signal()
            click.echo("stopping; work that is under way is finished first")


@contextlib.contextmanager
def _broker(made: ServiceConfig) -> Iterator[None]:
    """The embedded broker, where no other is configured."""
    if made.broker_url is not None:
        yield
        return
    with EmbeddedBroker(made.data_dir) as broker:
        click.echo(f"broker     {broker.url} (embedded)")
        yield


def _wait_for_signal() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
