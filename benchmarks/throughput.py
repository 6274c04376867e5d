"""``throughput``: events a second and processor time per event, beside the floor that Celery itself sets.

Service and floor take turns on one broker, with as many solo workers each, which take both hops. Their queues are
filled while the workers stand still. The light event is a pull request of a project without a package configuration,
which the journal knows: no call leaves the service. The whole one has a build ordered and a check shown; sandbox and
service share the processors then, so only its processor time says something.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from sqlalchemy import func, select

from benchmarks import floor, running, scene
from benchmarks.databases import Database
from benchmarks.report import Row, median, spread
from packit_worker.broker.celery_app import create_app
from packit_worker.broker.hints import Hints
from packit_worker.config.service import ServiceConfig
from packit_worker.intake import Intake
from packit_worker.journal import Journal
from packit_worker.journal.base import State
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.events import EventRow
from packit_worker.processes import Process, lane, ready_notes

NAME = "throughput"
ROUNDS = 4
PATIENCE = 60.0


@dataclass
class Side:
    """What was measured on one side, round by round."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def add(self, events: int, seconds: float, processor: float) -> None:
        """One round."""
        self.rates.append(events / seconds)
        self.costs.append(processor * 1000 / events)


def measure(database: Database, broker_url: str, directory: Path, *, events: int, workers: int) -> list[Row]:
    """All rows."""
    with running.sandbox(directory) as (client, addresses):
        settings, variables = running.configure(addresses, directory, database, broker_url)
        journal = Journal(settings.database_url)
        try:
            scene.approve(journal)
            feeder = Feeder(settings, journal)
            light = _light_event(client, settings, feeder, variables, directory)
            service, bare = _take_turns(feeder, light, variables, directory, events=events, workers=workers)
            whole = _whole_events(
                client, feeder, variables, directory, events=max(5, events // 20), workers=workers
            )
        finally:
            journal.dispose()
    return list(
        _rows(service, bare, whole, f"{events} events a round, {workers} solo workers, {database.kind}")
    )


class Feeder:
    """Writes deliveries down and sends their hints; knows when their events are over."""

    def __init__(self, settings: ServiceConfig, journal: Journal) -> None:
        self.settings = settings
        self.journal = journal
        self._hints = Hints(create_app(settings.broker_url or ""))

    def write_down(self, webhooks: Iterable[Any]) -> list[str]:
        """Take webhooks in without a hint; returns their ids."""
        silent = Intake(self.journal, Hints(_nowhere()), replay_window=timedelta(days=7))
        ids: list[str] = []
        for webhook in webhooks:
            body = webhook.body.encode() if isinstance(webhook.body, str) else webhook.body
            silent.accept(
                source="github",
                event_type="pull_request",
                delivery_id=webhook.id,
                headers=webhook.headers,
                body=body,
            )
            ids.append(webhook.id)
        return ids

    def hint(self, ids: Iterable[str]) -> None:
        """Wake the parser for each."""
        for id in ids:
            self._hints.delivery(id, "github", "pull_request")

    def over(self) -> int:
        """How many events have come to an end. Raises Failed when one was given up."""
        with self.journal.read() as session:
            found = session.execute(
                select(EventRow.state, func.count(), func.max(EventRow.reason))
                .where(EventRow.finished_at.is_not(None))
                .group_by(EventRow.state)
            ).all()
        for state, _, reason in found:
            if state == State.DEAD:
                raise running.Failed(f"an event was given up: {reason}")
        return sum(count for _, count, _ in found)

    def last_end(self) -> float:
        """When the last event came to its end, in seconds since the epoch."""
        with self.journal.read() as session:
            moment = session.execute(select(func.max(EventRow.finished_at))).scalar_one()
        assert moment is not None
        return moment.timestamp()

    def first_row(self) -> EventRow:
        """Any event."""
        with self.journal.read() as session:
            return session.execute(select(EventRow).limit(1)).scalar_one()

    def shown(self) -> int:
        """How many checks the forge shows as they are wanted, of events that are over."""
        with self.journal.read() as session:
            return session.execute(
                select(func.count()).where(
                    CheckRow.shown_version == CheckRow.version, CheckRow.finished_at.is_not(None)
                )
            ).scalar_one()


def _nowhere() -> Celery:
    """An application whose messages stay in the memory of this process."""
    return create_app("memory://")


def _light_event(
    client: Any, settings: ServiceConfig, feeder: Feeder, variables: dict[str, str], directory: Path
) -> scene.Webhooks:
    """Webhooks of events that need nobody outside: one such event has been handled, and the journal knows the rest."""
    project = scene.Project(client.github, "without", 0).create()
    secret = settings.github.webhook_secret
    assert secret is not None
    webhooks = scene.Webhooks(project.opened(project.open(1)), secret.reveal())
    with _service(feeder, variables, directory, 1, "parse,short-running"):
        feeder.hint(feeder.write_down([webhooks.next()]))
        running.wait_for(lambda: feeder.over() == 1, PATIENCE, "the first event is over")
    return webhooks


def _take_turns(
    feeder: Feeder,
    webhooks: scene.Webhooks,
    variables: dict[str, str],
    directory: Path,
    *,
    events: int,
    workers: int,
) -> tuple[Side, Side]:
    service, bare = Side(), Side()
    aside = directory / "floor"
    aside.mkdir()
    floor.facts_of_second(aside).write_text(json.dumps(feeder.first_row().kwargs))
    floor.ends(aside).touch()
    broker_url = feeder.settings.broker_url or ""
    with (
        _service(feeder, variables, directory, workers, "parse,short-running") as pids,
        _floor(broker_url, aside, workers) as floor_pids,
    ):
        for number in range(ROUNDS + 1):
            # The first round warms up both sides and is not counted.
            sides = (service, bare) if number else (Side(), Side())
            sides[0].add(events, *_service_round(feeder, webhooks, pids, events))
            sides[1].add(events, *_floor_round(broker_url, aside, floor_pids, events))
    return service, bare


def _service_round(
    feeder: Feeder, webhooks: scene.Webhooks, pids: list[int], events: int
) -> tuple[float, float]:
    ids = feeder.write_down(webhooks.next() for _ in range(events))
    target = feeder.over() + events
    return _run(
        pids,
        fill=lambda: feeder.hint(ids),
        is_over=lambda: feeder.over() >= target,
        ended=feeder.last_end,
    )


def _floor_round(broker_url: str, aside: Path, pids: list[int], events: int) -> tuple[float, float]:
    app = floor.create_app(broker_url)
    target = floor.ends(aside).stat().st_size + events
    # As long as the service's first message.
    facts = {"delivery_id": "0" * 36, "source": "github", "event_type": "pull_request"}

    def fill() -> None:
        for _ in range(events):
            app.send_task(floor.FIRST, kwargs=facts, queue=floor.FIRST)

    return _run(
        pids,
        fill=fill,
        is_over=lambda: floor.ends(aside).stat().st_size >= target,
        ended=lambda: floor.ends(aside).stat().st_mtime,
    )


def _run(
    pids: list[int], *, fill: Callable[[], None], is_over: Callable[[], bool], ended: Callable[[], float]
) -> tuple[float, float]:
    """Seconds and seconds of the processor for what was put into the queues."""
    with running.held_back(pids):
        fill()
        before, begun = running.processor_seconds(pids), time.time()
    running.wait_for(is_over, PATIENCE, "all events are over", every=0.1)
    return ended() - begun, running.processor_seconds(pids) - before


def _whole_events(
    client: Any, feeder: Feeder, variables: dict[str, str], directory: Path, *, events: int, workers: int
) -> Side:
    side = Side()
    project = scene.Project(client.github, "with-a-build", 1).create()
    with _service(feeder, variables, directory, workers, "parse,short-running,report") as pids:
        for number in range(2):
            webhooks = [project.opened(project.open(number * events + each + 1)) for each in range(events)]
            ids = feeder.write_down(webhooks)
            target, shown = feeder.over() + events, feeder.shown() + events
            begun_with = target, shown

            def is_over(wanted: tuple[int, int] = begun_with) -> bool:
                return feeder.over() >= wanted[0] and feeder.shown() >= wanted[1]

            result = _run(pids, fill=lambda ids=ids: feeder.hint(ids), is_over=is_over, ended=time.time)  # type: ignore[misc]
            if number:
                side.add(events, *result)
    return side


@contextmanager
def _service(
    feeder: Feeder, variables: dict[str, str], directory: Path, count: int, queues: str
) -> Iterator[list[int]]:
    notes = ready_notes(feeder.settings)
    processes = [lane(queues, number + 1) for number in range(count)]
    for process in processes:
        (notes / process.name).unlink(missing_ok=True)
    with running.workers(processes, variables, directory, notes) as supervisor:
        yield list(supervisor.pids.values())


@contextmanager
def _floor(broker_url: str, aside: Path, count: int) -> Iterator[list[int]]:
    variables = running.environment(**{floor.BROKER: broker_url, floor.DIRECTORY: str(aside)})
    processes = [_floor_worker(f"floor-{number + 1}") for number in range(count)]
    with running.workers(processes, variables, aside, aside) as supervisor:
        yield list(supervisor.pids.values())


def _floor_worker(name: str) -> Process:
    """A worker with the options that the service's workers have."""
    command = (
        *(sys.executable, "-m", "celery", "--app", "benchmarks.floor", "worker"),
        *("--queues", f"{floor.FIRST},{floor.SECOND}", "--pool", "solo", "--hostname", f"{name}@%h"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"),
    )
    return Process(name=name, command=command)


def _rows(service: Side, bare: Side, whole: Side, on: str) -> Iterator[Row]:
    yield _row(
        "light event through both hops", median(service.rates), "events/s", f"{on}; {spread(service.rates)}"
    )
    yield _row("floor: two tasks that do nothing", median(bare.rates), "events/s", spread(bare.rates))
    shares = [ours / theirs for ours, theirs in zip(service.rates, bare.rates, strict=True)]
    yield _row(
        "share of the floor's rate", median(shares) * 100, "%", spread([share * 100 for share in shares])
    )
    yield _row("light event: processor", median(service.costs), "ms", spread(service.costs))
    yield _row("floor: processor", median(bare.costs), "ms", spread(bare.costs))
    times = [ours / theirs for ours, theirs in zip(service.costs, bare.costs, strict=True)]
    yield _row("light event: processor, times the floor's", median(times), "", spread(times))
    extra = [ours - theirs for ours, theirs in zip(service.costs, bare.costs, strict=True)]
    yield _row("light event above the floor: processor", median(extra), "ms", spread(extra))
    yield _row(
        "whole event with build and check: processor",
        median(whole.costs),
        "ms",
        "workers only, sandbox beside",
    )
    yield _row(
        "whole event with build and check", median(whole.rates), "events/s", "sandbox on the same processors"
    )


def _row(what: str, value: float, unit: str, note: str) -> Row:
    return Row(benchmark=NAME, what=what, value=value, unit=unit, note=note)
