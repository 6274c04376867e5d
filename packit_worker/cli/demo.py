"""``packit-worker demo``."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from pathlib import Path

import click

from packit_worker.demo.narrator import Narrator
from packit_worker.demo.stage import Stage, StageError
from packit_worker.demo.tale import Tale, tell
from packit_worker.demo.tales import TALES


@click.command("demo")
@click.option(
    "--story", default="pr", show_default=True, type=click.Choice(list(TALES)), help="What to show."
)
@click.option("--list", "is_list", is_flag=True, help="List the stories and end.")
@click.option("--json", "as_json", is_flag=True, help="Print the story as JSON lines.")
@click.option(
    "--keep", is_flag=True, help="Leave everything running until Ctrl-C, to look at it in a browser."
)
@click.option("--timeout", default=50.0, show_default=True, help="Seconds after which the story is given up.")
def demo(story: str, is_list: bool, as_json: bool, keep: bool, timeout: float) -> None:
    """Show the main job on this machine, with stand-ins for GitHub, Copr and Testing Farm.

    Starts the whole service, posts signed webhooks, and prints what happens, out of the journal, to the end.
    Needs no server, no secret and no network; the story distgit needs packit and bubblewrap. Exit status 1 when
    a step of the story is missing, or what it needs.

    \b
    Examples:
      packit-worker demo
      packit-worker demo --story failure
      packit-worker demo --json | jq .title
      packit-worker demo --keep
    """
    if is_list:
        for tale in TALES.values():
            click.echo(f"{tale.name:<10} {tale.about}")
        return
    narrator = Narrator(as_json=as_json)
    needs = TALES[story].needs()
    if needs:
        for need in needs:
            narrator.say(f"missing on this machine: {need}")
        narrator.say("the story cannot be shown here")
        sys.exit(1)
    with tempfile.TemporaryDirectory(prefix="packit-worker-demo-") as directory:
        sys.exit(_show(TALES[story], narrator, Path(directory), keep=keep, timeout=timeout))


def _show(tale: Tale, narrator: Narrator, directory: Path, *, keep: bool, timeout: float) -> int:
    """Exit status."""
    try:
        with Stage(directory) as stage:
            narrator.say(f"{tale.about}\n")
            stage.announce("web page", stage.web_url)
            missing = tell(tale, stage, narrator, timeout=timeout)
            if missing:
                _show_logs(narrator, directory / "logs")
            for name in missing:
                narrator.say(f"missing: {name}")
            for what, where in stage.places.items():
                narrator.say(f"{what:<14}{where}")
            narrator.say("the story is NOT complete" if missing else "the story is complete")
            if keep:
                narrator.say(f"still running: {stage.web_url} - Ctrl-C ends it")
                narrator.say(
                    f"ask it more:   packit-worker -c {stage.config} explain URL-OF-THE-PULL-REQUEST"
                )
                _wait_for_signal()
            return 1 if missing else 0
    except StageError as error:
        _show_logs(narrator, directory / "logs")
        narrator.say(str(error))
        return 1


def _show_logs(narrator: Narrator, directory: Path) -> None:
    """The last lines of every log: the directory is gone in a moment."""
    for log in sorted(directory.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()[-15:]
        narrator.say("\n".join([f"--- {log.name}", *lines]))


def _wait_for_signal() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
