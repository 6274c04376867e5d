"""``packit-worker simulate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import click

# Importing the package registers the handlers.
import packit_worker.handlers  # noqa: F401
from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import settings
from packit_worker.cli.printing import visible
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.journal.entries import plain
from packit_worker.ports import Permission
from packit_worker.services import Services
from packit_worker.simulating import Foreseen, Given
from packit_worker.simulating import simulate as simulate_it
from parsers.registry import sources


@click.command("simulate")
@click.option(
    "--package-config",
    "package_config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The project's .packit.yaml; spec files are looked for beside it.",
)
@click.option(
    "--payload", type=click.File("rb"), required=True, help="The body of the message; - is standard input."
)
@click.option("--type", "event_type", help="What the source calls it: X-GitHub-Event, a topic...")
@click.option(
    "--source", default="github", show_default=True, help=f"Who sent the message: {', '.join(sources())}."
)
@click.option(
    "--permission",
    type=click.Choice([permission.value for permission in Permission]),
    default=Permission.WRITE.value,
    show_default=True,
    help="What the author or commenter may do in the project.",
)
@click.option("--approved/--not-approved", default=True, help="Whether the account is on the allowlist.")
@click.option("--private", is_flag=True, help="The project is private, where the message does not tell.")
@click.option("--default-branch", default="main", show_default=True, help="Of the project.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object for each event.")
@click.pass_context
def simulate(
    context: click.Context,
    package_config: Path,
    payload: BinaryIO,
    event_type: str | None,
    source: str,
    permission: str,
    approved: bool,
    private: bool,
    default_branch: str,
    as_json: bool,
) -> None:
    """Tell what a message would lead to, and why nothing else would follow.

    Handlers, jobs, targets, checks, and every decision on the way with its reason.

    The message takes the way it would take in the service, up to the moment when something would be done. Nothing is
    done, nobody is asked but for what distribution aliases stand for.

    \b
    Examples:
      packit-worker simulate --package-config .packit.yaml --type pull_request --payload hook.json
      packit-worker simulate --package-config .packit.yaml --type issue_comment --payload hook.json \\
        --permission read
      packit-worker simulate --package-config .packit.yaml --source pagure --type git.receive \\
        --payload hook.json --json | jq .runs

    Exit status 1 when the message is malformed.
    """
    made = settings(context)
    given = Given(
        config=package_config,
        permission=Permission(permission),
        is_approved=approved,
        is_private=private,
        default_branch=default_branch,
    )
    try:
        found = simulate_it(
            made, Services.from_config(made).aliases, given, source, event_type, payload.read()
        )
    except (TemporaryError, NotFound, Refused) as error:
        raise Trouble(visible(str(error)), next_step="Try again, or set target_aliases.") from None
    if found.malformed is not None or found.ignored is not None:
        verdict = "malformed" if found.malformed is not None else "ignored"
        reason = found.malformed or found.ignored or ""
        click.echo(json.dumps({verdict: reason}) if as_json else visible(f"{verdict}: {reason}"))
        sys.exit(1 if verdict == "malformed" else 0)
    for foreseen in found.events:
        if as_json:
            click.echo(json.dumps(_json(foreseen)))
        else:
            _tell(foreseen)


def _tell(foreseen: Foreseen) -> None:
    click.secho(visible(f"{foreseen.event.task} about {foreseen.event.subject}"), bold=True)
    click.echo("decisions")
    for decision in foreseen.decisions:
        click.echo(visible(f"  {decision.step}: {decision.verdict}: {decision.reason}"))
        if decision.next_step:
            click.echo(visible(f"    what to do: {decision.next_step}"))
    _list("would run", [_name(run) for run in foreseen.runs])
    _list(
        "checks",
        [f"{check.name}  {check.conclusion or check.status}: {check.title}" for check in foreseen.checks],
    )


def _list(title: str, lines: list[str]) -> None:
    click.echo(title)
    for line in lines or ["nothing"]:
        click.echo(visible(f"  {line}"))


def _name(run: Any) -> str:
    return f"{run.handler.__name__} for {run.job.label}" if run.job else str(run.handler.__name__)


def _json(foreseen: Foreseen) -> dict[str, Any]:
    return {
        "task": foreseen.event.task,
        "kwargs": foreseen.event.facts(),
        "subject": foreseen.event.subject,
        "decisions": [plain(vars(decision)) for decision in foreseen.decisions],
        "runs": [
            {
                "handler": run.handler.__name__,
                "job": run.job.label if run.job else None,
                "checks": [check.name for check in run.shows],
            }
            for run in foreseen.runs
        ],
        "checks": [
            {"name": check.name, "status": check.status, "conclusion": check.conclusion, "title": check.title}
            for check in foreseen.checks
        ],
    }
