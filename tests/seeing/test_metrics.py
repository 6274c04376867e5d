"""What is counted on the way of a webhook, and what a scrape shows of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from stories.world import ONE_BUILD, World

from events.base import LANES
from packit_worker import metrics
from packit_worker.config.service import from_mapping
from packit_worker.journal import JournalUnavailable
from packit_worker.journal.queues import Queue
from packit_worker.processes import shared_metrics
from packit_worker.web.metrics import FRESH, Lanes

from .scraping import Scrape

COUNTS = "from packit_worker import metrics; metrics.hints_resent.inc(2); metrics.bus_messages.labels('accepted').inc()"
SHOWS = (
    "import sys; from prometheus_client import generate_latest; from packit_worker import metrics;"
    "sys.stdout.buffer.write(generate_latest(metrics.registry()))"
)


def scrape(world: World) -> Scrape:
    answer = world.web.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    return Scrape(answer.text)


@pytest.fixture(autouse=True)
def _read_anew(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Every scrape reads the journal, but where that is what is tested."""
    if "world" in request.fixturenames or "make_world" in request.fixturenames:
        monkeypatch.setattr("packit_worker.web.metrics.FRESH", 0.0)


@pytest.fixture
def gained(world: World) -> Callable[..., float]:
    """How much a sample has grown since the test began: other tests of this process have counted, too."""
    before = scrape(world)
    return lambda name, **labels: scrape(world).value(name, **labels) - before.value(name, **labels)


def test_a_pull_request_is_counted_all_the_way(world: World, gained: Callable[..., float]) -> None:
    world.post(world.opened(world.repository(ONE_BUILD)))
    assert scrape(world).value("queue_waiting", lane="parse") == 1
    world.work()
    assert gained("webhook_requests_total", source="github", event="pull_request", result="accepted") == 1
    assert gained("webhook_accept_seconds_count") == 1
    assert gained("event_pickup_seconds_count", lane="short-running") >= 1
    assert gained("job_duration_seconds_count", handler="PullRequestCoprBuildHandler", result="done") == 1
    assert gained("effects_total", kind="copr_build", state="confirmed") == 1
    assert gained("effects_total", kind="check", state="confirmed") >= 1
    assert gained("first_status_seconds_count") == 1
    assert gained("first_status_seconds_bucket", le="60.0") == 1
    assert gained("job_retries_total") == 0
    assert scrape(world).value("github_rate_remaining", installation="1001") > 0


def test_what_was_put_back_and_refused_is_counted(world: World, gained: Callable[..., float]) -> None:
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="status", status=503, times=1
    )
    world.post(world.opened(world.repository(ONE_BUILD)))
    world.work()
    assert gained("job_retries_total", lane="short-running") == 1
    assert gained("job_duration_seconds_count", result="retry") == 1
    assert gained("effects_total", kind="copr_build", state="confirmed") == 0
    assert scrape(world).value("queue_later", lane="short-running") == 1


def test_labels_are_never_what_strangers_send(world: World, gained: Callable[..., float]) -> None:
    world.web.post("/api/webhooks/github", data=b"{}", headers={"X-GitHub-Event": "evil"})
    assert gained("webhook_requests_total", source="github", event="unknown", result="401") == 1
    world.web.post("/api/evil", data=b"{}")
    hook = world.opened(world.repository(ONE_BUILD))
    body_of_another_kind = dict(hook.headers) | {"X-GitHub-Event": "evil"}
    world.web.post("/api/webhooks/github", data=hook.body, headers=body_of_another_kind)
    assert gained("webhook_requests_total", source="github", event="other", result="ignored") == 1
    for name in scrape(world).names:
        for labels in scrape(world).labels(name):
            assert not any("evil" in value or "acme" in value for value in labels.values())


def test_the_kinds_of_the_bus_lose_their_deployment() -> None:
    topic = "org.fedoraproject.prod.copr.build.end"
    assert metrics.kind_of("fedora-messaging", topic) == "copr.build.end"
    assert metrics.kind_of("fedora-messaging", "org.fedoraproject.prod.evil") == "other"
    assert metrics.kind_of("github", None) == "other"


