"""Dead letters: what was given up or is held; doing it again, and letting go of it."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from packit_worker.journal import Session, operators, overview, reopening, story
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.journal.reopening import Dropped, NotReplayable, Replay
from packit_worker.web import sessions
from packit_worker.web.answers import refuse
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import SHOWN, blueprint

_LONGEST_WHY = 300


@blueprint.get("/dead", endpoint="dead")
def page() -> str:
    """What was given up, and what is held."""
    dead, held = the_door().read(
        lambda session: (overview.dead(session, SHOWN), overview.held(session, SHOWN))
    )
    return render_template("dead.html", dead=[_letter(row) for row in dead], held=held)


@blueprint.get("/replay/<path:id>")
def replay(id: str) -> str:
    """What doing it again would do; nothing is done yet. For operators."""
    sessions.watching()
    try:
        would, _ = the_door().read(lambda session: reopening.reopen(session, id, dry_run=True))
    except NotReplayable as error:
        raise _refused(error) from None
    return render_template("replay.html", id=id, would=would)


@blueprint.post("/replay/<path:id>")
def do_replay(id: str) -> Response:
    """Do it again, and lead to its story."""
    name = sessions.acting(sessions.read_form())
    door = the_door()

    def act(session: Session) -> tuple[Replay, Delivery | EventRow]:
        done, row = reopening.reopen(session, id, dry_run=False)
        about = f"{done.kind} {done.id}"
        operators.record(
            session, by=name, action="replay", about=about, outcome=f"opened again; it was {done.was}"
        )
        return done, row

    try:
        done, row = door.change(act)
    except NotReplayable as error:
        raise _refused_and_recorded(error, name, "replay", id) from None
    door.hints.row(row)
    delivery_id = door.read(lambda session: story.delivery_of(session, done.id))
    return redirect(
        url_for("pages.delivery", delivery_id=delivery_id) if delivery_id else url_for("pages.dead"), 303
    )


@blueprint.get("/drop/<path:id>")
def drop(id: str) -> str:
    """What letting go of it would end; nothing is done yet. For operators."""
    sessions.watching()
    try:
        would = the_door().read(lambda session: reopening.drop(session, id, "", dry_run=True))
    except NotReplayable as error:
        raise _refused(error) from None
    return render_template("drop.html", id=id, would=would, longest=_LONGEST_WHY)


@blueprint.post("/drop/<path:id>")
def do_drop(id: str) -> Response:
    """Let go of it, for the reason that is given, and lead to what else was given up."""
    form = sessions.read_form()
    name = sessions.acting(form)
    why = form.get("why", "").strip()
    if not why or len(why) > _LONGEST_WHY:
        raise refuse(400, f"say why in at most {_LONGEST_WHY} characters, for whoever asks later")

    def act(session: Session) -> Dropped:
        done = reopening.drop(session, id, why)
        outcome = f"dropped: {why}; {'; '.join(done.was)}"
        operators.record(session, by=name, action="drop", about=str(done), outcome=outcome)
        return done

    try:
        the_door().change(act)
    except NotReplayable as error:
        raise _refused_and_recorded(error, name, "drop", id) from None
    return redirect(url_for("pages.dead"), 303)


def _refused_and_recorded(error: NotReplayable, name: str, action: str, id: str) -> Exception:
    the_door().change(
        lambda session: operators.record(
            session, by=name, action=action, about=id, outcome=f"refused: {error}"
        )
    )
    return _refused(error)


def _refused(error: NotReplayable) -> Exception:
    return refuse(409, f"{error}. {error.next_step}")


def _letter(row: overview.Work) -> dict[str, object]:
    """A dead letter as the page shows it. A check is shown again by its event."""
    if isinstance(row, Delivery):
        facts = {
            "kind": "delivery",
            "what": f"{row.source} {row.event_type or ''}",
            "id": row.id,
            "about": None,
        }
    elif isinstance(row, CheckRow):
        facts = {"kind": "check", "what": row.name, "id": row.event_id, "about": row.subject}
    else:
        facts = {"kind": "event", "what": row.task, "id": row.id, "about": row.subject}
    story_url = (
        url_for("pages.delivery", delivery_id=row.id)
        if isinstance(row, Delivery)
        else url_for("pages.event", event_id=facts["id"])
    )
    return facts | {"at": row.finished_at, "reason": row.reason, "attempts": row.attempts, "story": story_url}
