"""``packit-worker alive``: the probe of processes that have no port."""

from __future__ import annotations

import click

from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import opened, settings
from packit_worker.config.service import ServiceConfig
from packit_worker.pulse import silent

#: Seconds in which the broker has to answer.
_PATIENCE = 5.0


@click.command("alive")
@click.pass_context
def alive(context: click.Context) -> None:
    """Say whether workers and sweeper go on; a probe.

    Those of this data directory; exit status 1 if one does not go on. A process goes on that has left a note within the
    last minute, that is at work on something in the journal, or that waits for a database or a broker that is away.

    \b
    Examples:
      packit-worker --config service.yaml alive
    """
    made = settings(context)
    with opened(made, may_be_missing=True) as journal:
        wrong = list(silent(made, journal, lambda: _broker_answers(made)))
    if wrong:
        raise Trouble("; ".join(wrong), next_step="Start the process again: nothing is lost.")
    click.echo("all go on")


def _broker_answers(made: ServiceConfig) -> bool:
    # Imported when a note is old, and not with every probe.
    from kombu.exceptions import OperationalError  # noqa: PLC0415

    from packit_worker import startup  # noqa: PLC0415
    from packit_worker.broker.celery_app import create_app  # noqa: PLC0415

    with create_app(startup.broker_url(made)).connection_for_read() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=_PATIENCE)
        except OperationalError:
            return False
    return True
