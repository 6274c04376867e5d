"""``packit-worker allowlist``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import click

from events.families import PullRequestComment
from packit_worker import access
from packit_worker.checks.verdict import Kind
from packit_worker.cli.opening import login, opened, settings
from packit_worker.cli.printing import moment, table, visible
from packit_worker.journal import accounts
from packit_worker.journal.accounts import AccountRow, Approval

#: What forges are called in short.
_SHORT = {"github": "github.com", "gitlab": "gitlab.com", "pagure": "pagure.io"}


@dataclass(frozen=True, kw_only=True)
class Who:
    """Accounts on a forge: the namespace of a project, and the user who would have something done in it."""

    forge: str
    namespace: str
    user: str | None = None

    @property
    def names(self) -> list[str]:
        """The accounts, once each."""
        return list(dict.fromkeys(name.lower() for name in (self.namespace, self.user) if name))


@click.group("allowlist")
def allowlist() -> None:
    """Who is served: list, approve, deny, and why.

    An account is a user or a namespace on a forge: its host and its name, or its URL. Case does not count.

    \b
    Examples:
      packit-worker allowlist list --state waiting
      packit-worker allowlist approve github.com acme --why "asked in #112"
      packit-worker allowlist deny https://github.com/spam --why "mines coins in builds"
      packit-worker allowlist why https://github.com/acme/hello alice
    """


@allowlist.command("list")
@click.option(
    "--state", type=click.Choice([state.value for state in Approval]), help="Only those in this state."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each account, one a line.")
@click.pass_context
def list_(context: click.Context, state: str | None, as_json: bool) -> None:
    """List the accounts that are known.

    \b
    Examples:
      packit-worker allowlist list --state waiting
      packit-worker allowlist list --json | jq -r .name
    """
    with opened(settings(context)) as journal, journal.read() as session:
        rows = accounts.everyone(session, Approval(state) if state else None)
    if as_json:
        for row in rows:
            click.echo(json.dumps(_json(row)))
        return
    if not rows:
        click.echo(f"no account is {state}" if state else "no account is known yet", err=True)
        return
    table(
        ("Forge", "Account", "State", "Since", "By", "Why"),
        [(row.forge, row.name, row.state, moment(row.changed_at), row.by, row.why) for row in rows],
    )


@allowlist.command("approve")
@click.argument("forge", metavar="FORGE|URL")
@click.argument("account", required=False)
@click.option("--why", default="approved on the command line", help="The reason, for the audit trail.")
@click.option("--by", help="Who decides it; else your login name.")
@click.pass_context
def approve(context: click.Context, forge: str, account: str | None, why: str, by: str | None) -> None:
    """Serve an account from now on.

    \b
    Examples:
      packit-worker allowlist approve github.com acme
      packit-worker allowlist approve https://github.com/acme --why "asked in #112" --by carol
    """
    _change(context, forge, account, Approval.APPROVED_MANUALLY, why, by)
    click.echo("What was refused before is not taken up by itself: packit-worker replay ID does that.")


@allowlist.command("deny")
@click.argument("forge", metavar="FORGE|URL")
@click.argument("account", required=False)
@click.option("--why", required=True, help="The reason; those who are refused are told.")
@click.option("--by", help="Who decides it; else your login name.")
@click.pass_context
def deny(context: click.Context, forge: str, account: str | None, why: str, by: str | None) -> None:
    """Serve an account no more, whoever approves the other one.

    \b
    Examples:
      packit-worker allowlist deny github.com spam --why "mines coins in builds"
    """
    _change(context, forge, account, Approval.DENIED, why, by)


@allowlist.command("why")
@click.argument("forge", metavar="FORGE|URL")
@click.argument("account", required=False)
@click.pass_context
def why(context: click.Context, forge: str, account: str | None) -> None:
    """Say whether an account is served, by which rule, and who decided that.

    With a project's URL and a user both are looked at, as they are when the user opens a pull request there.

    \b
    Examples:
      packit-worker allowlist why github.com acme
      packit-worker allowlist why https://github.com/acme/hello alice
    """
    made = settings(context)
    who = _project_and_user(forge, account) if account and "://" in forge else _who(forge, account)
    with opened(made) as journal, journal.read() as session:
        known = accounts.of(session, who.forge, who.names)
        histories = {name: accounts.history(session, who.forge, name) for name in who.names}
    admins = access.admins_on(made.admins, who.forge, access.forge_of(made.github.web_url))
    event = _event(who)
    verdict = access.judge(event, known, admins, event.user_login)
    for number, (rule, names) in enumerate(_rules(who, known, admins, event.user_login), 1):
        click.echo(visible(f"{number}. {rule}: {', '.join(names) if names else 'no'}"))
    click.echo(visible(f"=> {'served' if verdict.kind == Kind.PASS else 'refused'}: {verdict.reason}"))
    if verdict.next_step:
        click.echo(visible(f"   what to do: {verdict.next_step}"))
    for name, history in histories.items():
        click.echo("")
        click.echo(visible(f"{who.forge}/{name}: " + ("" if history else "nothing was ever decided")))
        for change in history:
            click.echo(visible(f"  {moment(change.at)}  {change.state} by {change.by}: {change.why}"))


def _rules(
    who: Who, known: dict[str, AccountRow], admins: frozenset[str], user: str
) -> Iterator[tuple[str, list[str]]]:
    """The rules in the order in which they are asked, with the accounts that each applies to; the first decides."""
    yield "an administrator of this service is served", [user] if user.lower() in admins else []
    states = {name: Approval(known[name].state) for name in who.names if name in known}
    yield "a denied account is refused", [name for name, state in states.items() if state == Approval.DENIED]
    yield "an approved account is served", [name for name, state in states.items() if state.is_approved]
    yield (
        "a waiting account is refused",
        [name for name, state in states.items() if state == Approval.WAITING],
    )
    yield "an account that nobody knows is refused", [name for name in who.names if name not in known]


def _event(who: Who) -> PullRequestComment:
    """An event of these accounts, so that the allowlist is asked as it is for every other."""
    return PullRequestComment(
        project_url=f"https://{who.forge}/{who.namespace}/project",
        action="created",
        pr_id=1,
        comment="",
        user_login=who.user or who.namespace,
        target_repo_namespace=who.namespace,
        target_repo_name="project",
    )


def _change(
    context: click.Context, forge: str, account: str | None, state: Approval, why: str, by: str | None
) -> None:
    who = _who(forge, account)
    by = by or login()
    with opened(settings(context)) as journal, journal.write() as session:
        before = accounts.of(session, who.forge, who.names).get(who.namespace.lower())
        was = before.state if before else "unknown"
        accounts.change(session, who.forge, who.namespace, state, by=by, why=why)
    click.echo(visible(f"{who.forge}/{who.namespace.lower()} is {state} (it was {was}), by {by}: {why}"))


def _who(forge: str, account: str | None) -> Who:
    """An account from a forge and a name, or from a URL alone."""
    if account is not None:
        host = urlsplit(forge if "://" in forge else f"//{forge}").hostname
        host = _SHORT.get(host or "", host)
        name = account.strip().strip("/").removeprefix("@")
        if not host or not name:
            raise click.UsageError(f"{forge} {account} is no account: give a forge's host and a name.")
        return Who(forge=host, namespace=name)
    parts = urlsplit(forge if "://" in forge else f"https://{forge}")
    name = parts.path.strip("/")
    if not parts.hostname or not name:
        raise click.UsageError(
            f"{forge} names no account: give a forge and an account, or https://<forge>/<account>."
        )
    if parts.hostname == "github.com":
        # Accounts there have one part: what stands behind it is a repository.
        name = name.partition("/")[0]
    return Who(forge=parts.hostname, namespace=name)


def _project_and_user(url: str, user: str) -> Who:
    """The accounts that count when a user does something in a project (or in a namespace)."""
    parts = urlsplit(url)
    path = parts.path.strip("/")
    if not parts.hostname or not path:
        raise click.UsageError(f"{url} is no project.")
    return Who(forge=parts.hostname, namespace=path.rpartition("/")[0] or path, user=user)


def _json(row: AccountRow) -> dict[str, str]:
    return {
        "forge": row.forge,
        "name": row.name,
        "state": row.state,
        "by": row.by,
        "why": row.why,
        "changed_at": row.changed_at.isoformat().replace("+00:00", "Z"),
    }
