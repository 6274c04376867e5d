"""``packit-worker sweeper``: a process of the service."""

from __future__ import annotations

import click

from packit_worker import metrics, processes, sentry, startup, tracing
from packit_worker.cli.opening import settings
from packit_worker.pulse import Pulse
from packit_worker.sweeping.sweeper import Sweeper


@click.command("sweeper")
@click.pass_context
def sweeper(context: click.Context) -> None:
    """Run the process that wakes whatever is overdue.

    Sends lost wake-ups again, takes over from workers that died, asks about builds and tests without news, ends checks
    past their deadline, and has GitHub send again what did not arrive. Two may run. SIGTERM ends it after its round.

    \b
    Examples:
      packit-worker --config service.yaml sweeper
    """
    made = settings(context, is_process=True)
    sentry.setup(made)
    tracing.setup(made.tracing, "sweeper")
    metrics.serve(made.metrics)
    process = Sweeper(startup.worker(made).shop, Pulse(made, processes.sweeper().name).beat)
    process.stop_on_signals()
    process.run()
