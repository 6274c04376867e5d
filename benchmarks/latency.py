"""``latency``: how long a sender waits for its 202, and how long until the event is over and the first check is shown.

The whole service runs, one process a lane. Requests are sent when they are due, whether or not earlier ones have been
answered, and timed from then. The events of the first part are light (see ``throughput``).
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select

from benchmarks import running, scene
from benchmarks.databases import Database
from benchmarks.report import Row, percentile
from packit_worker.config.service import ServiceConfig
from packit_worker.journal import Journal
from packit_worker.journal.base import OPEN
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.events import EventRow
from packit_worker.processes import all_of, ready_notes

NAME = "latency"
RATES = (20, 100)
SECONDS = 4.0
PULL_REQUESTS = 20
FIRST_CHECK_MS = 1000
PATIENCE = 60.0
PATH = "/api/webhooks/github"
FLOOR_PATH = "/api/healthz"


@dataclass(frozen=True)
class Sent:
    """One webhook: when it was due (seconds since the epoch), the milliseconds until its answer, and the answer.

    ``floor``: the milliseconds that a question took which the door answers from its memory, asked right afterwards.
    """

    id: str
    due: float
    answered: float
    status: int
    floor: float


def measure(database: Database, broker_url: str, directory: Path) -> list[Row]:
    """All rows."""
    with running.sandbox(directory) as (client, addresses):
        settings, variables = running.configure(addresses, directory, database, broker_url)
        journal = Journal(settings.database_url)
        try:
            scene.approve(journal)
            with _service(settings, variables, directory):
                rows = list(_under_load(client, settings, journal))
                rows += _first_checks(client, settings, journal)
        finally:
            journal.dispose()
    return rows


@contextlib.contextmanager
def _service(settings: ServiceConfig, variables: dict[str, str], directory: Path) -> Iterator[None]:
    host, _, port = settings.server_url.removeprefix("http://").partition(":")
    processes = list(all_of(settings, host, int(port)))
    notes = ready_notes(settings)
    with running.workers(processes, variables, directory, notes, wanted=settings.lanes):
        running.wait_for(
            lambda: _answers(settings), 30, f"the web door; see {directory / 'logs' / 'web.log'}"
        )
        yield


def _answers(settings: ServiceConfig) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{settings.server_url}/api/healthz/ready", timeout=2).status_code == 200
    return False


def _under_load(client: Any, settings: ServiceConfig, journal: Journal) -> Iterator[Row]:
    project = scene.Project(client.github, "without", 0).create()
    secret = settings.github.webhook_secret
    assert secret is not None
    webhooks = scene.Webhooks(project.opened(project.open(1)), secret.reveal())
    # The first has the package configuration looked for, and wakes every process up.
    _send(settings, [webhooks.next() for _ in range(20)], 20)
    _wait_until_idle(journal)
    for rate in RATES:
        sent = _send(settings, [webhooks.next() for _ in range(int(rate * SECONDS))], rate)
        _wait_until_idle(journal)
        size, kind = webhooks.size / 1000, journal.url.get_backend_name()
        note = f"{len(sent)} requests, bodies of {size:.0f} kB, {kind}"
        yield from _rows(f"POST to 202 at {rate}/s", [one.answered for one in sent], note)
        yield from _rows(f"floor: an answer from memory at {rate}/s", [one.floor for one in sent], "")
        refused = sum(one.status != 202 for one in sent)
        yield Row(benchmark=NAME, what=f"answers other than 202 at {rate}/s", value=refused, most=0)
        yield from _rows(f"POST to event over at {rate}/s", _until_over(journal, sent), note)


def _first_checks(client: Any, settings: ServiceConfig, journal: Journal) -> Iterator[Row]:
    project = scene.Project(client.github, "with-a-build", 1).create()
    dues: list[float] = []
    for number in range(PULL_REQUESTS + 1):
        pull = project.open(number)
        webhook = project.opened(pull)
        (sent,) = _send(
            settings, [scene.Webhook(webhook.id, dict(webhook.headers), webhook.body.encode())], 1
        )
        dues.append(sent.due)
        wanted = number + 1
        running.wait_for(partial(_are_shown, journal, wanted), PATIENCE, "a check is shown", every=0.02)
        _wait_until_idle(journal)
    # The first pull request has tokens minted and lists fetched.
    shown = _times_of_first_checks(client, dues)[1:]
    note = f"{PULL_REQUESTS} pull requests, one after the other, {journal.url.get_backend_name()}"
    yield from _rows("POST to first check on GitHub", shown, note, most=FIRST_CHECK_MS)


def _times_of_first_checks(client: Any, dues: Sequence[float]) -> list[float]:
    answered = sorted(
        call.at + call.seconds
        for call in client.calls("github")
        if call.method == "POST" and call.path.endswith("/check-runs")
    )
    return [(next(moment for moment in answered if moment > due) - due) * 1000 for due in dues]


def _send(settings: ServiceConfig, webhooks: Sequence[scene.Webhook], rate: float) -> list[Sent]:
    address = settings.server_url.removeprefix("http://")
    local = threading.local()
    begun = time.time() + 0.05

    def post(number: int) -> Sent:
        webhook, due = webhooks[number], begun + number / rate
        time.sleep(max(0.0, due - time.time()))
        connection = getattr(local, "connection", None)
        if connection is None:
            connection = local.connection = http.client.HTTPConnection(address, timeout=30)
        connection.request("POST", PATH, webhook.body, webhook.headers)
        answer = connection.getresponse()
        answer.read()
        answered = time.time()
        connection.request("GET", FLOOR_PATH)
        connection.getresponse().read()
        return Sent(webhook.id, due, (answered - due) * 1000, answer.status, (time.time() - answered) * 1000)

    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(post, range(len(webhooks))))


def _until_over(journal: Journal, sent: Sequence[Sent]) -> list[float]:
    dues = {one.id: one.due for one in sent}
    with journal.read() as session:
        found = session.execute(select(EventRow.delivery_id, EventRow.finished_at)).all()
    return [
        (finished.timestamp() - dues[delivery]) * 1000
        for delivery, finished in found
        if delivery in dues and finished is not None
    ]


def _wait_until_idle(journal: Journal) -> None:
    def is_idle() -> bool:
        with journal.read() as session:
            open_ones = [
                session.execute(select(model).where(model.state.in_(OPEN)).limit(1)).first()
                for model in (EventRow, CheckRow)
            ]
        return not any(open_ones)

    # Deliveries on their way to become events are not looked for; they take less than this.
    time.sleep(0.2)
    running.wait_for(is_idle, PATIENCE, "everything is over")


def _are_shown(journal: Journal, count: int) -> bool:
    with journal.read() as session:
        return len(session.execute(select(CheckRow.id).where(CheckRow.shown_version > 0)).all()) >= count


def _rows(what: str, values: Sequence[float], note: str, most: float | None = None) -> Iterator[Row]:
    for percent in (50, 99):
        yield Row(
            benchmark=NAME,
            what=f"{what}: p{percent}",
            value=percentile(values, percent),
            unit="ms",
            most=most,
            note=note if percent == 50 else "",
        )
