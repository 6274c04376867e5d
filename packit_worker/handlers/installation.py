"""The App was installed: remember the installation, put the account on the allowlist, ask for its approval."""

from __future__ import annotations

import hashlib

from events.github import InstallationEvent
from packit_worker import access
from packit_worker.checks.verdict import Kind
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.handlers.base import Handler
from packit_worker.journal import accounts
from packit_worker.journal.accounts import Approval
from packit_worker.ports import Posted
from packit_worker.registry import answers
from packit_worker.reporting import texts

ISSUE = "issue"


@answers(InstallationEvent)
class GithubAppInstallationHandler(Handler):
    """Puts the account that installed the App on the allowlist, waiting for approval."""

    def run(self) -> str:
        event = self.context.event
        assert isinstance(event, InstallationEvent)
        forge = access.forge_of(event.account_url or "") or access.forge_of(
            self.context.settings.github.web_url
        )
        with self.context.journal.write() as session:
            accounts.install(session, _row(event, forge))
            why = f"installed the App; {event.sender_login or 'somebody'} did it"
            is_new = accounts.introduce(
                session,
                forge,
                event.account_login,
                Approval.WAITING,
                by=event.sender_login or "unknown",
                why=why,
            )
            known = accounts.of(session, forge, [event.account_login])[event.account_login.lower()]
        # An attempt that died after the line above finds the account there, and still owes the issue.
        owes_issue = is_new or (known.state == Approval.WAITING and known.why == why)
        if not owes_issue:
            return f"{event.account_login} is known already: {known.state}"
        proof = self._proof_in_fedora(event)
        if proof is not None:
            with self.context.journal.write() as session:
                accounts.change(
                    session,
                    forge,
                    event.account_login,
                    Approval.APPROVED_AUTOMATICALLY,
                    by=event.sender_login or "unknown",
                    why=proof,
                )
            return f"{event.account_login} is approved: {proof}"
        where = self.context.settings.approval_repository_url
        if where is None:
            return f"{event.account_login} is waiting for approval: packit-worker allowlist approve"
        issue = self._ask_for_approval(event, forge, where)
        return f"{event.account_login} is waiting for approval: {issue.url}"

    def _proof_in_fedora(self, event: InstallationEvent) -> str | None:
        """Why the account can be approved at once: who installed the App is known in Fedora. None: it can not."""
        fasjson, sender = self.context.services.fasjson, event.sender_login
        if fasjson is None or sender is None:
            return None
        try:
            found = fasjson.of_github(sender)
            verdict = access.vouches(fasjson.account(found.login), sender) if found else None
        except (TemporaryError, NotFound, Refused):
            # The issue is opened all the same, and there it can be tried again.
            return None
        return verdict.reason if verdict is not None and verdict.kind == Kind.PASS else None

    def _ask_for_approval(self, event: InstallationEvent, forge: str, where: str) -> Posted:
        account = event.account_login
        # The key names the account and not the event: one issue per account, however often the App is installed.
        about = f"{forge}/{account.lower()}"
        marker = f"<!-- packit_worker:{hashlib.sha256(about.encode()).hexdigest()} -->"
        project = self.context.services.forge(where).project(where)
        title = texts.approval_title(event.account_type or "Account", account)
        verifies = self.context.services.fasjson is not None
        body = texts.approval_body(account, forge, event.sender_login, marker, verifies=verifies)
        return self.context.desk.once(
            ISSUE,
            about,
            {"project": where, "title": title, "forge": forge, "account": account},
            Calls(lambda: project.create_issue(title, body), lambda: project.find_issue(marker)),
        )


def _row(event: InstallationEvent, forge: str) -> dict[str, object]:
    return {
        "installation_id": event.installation_id,
        "forge": forge,
        "account_login": event.account_login,
        "account_id": event.account_id,
        "account_url": event.account_url,
        "account_type": event.account_type,
        "sender_login": event.sender_login,
        "sender_id": event.sender_id,
        "installed_at": event.created_at,
        "repositories": [name for name in event.repositories.split(",") if name],
    }
