"""``packit-worker demo``."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from pathlib import Path

import click

from packit_worker.demo import pull_request
from packit_worker.demo.narrator import Narrator
from packit_worker.demo.stage import Stage, StageError


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print the story as JSON lines.")
@click.option(
    "--keep", is_flag=True, help="Leave everything running until Ctrl-C, to look at it in a browser."
)
@click.option("--timeout", default=50.0, show_default=True, help="Seconds after which the story is given up.")
def demo(as_json: bool, keep: bool, timeout: float) -> None:
    """Show the main job on this machine, with stand-ins for GitHub, Copr and Testing Farm.

    Starts the whole service, posts a signed webhook of a pull request, and prints what happens until all checks are green.
    Needs no server, no secret and no network. Exit status 1 when a step of the story is missing.

    \b
    Examples:
      packit-worker demo
      packit-worker demo --json | jq .title
      packit-worker demo --keep
    """
    narrator = Narrator(as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="packit-worker-demo-") as directory:
        try:
            with Stage(Path(directory)) as stage:
                missing = pull_request.play(stage, narrator, timeout=timeout)
                for name in missing:
                    narrator.say(f"missing: {name}")
                if missing:
                    _show_logs(narrator, Path(directory) / "logs")
                narrator.say("the story is complete" if not missing else "the story is NOT complete")
                if keep:
                    narrator.say(f"still running: {stage.web_url} - Ctrl-C ends it")
                    _wait_for_signal()
        except StageError as error:
            narrator.say(str(error))
            _show_logs(narrator, Path(directory) / "logs")
            sys.exit(1)
    sys.exit(1 if missing else 0)


def _show_logs(narrator: Narrator, directory: Path) -> None:
    """The last lines of every log: the directory is gone in a moment."""
    for log in sorted(directory.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()[-15:]
        narrator.say("\n".join([f"--- {log.name}", *lines]))


def _wait_for_signal() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()
