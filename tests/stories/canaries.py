"""Every secret of a world is a canary: none may be seen in what the service logs, keeps, sends or shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sentry_sdk
from celery.signals import before_task_publish
from sqlalchemy import select

from packit_worker.journal.tables import metadata
from packit_worker.logs import Censor

from .world import World

OURS = "packit_worker"
#: The one place that is there to hold keys.
_KEPT = {"hook_keys": ("key", "previous_key")}


class Canaries(logging.Handler):
    """Listens to logs and messages from its making on; ``leaks`` adds what a world has kept and shown."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.logged: list[str] = []
        self.foreign: list[str] = []
        self.sent: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was logged, uncensored: ours has to be clean by itself."""
        if record.name.startswith(f"{OURS}.sandbox"):
            return
        text = record.getMessage()
        if record.exc_info:
            text += logging.Formatter().formatException(record.exc_info)
        (self.logged if record.name.split(".")[0] in (OURS, "events", "parsers") else self.foreign).append(
            text
        )

    def note_message(self, body: Any = None, headers: Any = None, **_: Any) -> None:
        """Keep a Celery message."""
        self.sent.append(f"{headers!r} {body!r}")

    def leaks(self, world: World) -> list[str]:
        """Where a secret of the world can be seen, with what was around it; empty is good."""
        known, minted = Censor(), Censor()
        for secret in world.settings.secrets():
            if len(secret) >= 8:
                known.add(secret)
                minted.add(secret)
        for token in world.sandbox.github.gate._tokens:
            minted.add(token)
        found = []
        places = {"log": self.logged, "message": self.sent, "journal": _rows(world), "forge": _shown(world)}
        for place, texts in places.items():
            found += [f"{place}: {minted(text)[:500]}" for text in texts if minted(text) != text]
        # What libraries say goes through the censor, which does not know what was minted.
        found += [f"library: {text[:500]}" for text in map(known, self.foreign) if minted(text) != text]
        if sentry_sdk.get_client().is_active():
            found.append("sentry: it is on, and nobody has looked at what it sends")
        return found


@contextmanager
def listening() -> Iterator[Canaries]:
    """Canaries that hear what is logged, ours at DEBUG, and what is sent."""
    canaries = Canaries()
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    level = ours.level
    ours.setLevel(logging.DEBUG)
    root.addHandler(canaries)
    before_task_publish.connect(canaries.note_message, weak=False, dispatch_uid=id(canaries))
    try:
        yield canaries
    finally:
        before_task_publish.disconnect(dispatch_uid=id(canaries))
        root.removeHandler(canaries)
        ours.setLevel(level)


def _rows(world: World) -> Iterator[str]:
    """Every row of every table."""
    with world.journal.read() as session:
        for table in metadata.sorted_tables:
            columns = [column for column in table.columns if column.name not in _KEPT.get(table.name, ())]
            for row in session.execute(select(*columns)):
                texts = [
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
                    for value in row
                ]
                yield f"{table.name}: {' '.join(texts)}"


def _shown(world: World) -> Iterator[str]:
    """Every check, comment and issue on the forge, and every build and request elsewhere."""
    state = world.sandbox.github.state
    with state.lock:
        yield from (repr(vars(repository)) for repository in state.repositories.values())
        yield from map(repr, state.comments.values())
    yield from map(repr, world.sandbox.copr.builds)
