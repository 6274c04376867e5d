"""The command line ``packit-worker``: a group whose commands are modules of this package, imported when they are used.

Nothing else imports it. Only click is imported here, so that help comes at once.
"""

from __future__ import annotations

from pathlib import Path

import click

from packit_worker.cli.lazy import LazyGroup, Setting

#: Every command: where it is, and its line in the help.
COMMANDS = {
    "alive": ("packit_worker.cli.alive:alive", "Say whether workers and sweeper go on; a probe."),
    "allowlist": ("packit_worker.cli.allowlist:allowlist", "Who is served: list, approve, deny, and why."),
    "bus": ("packit_worker.cli.bus:bus", "Run the process that listens to Fedora's bus, or catch up on it."),
    "chaos": (
        "packit_worker.cli.chaos:chaos",
        "Kill, stop and freeze the service at work, and check that it keeps what it promises.",
    ),
    "config": ("packit_worker.cli.config:config", "Configurations: of the service, and of projects."),
    "dead": (
        "packit_worker.cli.dead:dead",
        "What was given up after too many attempts: look at it, have it done again, or let it go.",
    ),
    "db": ("packit_worker.cli.db:db", "The journal's database."),
    "deliveries": (
        "packit_worker.cli.deliveries:deliveries",
        "List what came in, newest first, and what became of it.",
    ),
    "demo": (
        "packit_worker.cli.demo:demo",
        "Show the main job on this machine, with stand-ins for GitHub, Copr and Testing Farm.",
    ),
    "explain": (
        "packit_worker.cli.explain:explain",
        "Tell what happened to a delivery or a pull request, and why.",
    ),
    "handlers": ("packit_worker.cli.handlers:handlers", "Print which handler answers which event."),
    "hooks": (
        "packit_worker.cli.hooks:hooks",
        "Hooks of Pagure's and GitLab's projects: add, list, rotate and remove their keys.",
    ),
    "parse": ("packit_worker.cli.parse:parse", "Print the task that a message would be turned into."),
    "projects": (
        "packit_worker.cli.projects:projects",
        "List the projects that something has happened in, and how much was handled in each.",
    ),
    "queues": ("packit_worker.cli.queues:queues", "Tell what waits for workers, lane by lane."),
    "replay": ("packit_worker.cli.replay:replay", "Read a delivery or process an event again."),
    "simulate": (
        "packit_worker.cli.simulate:simulate",
        "Tell what a message would lead to, and why nothing else would follow.",
    ),
    "status": (
        "packit_worker.cli.status:status",
        "Tell how the service is doing: what waits, came in, was given up, and is left of rate limits.",
    ),
    "sweeper": ("packit_worker.cli.sweeper:sweeper", "Run the process that wakes whatever is overdue."),
    "up": ("packit_worker.cli.up:up", "Run the whole service on this machine, until Ctrl-C."),
}

EPILOG = """\b
Examples:
  packit-worker demo
  packit-worker parse --source github --type pull_request hook.json
  packit-worker explain https://github.com/acme/hello/pull/7
  packit-worker explain 72d3162e-cc78-11e3-81ab-4c9367dc0958 --json
  packit-worker replay 72d3162e-cc78-11e3-81ab-4c9367dc0958 --dry-run
  packit-worker allowlist approve github.com acme --why "asked in #112"
  packit-worker -c service.yaml up
  packit-worker handlers

\b
Exit status: 0 done, 1 failed (one line says why), 2 wrong usage.
"""


@click.group(
    "packit-worker",
    cls=LazyGroup,
    lazy_commands=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="packit-worker", message="%(prog)s %(version)s")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PACKIT_WORKER_CONFIG",
    show_envvar=True,
    help="The service's configuration file.",
)
@click.option("-v", "--verbose", is_flag=True, help="Tell on stderr what is being done.")
@click.pass_context
def main(context: click.Context, config: Path | None, verbose: bool) -> None:
    """Build, test and report on pull requests, and say what was done and why."""
    context.obj = Setting(config=config, is_verbose=verbose)
