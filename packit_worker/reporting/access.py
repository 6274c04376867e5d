"""What is said of accounts and their approval."""

from __future__ import annotations

from packit_worker.reporting.markdown import code, code_block, plain

NOT_APPROVED_NEXT = (
    "An operator of this service can approve an account; ask for it in the approval issue that was opened "
    "when the App was installed."
)


def approval_title(kind: str, account: str) -> str:
    """Title of the issue in which an account is approved."""
    return f"{kind} {account} needs to be approved"


def approval_body(
    account: str, forge: str, sender: str | None, marker: str, *, verifies: bool = False
) -> str:
    """The issue in which an account is approved. ``verifies``: a Fedora account can prove it."""
    who = plain(sender) if sender else "Somebody"
    fedora = (
        f"{who} can have it approved at once with a Fedora account that names the GitHub account of {who}, by the "
        "comment `/packit verify-fas LOGIN`.\n\n"
    )
    return (
        f"{who} installed the App for {plain(account)} on {forge}.\n\n"
        f"{fedora if verifies else ''}"
        f"To approve it, an operator runs:\n\n"
        f"{code_block(f'packit-worker allowlist approve {forge} {account}')}\n\n{marker}\n"
    )


def approved(account: str, login: str, fas_login: str) -> str:
    """An account was approved."""
    return (
        f"The account {plain(account)} is approved: {plain(login)} is {plain(fas_login)} in Fedora. "
        "Comment `/packit build` on pull requests that came before."
    )


def approved_already(account: str) -> str:
    """An account needs no approval any more."""
    return f"The account {plain(account)} is approved already; there is nothing to do."


def approval_denied(account: str, why: str) -> str:
    """Operators have decided."""
    return f"The account {plain(account)} is denied: {plain(why)}. Ask the operators of this service."


def not_the_installer(login: str, account: str, installer: str | None) -> str:
    """Somebody else wants an account approved."""
    who = plain(installer) if installer else f"the account {plain(account)} itself"
    return (
        f"{plain(login)} has not installed the App for {plain(account)}: {who} can ask for it, "
        "or an operator approves it."
    )


def no_fedora_account(fas_login: str) -> str:
    """A Fedora account that is none."""
    return f"There is no Fedora account {code(fas_login)}. Comment again with the name you log in with in Fedora."


def fedora_is_away() -> str:
    """Fedora's accounts cannot be asked just now."""
    return "Fedora's accounts cannot be asked just now; it is tried again. Comment again if this stays for an hour."


def no_fasjson() -> str:
    """The service is not connected to Fedora's accounts."""
    return "This service does not know Fedora's accounts. Wait for an operator to approve the account."


def no_approval_issue() -> str:
    """An issue that the service has not opened."""
    return "This issue asks for the approval of no account. Comment in the one that was opened for yours."
