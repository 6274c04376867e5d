"""What the web works with: the way in and the journal, each asked with patience that ends. Used inside this folder.

A database that is away says so quickly; one that is frozen says nothing. A request waits a second for either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, current_app
from sqlalchemy import make_url

from packit_worker import logs, metrics
from packit_worker.broker.celery_app import create_app
from packit_worker.broker.embedded import current_url
from packit_worker.broker.hints import Hints
from packit_worker.config.service import ServiceConfig
from packit_worker.intake import Decision, Intake
from packit_worker.journal import Journal, JournalUnavailable, Session, hooks

T = TypeVar("T")

#: Seconds in which the database has to show a sign of life.
PATIENCE = 0.8
#: The same for what people look at, and programs do not wait for.
LONG_PATIENCE = 5.0
#: The same while it is known to show none.
_SHORT_PATIENCE = 0.25
#: Seconds that a request waits in line before a database that is slow but alive.
LONGEST_WAIT = 8.0

_KEY = "packit_worker"


class Patient:
    """Threads that ask the database, so that whoever waits for them can stop waiting."""

    def __init__(self, threads: int, name: str, patience: float = PATIENCE) -> None:
        """Nothing is started yet: threads would not survive a fork."""
        self._patience = patience
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._answered = 0
        self._is_stuck = False

    def ask(self, question: Callable[[], T]) -> T:
        """The answer of ``question``. Raises JournalUnavailable when none of the threads gets any in time.

        What was begun then may still be carried out later: the sender is told of a failure and sends again.
        """
        future = self._pool.submit(self._answer, question)
        give_up_at = time.monotonic() + LONGEST_WAIT
        while True:
            seen = self._answered
            try:
                return future.result(_SHORT_PATIENCE if self._is_stuck else self._patience)
            except TimeoutError:
                if future.done():
                    # Its own error, or an answer in the very last moment.
                    return future.result()
                if seen != self._answered and time.monotonic() < give_up_at:
                    continue
                future.cancel()
                self._is_stuck = True
                raise JournalUnavailable("the database does not answer in time") from None

    def _answer(self, question: Callable[[], T]) -> T:
        try:
            answer = question()
        except Exception as error:
            if not isinstance(error, JournalUnavailable):
                self._note_life()
            raise
        self._note_life()
        return answer

    def _note_life(self) -> None:
        with self._lock:
            self._answered += 1
            self._is_stuck = False


class Door:
    """The settings, the way in and the journal, for the views of one application."""

    def __init__(self, settings: ServiceConfig, intake: Intake, journal: Journal) -> None:
        self.settings = settings
        self.journal = journal
        self._intake = intake
        # SQLite has one writer at a time: a queue of our own is fair, its lock is polled for.
        is_sqlite = journal.url.get_backend_name() == "sqlite"
        self._writers = Patient(1 if is_sqlite else 4, "accept")
        self._readers = Patient(2, "read")
        # Questions about a whole day may take longer: nobody shall wait in line behind them either.
        self._onlookers = Patient(2, "look", LONG_PATIENCE)
        # Strangers can ask for keys: nobody else shall wait in line behind them.
        self._keys = Patient(2, "keys")
        self._censored: set[str] = set()
        self._configured_keys = {
            (hook.instance, hook.project.strip("/")): hook.key.reveal()
            for hook in (*settings.pagure.hooks, *settings.gitlab.hooks)
        }

    @classmethod
    def open(
        cls, settings: ServiceConfig, intake: Intake | None = None, journal: Journal | None = None
    ) -> Door:
        """Put a door together from the settings, but for a way in or a journal that is given. Connects nothing."""
        if journal is None:
            journal = Journal(_database_url(settings.database_url), timeout=PATIENCE)
        if intake is None:
            app = create_app(settings.broker_url or current_url(settings.data_dir))
            window = timedelta(days=settings.limits.replay_window_days)
            intake = Intake(journal, Hints(app, in_background=True), replay_window=window)
        return cls(settings, intake, journal)

    def accept(
        self,
        *,
        source: str,
        event_type: str,
        delivery_id: str,
        headers: Mapping[str, str],
        body: bytes,
        ignored: str | None = None,
        held: str | None = None,
    ) -> Decision:
        """``Intake.accept`` within a second. Raises JournalUnavailable."""
        with metrics.webhook_accept_seconds.time():
            decision = self._writers.ask(
                lambda: self._intake.accept(
                    source=source,
                    event_type=event_type,
                    delivery_id=delivery_id,
                    headers=headers,
                    body=body,
                    ignored=ignored,
                    held=held,
                )
            )
        metrics.webhook_requests.labels(source, metrics.kind_of(source, event_type), decision.decision).inc()
        return decision

    def hook_keys(self, instance: str, project: str, *above: str) -> tuple[str, ...]:
        """The keys that hooks of a project, or of a group ``above`` it, may come with. Raises JournalUnavailable.

        The journal is asked in any case, so that the time it takes does not tell which projects are known.
        """
        found = self._keys.ask(
            lambda: self._read(lambda session: hooks.keys_of(session, instance, project, *above))
        )
        configured = [self._configured_keys.get((instance, name)) for name in (project, *above)]
        keys = tuple(key for key in configured if key) or found
        if not self._censored.issuperset(keys):
            self._censored.update(keys)
            for key in keys:
                logs.add_secret(key)
        return keys

    def read(self, question: Callable[[Session], T]) -> T:
        """What ``question`` finds in the journal. Raises JournalUnavailable."""

        return self._readers.ask(lambda: self._read(question))

    def look(self, question: Callable[[Session], T]) -> T:
        """What ``question``, which may take seconds, finds in the journal. Raises JournalUnavailable."""
        return self._onlookers.ask(lambda: self._read(question))

    def change(self, action: Callable[[Session], T]) -> T:
        """What ``action`` answers, done in one transaction. Raises JournalUnavailable."""
        return self._writers.ask(lambda: self._change(action))

    @property
    def hints(self) -> Hints:
        """The wake-ups that follow a change."""
        return self._intake.hints

    def _change(self, action: Callable[[Session], T]) -> T:
        with self.journal.write() as session:
            return action(session)

    def _read(self, question: Callable[[Session], T]) -> T:
        with self.journal.read() as session:
            return question(session)

    def install(self, app: Flask) -> None:
        """Let the application's views find this door with ``the_door``."""
        app.extensions[_KEY] = self


def the_door() -> Door:
    """The door of the application that answers now."""
    door = current_app.extensions[_KEY]
    assert isinstance(door, Door)
    return door


def _database_url(url: Any) -> Any:
    """The URL, with the wish to notice within seconds that the network to the database is gone."""
    made = make_url(url)
    if made.get_backend_name() != "postgresql":
        return made
    wishes = {
        "tcp_user_timeout": "5000",
        "keepalives_idle": "5",
        "keepalives_interval": "2",
        "keepalives_count": "2",
    }
    return made.update_query_dict({name: value for name, value in wishes.items() if name not in made.query})
