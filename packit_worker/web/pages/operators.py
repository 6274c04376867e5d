"""Operators: logging in and out, and what they have done."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from packit_worker.journal import operators
from packit_worker.web import sessions
from packit_worker.web.answers import refuse
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import SHOWN, blueprint

_LARGEST = 2**63 - 1


@blueprint.get("/login", endpoint="login")
def page() -> str:
    """The form to log in with."""
    return render_template("login.html")


@blueprint.post("/login")
def log_in() -> Response:
    """Begin a session with a name and a token."""
    form = sessions.read_form()
    if not sessions.log_in(form.get("name", ""), form.get("token", "").strip()):
        raise refuse(401, "no operator has this name and token")
    _record("log in")
    return redirect(url_for("pages.dead"), 303)


@blueprint.post("/logout")
def log_out() -> Response:
    """End the session."""
    sessions.acting(sessions.read_form())
    _record("log out")
    sessions.log_out()
    return redirect(url_for("pages.overview"), 303)


@blueprint.get("/operators/actions")
def actions() -> str:
    """The audit trail, newest first, for operators; ``?before=`` is the last action of the page before."""
    sessions.watching()
    before = request.args.get("before", type=int)
    if before is not None and not 0 <= before <= _LARGEST:
        raise refuse(400, "no action has this number")
    rows = the_door().read(lambda session: operators.actions(session, SHOWN + 1, before))
    older = rows[SHOWN - 1].id if len(rows) > SHOWN else None
    return render_template("actions.html", actions=rows[:SHOWN], older=older)


def _record(action: str) -> None:
    name = sessions.watching()
    the_door().change(
        lambda session: operators.record(session, by=name, action=action, about="session", outcome="done")
    )