def test_the_sweeper_tells_when_it_was_there(world: World, gained: Callable[..., float]) -> None:
    from packit_worker.sweeping.sweeper import Sweeper

    world.post(world.opened(world.repository(ONE_BUILD)))
    world.time_passes(seconds=60)
    before = scrape(world).value("sweep_timestamp_seconds")
    Sweeper(world.shop)._sweep(world.shop)
    assert gained("hints_resent_total") == 1
    assert scrape(world).value("sweep_timestamp_seconds") > before


def test_a_token_may_be_asked_for(make_world: Callable[..., World]) -> None:
    world = make_world(metrics={"token": "for-prometheus-only"})
    assert world.web.get("/metrics").status_code == 401
    assert world.web.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
    right = {"Authorization": "Bearer for-prometheus-only"}
    assert world.web.get("/metrics", headers=right).status_code == 200


# The journal.


def test_a_journal_that_is_away_breaks_no_scrape(world: World) -> None:
    with world.journal.write() as session:
        session.execute(text("ALTER TABLE checks RENAME TO elsewhere"))
    try:
        answer = world.web.get("/metrics")
    finally:
        with world.journal.write() as session:
            session.execute(text("ALTER TABLE elsewhere RENAME TO checks"))
    assert answer.status_code == 200
    found = Scrape(answer.text)
    assert found.value("journal_up") == 0
    assert not list(found.labels("queue_oldest_seconds"))
    assert "webhook_accept_seconds_count" in found.names


def test_the_journal_is_asked_once_in_some_seconds() -> None:
    moment, asked, away = [0.0], [0], [False]

    def read() -> list[Queue]:
        asked[0] += 1
        if away[0]:
            raise JournalUnavailable("away")
        return [Queue(lane="parse", waiting=asked[0], running=0, later=0, dead=0, oldest_due_at=None)]

    lanes = Lanes(read, clock=lambda: moment[0])

    def seen() -> dict[str, list[float]]:
        return {family.name: [sample.value for sample in family.samples] for family in lanes.collect()}

    assert seen()["queue_waiting"] == seen()["queue_waiting"] == [1]
    moment[0] = FRESH
    away[0] = True
    assert seen()["journal_up"] == [0] and seen()["queue_waiting"] == []
    assert asked == [2], "nor is one that is away asked by every scrape"
    moment[0], away[0] = 2 * FRESH, False
    assert (seen()["journal_up"], seen()["queue_waiting"]) == ([1], [3])


def test_every_lane_is_shown(world: World) -> None:
    found = scrape(world)
    for name in ("queue_oldest_seconds", "queue_waiting", "queue_running", "queue_later", "jobs_dead"):
        assert [labels["lane"] for labels in found.labels(name)] == list(LANES)


# Processes.


def _run(script: str, folder: Path) -> bytes:
    environment = os.environ | {metrics.MULTIPROCESS: str(folder)}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True
    ).stdout


def test_processes_of_one_machine_are_added_up(tmp_path: Path) -> None:
    settings = from_mapping({"data_dir": str(tmp_path)})
    folder = Path(shared_metrics(settings)[metrics.MULTIPROCESS])
    for _ in range(2):
        _run(COUNTS, folder)
    found = Scrape(_run(SHOWS, folder).decode())
    assert found.value("hints_resent_total") == 4
    assert found.value("bus_messages_total", result="accepted") == 2
    shared_metrics(settings)
    assert list(folder.iterdir()) == [], "a new start counts from the beginning"


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    yield number


def test_a_worker_shows_what_it_counts_on_its_port(
    port: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = from_mapping({"metrics": {"port": port}}).metrics
    stop = []
    start = metrics.start_http_server

    def noted(*arguments: object) -> object:
        server, thread = start(*arguments)  # type: ignore[arg-type]
        stop.append((server, thread))
        return server, thread

    monkeypatch.setattr(metrics, "start_http_server", noted)
    metrics.serve(settings)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert "job_duration_seconds" in answer.read().decode()
        metrics.serve(settings)
        assert f"no metrics are shown on port {port}" in caplog.text
    finally:
        for server, thread in stop:
            server.shutdown()
            server.server_close()
            thread.join()


def test_no_port_is_opened_unless_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "start_http_server", lambda *_: pytest.fail("a port was opened"))
    metrics.serve(from_mapping({}).metrics)
