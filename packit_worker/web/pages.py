"""Pages for people: the latest deliveries, and the story of each. Plain HTML, no scripts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from packit_worker.journal import story
from packit_worker.web.answers import refuse
from packit_worker.web.door import the_door

blueprint = Blueprint("pages", __name__)

SHOWN = 50
#: Characters that change how the text around them reads: shown by their number instead.
_DECEPTIVE = {
    **{
        code: f"⟨U+{code:04X}⟩"
        for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
    },
    # Control characters, as their pictures; line ends and tabs are what they are.
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"},
    0x7F: "\u2421",
    **{code: f"⟨U+{code:04X}⟩" for code in range(0x80, 0xA0)},
}


@blueprint.get("/")
def latest() -> str:
    """The latest deliveries, newest first; ``?after=`` is the id of the last delivery of the page before."""
    after = request.args.get("after")
    rows = the_door().read(lambda session: story.latest(session, SHOWN + 1, after))
    older = rows[SHOWN - 1].id if len(rows) > SHOWN else None
    return render_template("latest.html", deliveries=rows[:SHOWN], older=older, after=after)


@blueprint.get("/deliveries/<path:delivery_id>")
def delivery(delivery_id: str) -> str:
    """The story of a delivery: what came of it, step by step, and why."""
    found = the_door().read(lambda session: story.of_delivery(session, delivery_id))
    if found is None:
        raise refuse(404, "no delivery has this id")
    return render_template("story.html", story=found)


@blueprint.get("/events/<path:event_id>")
def event(event_id: str) -> Response:
    """Where an event's story is told: on the page of its delivery."""
    found = the_door().read(lambda session: story.delivery_of(session, event_id))
    if found is None:
        raise refuse(404, "no event has this id")
    return redirect(url_for("pages.delivery", delivery_id=found), 303)


def install(app: Flask) -> None:
    """Give an application's templates the words they use."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(visible=visible, link=link, utc=utc, after=after)


def visible(text: Any) -> str:
    """Text with everything in it to be seen: what would hide or turn the rest around is shown by its number."""
    return str(text).translate(_DECEPTIVE)


def link(url: Any) -> str | None:
    """The URL if it may be a link: http or https to some host. None for all others."""
    if not isinstance(url, str) or any(ord(char) <= 0x20 or ord(char) in _DECEPTIVE for char in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def after(moment: datetime, beginning: datetime) -> str:
    """How long after the beginning something happened."""
    seconds = (moment - beginning).total_seconds()
    if seconds < 100:
        return f"+{seconds:.2f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"+{hours} h {minutes:02} min" if hours else f"+{minutes} min {seconds:02} s"


def utc(moment: datetime | None) -> str:
    """A moment for people."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
