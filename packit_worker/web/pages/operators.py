"""Operators: logging in and out, and what they have done."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from packit_worker.journal import operators
from packit_worker.web import sessions, throttle
from packit_worker.web.answers import refuse
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import SHOWN, blueprint

_LARGEST = 2**63 - 1


@blueprint.get("/login", endpoint="login")
def page() -> str:
    """The ways to log in; ``?next=`` is the page of ours to see afterwards."""
    settings = the_door().settings
    return render_template(
        "login.html",
        provider=settings.oidc.host if settings.has_single_sign_on else None,
        has_tokens=bool(settings.operators),
        following=sessions.local_path(request.args.get("next", "")),
    )


@blueprint.post("/login")
def log_in() -> Response:
    """Begin a session with a name and a token."""
    form = sessions.read_form()
    throttle.count_attempt()
    name = sessions.known(form.get("name", ""), form.get("token", "").strip())
    if name is None:
        raise refuse(401, "no operator has this name and token")
    sessions.record(name, "log in")
    sessions.begin(name)
    return redirect(sessions.local_path(form.get("next", "")), 303)


@blueprint.post("/logout")
def log_out() -> Response:
    """End the session."""
    sessions.record(sessions.acting(sessions.read_form()), "log out")
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
