"""``packit-worker chaos``."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import click

from packit_worker.chaos import judging, script, table
from packit_worker.chaos.running import Setting, play
from packit_worker.cli.lazy import Trouble
from packit_worker.demo.stage import Stage, StageError


@click.command("chaos")
@click.option(
    "--seed", default=1, show_default=True, help="What happens when; the same seed, the same script."
)
@click.option(
    "--events", default=100, show_default=True, type=click.IntRange(1), help="How many events come."
)
@click.option(
    "--blows",
    type=click.IntRange(0),
    help="How often each target is hit; a tenth of the events if not given.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=click.Choice(script.TARGETS),
    help="Hit only this; can be given more than once.",
)
@click.option("--rolling", is_flag=True, help="Ask processes to end (SIGTERM), as a rolling restart does.")
@click.option("--calm", is_flag=True, help="The systems outside answer all calls.")
@click.option("--db", default="sqlite", show_default=True, type=click.Choice(["sqlite", "postgresql"]))
@click.option("--broker", default="embedded", show_default=True, type=click.Choice(["embedded", "redis"]))
@click.option("--seconds", type=float, help="How long the script lasts; long enough if not given.")
@click.option(
    "--patience", default=240.0, show_default=True, help="Seconds to become quiet after the script."
)
@click.option("--json", "as_json", is_flag=True, help="Print figures and violations as one JSON object.")
@click.option(
    "--keep", is_flag=True, help="Keep configuration, logs and, of SQLite, the journal, and say where."
)
def chaos(
    seed: int,
    events: int,
    blows: int | None,
    targets: tuple[str, ...],
    rolling: bool,
    calm: bool,
    db: str,
    broker: str,
    seconds: float | None,
    patience: float,
    as_json: bool,
    keep: bool,
) -> None:
    """Kill, stop and freeze the service at work, and check that it keeps what it promises.

    Starts every process of the service as production does, against stand-ins that carry out and then drop a tenth of
    all calls and refuse a twentieth. Events of all kinds come in while web door, its child, workers, sweeper, feed,
    broker and database are hit. Then the service is let become quiet, and judged from outside: nothing lost, nothing
    doubled, nothing pending, every end with its reason. Only what was started here is hit. Exit status 1 and the list
    when something was broken.

    With --db postgresql a scratch database is made in the server on 127.0.0.1 (TEST_POSTGRESQL_URL); it is locked and
    its connections are cut, the server is left alone. With --broker redis an empty database of the server on 127.0.0.1
    (TEST_REDIS_URL) is used, and our queues in it are lost instead of the server killed.

    \b
    Examples:
      packit-worker chaos
      packit-worker chaos --seed 7 --events 400 --blows 40
      packit-worker chaos --db postgresql --target worker --target database
      packit-worker chaos --rolling --calm --events 60
      packit-worker chaos --seed 7 --json --keep
    """
    wanted = script.write(
        seed,
        events,
        blows=max(1, events // 10) if blows is None else blows,
        targets=targets or script.TARGETS,
        kinds=(script.RESTART,) if rolling else (script.KILL, script.STOP),
        seconds=seconds,
    )
    directory = Path(tempfile.mkdtemp(prefix="packit-worker-chaos-"))
    setting = Setting(
        directory=directory,
        database=db,
        broker=broker,
        repositories=max(2, min(events // 12, 12)),
        patience=patience,
        is_calm=calm,
    )
    try:
        record = play(wanted, setting, seed, _tell, lambda stage: _keep(stage, keep))
    except StageError as error:
        raise Trouble(str(error), next_step="Look at the log it names; --keep keeps it.") from None
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
    violations = judging.judge(record)
    found = table.figures(record, violations)
    again = _command()
    if as_json:
        broken = [{"promise": one.promise, "what": one.what, "again": again} for one in violations]
        click.echo(json.dumps({"seed": seed, "figures": found, "violations": broken}))
    else:
        for line in table.lines(found):
            click.echo(line)
        for one in violations:
            click.secho(f"BROKEN {one.promise}: {one.what}\n       again: {again}", fg="red")
        click.echo(f"{len(violations)} promises broken" if violations else "every promise was kept")
    sys.exit(1 if violations else 0)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _keep(stage: Stage, keep: bool) -> None:
    if keep:
        _tell(f"kept: {stage.directory}   packit-worker -c {stage.config} explain DELIVERY")


def _command() -> str:
    """The command line that runs the same script again: all options of this one that were given."""
    context = click.get_current_context()
    words = ["packit-worker chaos"]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        flag = parameter.opts[0]
        if parameter.name in ("as_json", "keep") or value is None or value is False or value == ():
            continue
        if value is True:
            words.append(flag)
        else:
            words += [f"{flag} {one}" for one in (value if isinstance(value, tuple) else (value,))]
    return " ".join(words)
