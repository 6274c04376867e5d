"""How the pages say things: texts of strangers, links, moments and times, and which colour a word has."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, url_for

from packit_worker.journal import listing
from packit_worker.tracing import trace_of
from packit_worker.web.door import the_door

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


#: What a state, a conclusion or a result is to whoever looks at it. Results of tests are words of strangers: what is
#: not among these is neither good nor bad.
_TONES = {
    **dict.fromkeys(
        ("done", "success", "passed", "confirmed", "approved_automatically", "approved_manually"), "good"
    ),
    **dict.fromkeys(
        ("dead", "malformed", "failure", "failed", "error", "refused", "denied", "timed_out"), "bad"
    ),
    **dict.fromkeys(
        ("ready", "running", "held", "waiting", "pending", "queued", "in_progress", "new", "retry", "sent"),
        "wait",
    ),
}
_PULL = re.compile(r"(https?://[^/]+/.+?)/(?:pull|pull-request|-/merge_requests)/(\d{1,18})")


def install(app: Flask) -> None:
    """Give an application's templates the words they use."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        visible=visible,
        link=link,
        utc=utc,
        after=after,
        tone=tone,
        span=span,
        project=project,
        pull=pull,
        trace=trace,
    )


def trace(delivery_id: Any) -> str | None:
    """The id of a delivery's trace; None where traces are not sent."""
    return trace_of(the_door().settings.tracing, str(delivery_id))


def tone(word: Any) -> str:
    """The class of a state in the style sheet: good, bad, wait or soft."""
    return _TONES.get(str(word), "soft")


def project(url: str) -> str | None:
    """The address of our page of a project; None where its URL is none that a project can have."""
    if link(url) is None:
        return None
    forge, namespace, name = listing.place(url)
    path = f"{namespace}/{name}".strip("/")
    return url_for("pages.project", forge=forge, path=path) if path else None


def pull(subject: Any) -> str | None:
    """The address of our page of a pull request, given its page on the forge; None where it is no such page."""
    found = _PULL.fullmatch(subject) if link(subject) is not None else None
    if found is None:
        return None
    forge, namespace, name = listing.place(found[1])
    return url_for(
        "pages.pull_request", forge=forge, path=f"{namespace}/{name}".strip("/"), number=int(found[2])
    )


def span(seconds: float) -> str:
    """A time for people."""
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


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
