"""Deliveries: a list to look through, and the story of each."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from packit_worker.journal import Session, overview, story
from packit_worker.journal.base import State
from packit_worker.journal.reopening import PROCESSED, UNREAD
from packit_worker.journal.story import Filter, Story
from packit_worker.web.answers import refuse
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import SHOWN, blueprint


@blueprint.get("/deliveries")
def deliveries() -> str | Response:
    """The latest deliveries that fit ``?source=``, ``?outcome=`` and ``?about=``; or what ``?q=`` means.

    ``?after=`` is the id of the last delivery of the page before.
    """
    wanted = {name: request.args.get(name, "").strip() for name in ("source", "outcome", "about", "q")}
    after = request.args.get("after")

    def find(session: Session) -> tuple[list[str], list[Any]]:
        names = overview.source_names(session)
        if wanted["q"]:
            ids = story.find(session, wanted["q"])[-SHOWN:]
            return names, story.summaries(session, ids)[::-1] if ids else []
        fits = Filter(**{name: wanted[name] or None for name in ("source", "outcome", "about")})
        return names, story.latest(session, SHOWN + 1, after, fits)

    names, rows = the_door().read(find)
    if wanted["q"] and len({row.id for row in rows}) == 1:
        return redirect(url_for("pages.delivery", delivery_id=rows[0].id), 303)
    return render_template(
        "deliveries.html",
        deliveries=rows[:SHOWN],
        older=rows[SHOWN - 1].id if len(rows) > SHOWN else None,
        after=after,
        wanted=wanted,
        sources=sorted({*names, wanted["source"]} - {""}),
        outcomes=[state.value for state in State],
    )


@blueprint.get("/deliveries/<path:delivery_id>")
def delivery(delivery_id: str) -> str:
    """The story of a delivery: what came of it, step by step, and why."""
    found = the_door().read(lambda session: story.of_delivery(session, delivery_id))
    if found is None:
        raise refuse(404, "no delivery has this id")
    return render_template(
        "story.html",
        story=found,
        project_url=_project(found),
        can_replay=found.outcome in (*UNREAD, *PROCESSED),
    )


@blueprint.get("/events/<path:event_id>")
def event(event_id: str) -> Response:
    """Where an event's story is told: on the page of its delivery."""
    found = the_door().read(lambda session: story.delivery_of(session, event_id))
    if found is None:
        raise refuse(404, "no event has this id")
    return redirect(url_for("pages.delivery", delivery_id=found), 303)


def _project(found: Story) -> str | None:
    """The project that the first of a story's events is about."""
    urls = (
        entry.facts["kwargs"].get("project_url")
        for entry in found.entries
        if entry.kind == "event" and isinstance(entry.facts.get("kwargs"), dict)
    )
    return next((url for url in urls if isinstance(url, str)), None)
