"""``packit-worker hooks``."""

from __future__ import annotations

import json
import secrets
from typing import TextIO
from urllib.parse import urlsplit

import click

from packit_worker import logs
from packit_worker.cli.lazy import Trouble
from packit_worker.cli.opening import login, opened, settings
from packit_worker.cli.printing import moment, table, visible
from packit_worker.config.service import HookConfig, ServiceConfig, normal_instance
from packit_worker.journal import hooks as keys

#: Bytes of a key that is made here.
_BYTES = 32
_FEWEST_CHARACTERS = 16


@click.group("hooks")
def hooks() -> None:
    """Hooks of Pagure's and GitLab's projects: add, list, rotate and remove their keys.

    INSTANCE is the address of a Pagure or GitLab, PROJECT the full name of a project there. Every project has a key of
    its own, which nobody is shown again: Pagure signs with it, GitLab sends it along as secret token. On GitLab PROJECT
    may be a group, for all the projects below it.

    \b
    Examples:
      packit-worker hooks add https://src.fedoraproject.org rpms/hello --key-file -
      packit-worker hooks add https://gitlab.com acme/tools
      packit-worker hooks list
      packit-worker hooks rotate https://src.fedoraproject.org rpms/hello --key-file new.key
      packit-worker hooks remove https://src.fedoraproject.org rpms/hello
    """


_key_file = click.option(
    "--key-file",
    type=click.File("r"),
    help="Holds the key that the forge has; - is standard input. Without it a key is made and printed once.",
)
_by = click.option("--by", help="Who does it; else your login name.")


@hooks.command("add")
@click.argument("instance")
@click.argument("project")
@_key_file
@_by
@click.pass_context
def add(context: click.Context, instance: str, project: str, key_file: TextIO | None, by: str | None) -> None:
    """Take hooks of a project from now on.

    Pagure makes the key of a project itself, and shows it in the project's settings: hand that over with --key-file.
    For GitLab a secret token is made here, and printed once.

    \b
    Examples:
      packit-worker hooks add https://src.fedoraproject.org rpms/hello --key-file -
      packit-worker hooks add pagure.io forks/alice/hello
      packit-worker hooks add https://gitlab.com acme/tools/hello
    """
    made, where = settings(context), _where(instance, project)
    key = _given(key_file) or _fresh()
    with opened(made) as journal, journal.write() as session:
        is_new = keys.add(session, *where, key, by=by or login())
    if not is_new:
        raise Trouble(
            visible(f"{' '.join(where)} has a key"),
            next_step=visible(f"packit-worker hooks rotate {' '.join(where)}"),
        )
    click.echo(visible(f"hooks of {where[1]} on {where[0]} are taken from now on"))
    _explain(made, *where, None if key_file else key)


