"""The allowlist: who may use the service, and letting somebody in or out."""

from __future__ import annotations

import re

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from packit_worker.journal import Session, accounts, operators
from packit_worker.journal.accounts import Approval
from packit_worker.web import sessions
from packit_worker.web.answers import refuse
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import blueprint

_VERDICTS = {"approve": Approval.APPROVED_MANUALLY, "deny": Approval.DENIED}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?")
#: An account or namespace; those of GitLab may have several parts.
_ACCOUNT = re.compile(r"[^\s/\x00-\x1f\x7f]+(?:/[^\s/\x00-\x1f\x7f]+)*")
_LONGEST = 300


@blueprint.get("/allowlist", endpoint="allowlist")
def page() -> str:
    """Accounts by forge and name, those of one ``?state=``."""
    asked = request.args.get("state", "")
    state = Approval(asked) if asked in list(Approval) else None
    rows = the_door().read(lambda session: accounts.everyone(session, state))
    return render_template(
        "allowlist.html", accounts=rows, state=state, states=[each.value for each in Approval]
    )


@blueprint.post("/allowlist")
def change_allowlist() -> Response:
    """Approve or deny an account."""
    form = sessions.read_form()
    name = sessions.acting(form)
    forge, account, why = (form.get(key, "").strip() for key in ("forge", "account", "why"))
    forge, account = forge.lower(), account.strip("/").removeprefix("@")
    verdict = _VERDICTS.get(form.get("verdict", ""))
    if verdict is None:
        raise refuse(400, "say approve or deny")
    if not _HOST.fullmatch(forge) or not _ACCOUNT.fullmatch(account) or len(account) > _LONGEST:
        raise refuse(400, "an account is the host of a forge, such as github.com, and a name there")
    if len(why) > _LONGEST or (verdict == Approval.DENIED and not why):
        raise refuse(400, f"say why in at most {_LONGEST} characters: those who are refused are told")
    why = why or "approved on the web page"

    def act(session: Session) -> None:
        before = accounts.of(session, forge, [account]).get(account.lower())
        accounts.change(session, forge, account, verdict, by=name, why=why)
        was = before.state if before else "unknown"
        operators.record(
            session,
            by=name,
            action=form["verdict"],
            about=f"{forge}/{account.lower()}",
            outcome=f"{verdict.value}; it was {was}: {why}",
        )

    the_door().change(act)
    return redirect(url_for("pages.allowlist"), 303)
