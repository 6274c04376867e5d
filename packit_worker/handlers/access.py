"""Letting accounts in: somebody proves in the approval issue who they are in Fedora."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from events.families import IssueComment
from packit_worker import access
from packit_worker.checks.accounts import is_in_an_approval_issue
from packit_worker.checks.verdict import Check, Kind
from packit_worker.commands import Verb
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.handlers.help import CommentHandler
from packit_worker.handlers.installation import ISSUE
from packit_worker.journal import accounts, effects
from packit_worker.journal.accounts import AccountRow, Approval, InstallationRow
from packit_worker.ports import FasJson, Posted
from packit_worker.registry import answers
from packit_worker.reporting import texts

CLOSE_ISSUE = "close_issue"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """The account that an issue asks approval for, with its installation, as far as the journal knows them."""

    forge: str
    account: str
    row: AccountRow | None
    installation: InstallationRow | None


@answers(IssueComment, commands=[Verb.VERIFY_FAS])
class VerifyFasHandler(CommentHandler):
    """Approves the account that an issue is about, when your Fedora account names your GitHub account."""

    checks: ClassVar[tuple[Check, ...]] = (is_in_an_approval_issue,)
    needs_approval: ClassVar[bool] = False

    def run(self) -> str:
        login = self.comment.user_login
        command = self.context.situation.asked.of(Verb.VERIFY_FAS)[-1]
        assert command.argument is not None
        asking = self._asking()
        if asking is None:
            return self._say(texts.no_approval_issue())
        state = Approval(asking.row.state) if asking.row else None
        if state is not None and state.is_approved:
            self._close()
            return self._say(texts.approved_already(asking.account))
        if state == Approval.DENIED:
            return self._say(texts.approval_denied(asking.account, asking.row.why if asking.row else ""))
        if not access.may_ask_for(login, asking.account, asking.installation):
            installer = asking.installation.sender_login if asking.installation else None
            return self._say(texts.not_the_installer(login, asking.account, installer))
        fasjson = self.context.services.fasjson
        if fasjson is None:
            return self._say(texts.no_fasjson())
        return self._verify(fasjson, command.argument, login, asking)

    def _verify(self, fasjson: FasJson, fas_login: str, login: str, asking: Asking) -> str:
        try:
            verdict = access.vouches(fasjson.account(fas_login), login)
        except NotFound:
            return self._say(texts.no_fedora_account(fas_login))
        except TemporaryError:
            # This comment changes when it has gone well; should it never, people know what to do.
            self._say(texts.fedora_is_away())
            raise
        if verdict.kind != Kind.PASS:
            return self._say(texts.comment_refused(verdict.reason, verdict.next_step))
        with self.context.journal.write() as session:
            accounts.change(
                session,
                asking.forge,
                asking.account,
                Approval.APPROVED_AUTOMATICALLY,
                by=login,
                why=verdict.reason,
            )
        said = self._say(texts.approved(asking.account, login, fas_login))
        self._close()
        return f"approved {asking.account}: {verdict.reason}; {said}"

    def _asking(self) -> Asking | None:
        """What the issue is about, by the effect that opened it: the issue's text anybody with rights could change."""
        number, where = str(self.number), self.comment.project_url
        with self.context.journal.read() as session:
            opened = [
                row.request
                for row in effects.of_external(session, ISSUE, number)
                if row.request.get("project", "").rstrip("/") == where and "account" in row.request
            ]
            if not opened:
                return None
            forge, account = opened[-1]["forge"], opened[-1]["account"]
            return Asking(
                forge=forge,
                account=account,
                row=accounts.of(session, forge, [account]).get(account.lower()),
                installation=accounts.installation_of(session, forge, account),
            )

    def _say(self, text: str) -> str:
        try:
            return self.answer(
                (text,), f"{self.comment.subject} verify-fas {self.comment.user_login.lower()}"
            )
        except (NotFound, Refused) as error:
            return f"no answer could be given: {error}"

    def _close(self) -> None:
        project = self.context.project()

        def close() -> Posted:
            project.close_issue(self.number)
            return Posted(id=str(self.number))

        try:
            self.context.desk.once(CLOSE_ISSUE, "", {"number": self.number}, Calls(close, lambda: None))
        except (NotFound, Refused):
            # The account is approved all the same.
            return