@hooks.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each project, one a line.")
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List the projects whose hooks are taken. Keys are not shown.

    \b
    Examples:
      packit-worker hooks list
      packit-worker hooks list --json | jq -r .project
    """
    made = settings(context)
    with opened(made) as journal, journal.read() as session:
        rows = keys.everyone(session)
        found = [
            (row.instance, row.project, row.rotated_at or row.created_at, row.by, row.previous_until)
            for row in rows
        ]
    configured = [(hook.instance, hook.project) for hook in _configured(made)]
    if as_json:
        for instance, project, since, who, until in found:
            line = {"instance": instance, "project": project, "since": since.isoformat(), "by": who}
            click.echo(json.dumps(line | {"previous_key_until": until.isoformat() if until else None}))
        for instance, project in configured:
            click.echo(json.dumps({"instance": instance, "project": project, "by": "configuration"}))
        return
    if not found and not configured:
        click.echo("no project has a key yet", err=True)
        return
    table(
        ("Instance", "Project", "Since", "By", "Previous key until"),
        [
            *[
                (instance, project, moment(since), who, moment(until) if until else "-")
                for instance, project, since, who, until in found
            ],
            *[(instance, project, "-", "configuration", "-") for instance, project in configured],
        ],
    )


@hooks.command("rotate")
@click.argument("instance")
@click.argument("project")
@_key_file
@_by
@click.pass_context
def rotate(
    context: click.Context, instance: str, project: str, key_file: TextIO | None, by: str | None
) -> None:
    """Replace the key of a project. The one before is taken for another day.

    \b
    Examples:
      packit-worker hooks rotate https://src.fedoraproject.org rpms/hello --key-file new.key
    """
    made, where = settings(context), _where(instance, project)
    key = _given(key_file) or _fresh()
    with opened(made) as journal, journal.write() as session:
        is_there = keys.rotate(session, *where, key, by=by or login())
    if not is_there:
        raise _unknown(made, where)
    click.echo(
        visible(
            f"{where[1]} on {where[0]} has a new key; the one before is taken for {keys.GRACE.days} day more"
        )
    )
    _explain(made, *where, None if key_file else key)


@hooks.command("remove")
@click.argument("instance")
@click.argument("project")
@click.pass_context
def remove(context: click.Context, instance: str, project: str) -> None:
    """Take hooks of a project no more.

    \b
    Examples:
      packit-worker hooks remove https://src.fedoraproject.org rpms/hello
    """
    made, where = settings(context), _where(instance, project)
    with opened(made) as journal, journal.write() as session:
        is_gone = keys.remove(session, *where)
    if not is_gone:
        raise _unknown(made, where)
    click.echo(visible(f"hooks of {where[1]} on {where[0]} are refused from now on"))


def _where(instance: str, project: str) -> tuple[str, str]:
    name = project.strip().strip("/")
    try:
        address = normal_instance(instance)
    except ValueError:
        raise click.UsageError(
            f"{instance} is not the address of a forge: write https://pagure.io."
        ) from None
    if not name:
        raise click.UsageError("PROJECT is empty: give its full name, e.g. rpms/hello.")
    return address, name


def _given(file: TextIO | None) -> str | None:
    """The key in a file. Raises Trouble."""
    if file is None:
        return None
    try:
        key = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(
            f"the key cannot be read: {type(error).__name__}", next_step="See what the file holds."
        ) from None
    if len(key) < _FEWEST_CHARACTERS or not key.isprintable() or " " in key:
        raise Trouble(
            f"this is no key: it has to be one word of {_FEWEST_CHARACTERS} characters or more",
            next_step="Copy the key from the project's settings on the forge.",
        )
    logs.add_secret(key)
    return key


def _fresh() -> str:
    key = secrets.token_hex(_BYTES)
    logs.add_secret(key)
    return key


def _explain(made: ServiceConfig, instance: str, project: str, key: str | None) -> None:
    """What to do on the forge; and the key, if it was made here."""
    if _is_gitlab(made, instance):
        _explain_gitlab(made, instance, project, key)
        return
    page = f"{instance}/{_path(project)}/settings"
    click.echo("")
    click.echo(visible(f"On Pagure, in the settings of the project ({page}):"))
    click.echo(visible(f"  URLs of web-hooks   add {made.server_url.rstrip('/')}/api/webhooks/pagure"))
    if key is None:
        click.echo("  Web-hook key        is the one that you have given; leave it as it is")
        return
    click.echo(f"  Web-hook key        {key}")
    click.echo(
        "The key is not shown again. Pagure makes the key of a project itself and has no field for another"
    )
    click.echo("one: unless whoever runs it can set yours, hand over the one that is shown there:")
    click.echo(visible(f"  packit-worker hooks rotate {instance} {project} --key-file -"))


def _explain_gitlab(made: ServiceConfig, instance: str, project: str, key: str | None) -> None:
    """What to do on GitLab. Every project and every group has its hooks at the same place, below its page."""
    click.echo("")
    click.echo(visible(f"On GitLab, in the webhooks of the project ({instance}/{project}/-/hooks), add one:"))
    click.echo(visible(f"  URL           {made.server_url.rstrip('/')}/api/webhooks/gitlab"))
    click.echo(f"  Secret token  {key or 'is the one that you have given'}")
    click.echo("  Trigger       Push events, Comments, Merge request events, Releases events")
    click.echo("  SSL           leave its verification on")
    click.echo("For a group the webhooks are in its settings (Premium and above).")
    if key is not None:
        click.echo("The token is not shown again.")


def _is_gitlab(made: ServiceConfig, instance: str) -> bool:
    """Whether the configuration says so; else, whether the name of the host does."""
    known = {each.url for each in made.gitlab.instances}
    return instance in known or "gitlab" in (urlsplit(instance).hostname or "")


def _configured(made: ServiceConfig) -> tuple[HookConfig, ...]:
    return (*made.pagure.hooks, *made.gitlab.hooks)


def _path(project: str) -> str:
    """Where the project is: forks are called forks/<owner>/... and shown at fork/<owner>/..."""
    return f"fork/{project.removeprefix('forks/')}" if project.startswith("forks/") else project


def _unknown(made: ServiceConfig, where: tuple[str, str]) -> Trouble:
    if any((hook.instance, hook.project) == where for hook in _configured(made)):
        section = "gitlab" if _is_gitlab(made, where[0]) else "pagure"
        return Trouble(
            visible(f"{' '.join(where)} has its key in the configuration"),
            next_step=f"Change {section}.hooks there.",
        )
    return Trouble(visible(f"{' '.join(where)} has no key"), next_step="packit-worker hooks list")
