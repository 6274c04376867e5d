"""The service in one process, one task at a time, with all that each task costs counted.

Used by the benchmark ``economy`` and by ``tests/budget``. Tasks go through a broker in memory, whose messages have the
very fields that kombu writes to Redis, so their size is that on the wire.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from kombu.transport import memory
from sqlalchemy import event

from benchmarks import scene
from events.base import LANES, PARSE, REPORT
from packit_worker import startup
from packit_worker.config.service import from_mapping
from packit_worker.intake import Intake
from packit_worker.sandbox import Call, Sandbox

_BOOKKEEPING = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK|PRAGMA)\b", re.IGNORECASE)
_OF_AN_EFFECT = re.compile(r"\b(INSERT INTO|UPDATE) effects\b")
_OF_BUDGETS = re.compile(r"\bforge_budgets\b")
_CHECK_RUN = re.compile(r"/check-runs$")
_TOKEN = re.compile(r"/access_tokens$")


@dataclass
class Transaction:
    """The statements of one transaction, in order. Reading ones count too."""

    statements: list[str] = field(default_factory=list)

    @property
    def is_of_an_effect(self) -> bool:
        """Whether it announces or confirms something done outside."""
        return any(map(_OF_AN_EFFECT.search, self.statements))

    @property
    def is_of_budgets(self) -> bool:
        """Whether processes tell each other of rate limits: a matter of seconds that have passed, not of events."""
        return bool(self.statements) and all(map(_OF_BUDGETS.search, self.statements))


@dataclass
class Work:
    """One task and its cost. ``message_bytes`` is the size of the message that started it (0: there was none).

    Apart from ``transactions`` are those ``of_budgets``, which a process has every few seconds, whatever it does.
    """

    task: str
    lane: str
    message_bytes: int
    transactions: list[Transaction] = field(default_factory=list)
    of_budgets: list[Transaction] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def beside_effects(self) -> list[Transaction]:
        """The transactions that are not an effect's."""
        return [each for each in self.transactions if not each.is_of_an_effect]

    @property
    def of_effects(self) -> list[Transaction]:
        """The transactions that are an effect's."""
        return [each for each in self.transactions if each.is_of_an_effect]

    def made(self, server: str) -> list[Call]:
        """The calls to one server."""
        return [call for call in self.calls if call.server == server]


def statements(transactions: Sequence[Transaction]) -> list[str]:
    """All statements of some transactions."""
    return [each for transaction in transactions for each in transaction.statements]


@dataclass(frozen=True)
class Handled:
    """What one webhook came to: its acceptance, then the tasks in the order in which they ran."""

    accepted: Work
    tasks: tuple[Work, ...]

    @property
    def parsing(self) -> Work:
        """The first hop."""
        (found,) = [work for work in self.tasks if work.lane == PARSE]
        return found

    @property
    def event(self) -> Work:
        """The second hop."""
        (found,) = [work for work in self.tasks if work.lane not in (PARSE, REPORT)]
        return found

    @property
    def shown(self) -> list[Work]:
        """The tasks that have shown a check."""
        return [work for work in self.tasks if work.lane == REPORT]

    @property
    def reads_before_first_check(self) -> list[Call]:
        """What was read from GitHub before it was told of the first check."""
        calls = [call for work in self.tasks for call in work.made("github")]
        first = next(
            at for at, call in enumerate(calls) if call.method == "POST" and _CHECK_RUN.search(call.path)
        )
        return [call for call in calls[:first] if call.method == "GET"]

    @property
    def tokens(self) -> int:
        """How many tokens were asked for."""
        return sum(bool(_TOKEN.search(call.path)) for work in self.tasks for call in work.made("github"))


class CountedService:
    """The service of one database, in this process, against a sandbox that moves only when it is told."""

    def __init__(self, sandbox: Sandbox, database_url: str, directory: Path) -> None:
        """``database_url`` is that of a migrated database."""
        self.sandbox = sandbox
        values = scene.configuration(
            sandbox.urls(),
            sandbox.credentials(),
            directory=directory,
            database_url=database_url,
            broker_url="memory://",
        )
        self.settings = from_mapping(values)
        memory.Channel.queues.clear()
        self._worker = startup.worker(self.settings)
        self.journal = self._worker.shop.journal
        self._intake = Intake(self.journal, self._worker.shop.hints, replay_window=timedelta(days=7))
        scene.approve(self.journal)

    def close(self) -> None:
        """Stop the heart, close the connections."""
        self._worker.heart.stop()
        self.journal.dispose()

    def handle(self, webhook: Any) -> Handled:
        """Take a GitHub webhook in and do all that follows from it; the lanes in order, reports last."""
        accepted = Work("accept", "web", 0)
        with self._counted(accepted):
            decision = self._intake.accept(
                source="github",
                event_type=webhook.headers["X-GitHub-Event"],
                delivery_id=webhook.id,
                headers=webhook.headers,
                body=webhook.body,
            )
        assert decision.decision == "accepted", decision
        tasks: list[Work] = []
        for lane in (*(lane for lane in LANES if lane != REPORT), REPORT):
            tasks += self._work(lane)
        return Handled(accepted, tuple(tasks))

    def _work(self, lane: str) -> Iterator[Work]:
        with self._worker.app.connection_for_read() as connection:
            channel = connection.default_channel
            self._worker.app.amqp.queues[lane](channel).declare()
            while (message := channel.basic_get(lane, no_ack=True)) is not None:
                kwargs = message.decode()[1]
                work = Work(message.headers["task"], lane, _size(message))
                with self._counted(work):
                    self._worker.app.tasks[work.task].apply(
                        kwargs=kwargs, task_id=message.headers["id"], throw=True
                    )
                yield work

    @contextmanager
    def _counted(self, work: Work) -> Iterator[None]:
        ours = threading.get_ident()

        def begin(_: Any) -> None:
            # The heart's thread extends leases as time goes by: how often depends on the machine.
            if threading.get_ident() == ours:
                work.transactions.append(Transaction())

        def execute(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if threading.get_ident() == ours and not _BOOKKEEPING.match(statement):
                work.transactions[-1].statements.append(statement)

        engine = self.journal.engine
        listeners: list[tuple[str, Callable[..., None]]] = [
            ("begin", begin),
            ("before_cursor_execute", execute),
        ]
        before = len(self.sandbox.calls())
        for name, listener in listeners:
            event.listen(engine, name, listener)
        try:
            yield
        finally:
            for name, listener in listeners:
                event.remove(engine, name, listener)
        work.of_budgets = [each for each in work.transactions if each.is_of_budgets]
        work.transactions = [each for each in work.transactions if not each.is_of_budgets]
        work.calls += self.sandbox.calls()[before:]


def _size(message: Any) -> int:
    """Bytes of a message as kombu's Redis transport stores it."""
    stored = {
        "body": message.body if isinstance(message.body, str) else message.body.decode(),
        "content-encoding": message.content_encoding,
        "content-type": message.content_type,
        "headers": message.headers,
        "properties": message.properties,
    }
    return len(json.dumps(stored))
