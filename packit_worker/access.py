"""Access: which accounts an event is judged by, and whether one of them is on the allowlist. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

from events.base import Event
from events.families import IssueComment, ProjectEvent, PullRequest, PullRequestComment, Push, Release, Rerun
from packit_worker.checks.verdict import Verdict, passed, refused
from packit_worker.journal.accounts import AccountRow, Approval, InstallationRow
from packit_worker.ports import FasAccount
from packit_worker.reporting.texts import NOT_APPROVED_NEXT

#: The group in Fedora whose members are let in.
TRUSTED_GROUP = "fedora-contributor"


def forge_of(url: str) -> str:
    """The forge a project lives on: its host in lower case."""
    return (urlsplit(url).hostname or "").lower()


def admins_on(admins: Collection[str], forge: str, home: str) -> frozenset[str]:
    """The logins, in lower case, that ``admins`` names on a forge: ``<host>/<login>``, or ``<login>`` for ``home``.

    The same login is somebody else on another forge.
    """
    named = (admin.lower().rpartition("/") for admin in admins)
    return frozenset(login for host, _, login in named if (host or home) == forge)


def accounts_of(event: Event) -> tuple[str, ...]:
    """The accounts of which one has to be approved: who caused the event, and whose project it is."""
    names: tuple[str | None, ...]
    match event:
        case PullRequest() | PullRequestComment():
            names = (event.target_repo_namespace, event.user_login)
        case IssueComment() | Rerun():
            names = (event.repo_namespace, event.user_login)
        case Push() | Release():
            names = (event.repo_namespace,)
        case _:
            names = ()
    return tuple(dict.fromkeys(name for name in names if name))


def is_let_in(event: Event, namespaces: Collection[str]) -> bool:
    """Whether the namespace of a private project is among those the service is configured to serve.

    ``namespaces`` are ``<host>/<namespace>`` without a scheme; a namespace may have several parts.
    """
    return isinstance(event, ProjectEvent) and serves_private(event.project_url, namespaces)


def serves_private(project_url: str, namespaces: Collection[str]) -> bool:
    """The same for a private project that no event is about."""
    where = f"{forge_of(project_url)}/{namespace_of(project_url)}"
    return where.lower() in {name.lower() for name in namespaces}


def namespace_of(project_url: str) -> str:
    """The namespace of a project, which may have several parts; empty where there is none."""
    return urlsplit(project_url).path.strip("/").rpartition("/")[0]


def judge(
    event: Event, known: Mapping[str, AccountRow], admins: Collection[str], user: str | None
) -> Verdict:
    """Whether the allowlist lets the event through. ``known`` maps lower-case names to what the allowlist says."""
    if user is not None and user.lower() in admins:
        return passed(f"{user} is an administrator of this service")
    return judge_accounts(accounts_of(event), known)


def judge_accounts(names: Sequence[str], known: Mapping[str, AccountRow]) -> Verdict:
    """Whether one of these accounts is approved, and none denied."""
    denied = [name for name in names if _state(known, name) == Approval.DENIED]
    if denied:
        account = known[denied[0].lower()]
        return refused(
            f"the account {denied[0]} is denied: {account.why}", "Ask the operators of this service."
        )
    for name in names:
        state = _state(known, name)
        if state is not None and state.is_approved:
            return passed(f"the account {name} is approved ({state})")
    waiting = [name for name in names if _state(known, name) == Approval.WAITING]
    if waiting:
        return refused(f"the account {waiting[0]} is waiting for approval", NOT_APPROVED_NEXT)
    return refused(f"no account is on the allowlist of this service: {' or '.join(names)}", NOT_APPROVED_NEXT)


def may_ask_for(login: str, account: str, installation: InstallationRow | None) -> bool:
    """Whether somebody may prove themselves for an account: it is theirs, or they have installed the App for it."""
    installer = installation.sender_login if installation else None
    return login.lower() in {account.lower(), (installer or account).lower()}


def vouches(fedora: FasAccount, github_login: str) -> Verdict:
    """Whether a Fedora account proves that a GitHub account is a Fedora contributor's."""
    if (fedora.github_username or "").lower() != github_login.lower():
        named = f"names {fedora.github_username}" if fedora.github_username else "names none"
        return refused(
            f"the Fedora account {fedora.login} does not name the GitHub account {github_login}: it {named}",
            "Enter your GitHub account in the profile of your Fedora account, https://accounts.fedoraproject.org, "
            "and comment again.",
        )
    if TRUSTED_GROUP not in fedora.groups:
        return refused(
            f"the Fedora account {fedora.login} is not in the group {TRUSTED_GROUP}",
            "Wait until you are, or for an operator of this service to approve the account.",
        )
    return passed(f"{github_login} is {fedora.login} in Fedora, of the group {TRUSTED_GROUP}")


def _state(known: Mapping[str, AccountRow], name: str) -> Approval | None:
    row = known.get(name.lower())
    return Approval(row.state) if row else None
