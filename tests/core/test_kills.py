"""Real workers, a real broker and a real database, and one of them is killed in the middle of it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from sqlalchemy import create_engine, select, text
from stories.world import CONFIG, REPOSITORY, SPEC

from packit_worker import startup
from packit_worker.broker.embedded import EmbeddedBroker, redis_program
from packit_worker.config.service import PATH_VARIABLE, ServiceConfig, load_service_config
from packit_worker.intake import Intake
from packit_worker.journal import Journal, accounts
from packit_worker.journal.accounts import Approval
from packit_worker.journal.base import State
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.processes import feed, lane, ready_notes, sweeper
from packit_worker.sandbox import Sandbox
from packit_worker.supervisor import Supervisor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.services("postgresql"),
    pytest.mark.skipif(redis_program() is None, reason="there is no redis-server here"),
    pytest.mark.timeout(400),
]

#: What most are tried with; tests take half a minute more, as nobody calls back.
BUILDS = """\
specfile_path: hello.spec
jobs:
  - {job: copr_build, trigger: pull_request, targets: [fedora-43, fedora-44]}
"""
LANES = ("parse", "short-running", "report")
#: Seconds that a process has to end by itself (``worker_soft_shutdown_timeout``); platforms give as many.
GRACE = 30


def until(is_true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"in {seconds:.0f} s it did not come to pass: {what}"
        time.sleep(0.05)


class Service:
    """Journal, door and processes of a service that works against a sandbox in this process."""

    def __init__(self, sandbox: Sandbox, database_url: str, broker_url: str, directory: Path) -> None:
        self.sandbox = sandbox
        self.directory = directory
        self.file = directory / "packit-worker.yaml"
        self.file.write_text(yaml.safe_dump(_settings(sandbox, database_url, broker_url, directory)))
        self.settings: ServiceConfig = load_service_config(self.file, {})
        self.journal = Journal(database_url)
        with self.journal.write() as session:
            accounts.change(session, "127.0.0.1", "acme", Approval.APPROVED_MANUALLY, by="test", why="test")

    @contextlib.contextmanager
    def running(self, *, workers: int = 2) -> Iterator[Supervisor]:
        """All processes, when all workers take tasks; so many of the lane for short runs."""
        more = [lane("short-running", number) for number in range(2, workers + 1)]
        processes = [*map(lane, LANES), *more, sweeper(), feed()]
        environment = {**os.environ, PATH_VARIABLE: str(self.file), "PYTHONUNBUFFERED": "1"}
        logs = self.directory / "logs"
        with Supervisor(processes, environment=environment, log_dir=logs) as supervisor:
            notes = ready_notes(self.settings)
            workers = [process.name for process in processes if process.name.rpartition("-")[0] in LANES]
            until(lambda: all((notes / name).exists() for name in workers), 120, "workers are ready")
            yield supervisor

    def open_pull_request(self, config: str = BUILDS) -> str:
        """Returns the head's sha; the webhook is accepted when it is there."""
        self.checks, self.tests = (4, 2) if config == CONFIG else (2, 0)
        self.sandbox.github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
        files = {".packit.yaml": config, "hello.spec": SPEC}
        pull = self.sandbox.github.open_pull_request(
            REPOSITORY, author="alice", files=files, title="Say hello"
        )
        sent = self.sandbox.github.webhook(
            "pull_request", "opened", repository=REPOSITORY, pull_request=pull.number
        )
        app, journal = startup.intake(self.settings, in_background=False)
        assert isinstance(app, Intake)
        decision = app.accept(
            source="github",
            event_type="pull_request",
            delivery_id=sent.id,
            headers=sent.headers,
            body=sent.body,
        )
        assert decision.decision == "accepted"
        journal.dispose()
        sha: str = pull.head_sha
        return sha

    def is_green(self, sha: str) -> bool:
        shown = self.sandbox.github.checks(REPOSITORY, sha)
        return len(shown) == self.checks and {check["conclusion"] for check in shown} == {"success"}

    def effect(self, kind: str) -> EffectRow | None:
        with self.journal.read() as session:
            found: EffectRow | None = session.execute(
                select(EffectRow).where(EffectRow.kind == kind)
            ).scalar_one_or_none()
            return found

    def event(self) -> EventRow:
        with self.journal.read() as session:
            return session.execute(select(EventRow).order_by(EventRow.seq).limit(1)).scalar_one()

    def everything_has_ended(self) -> bool:
        ends = {State.DONE, State.IGNORED, State.SUPERSEDED}
        with self.journal.read() as session:
            states = set(session.execute(select(EventRow.state)).scalars())
            return states | set(session.execute(select(Delivery.state)).scalars()) <= ends


def _settings(sandbox: Sandbox, database_url: str, broker_url: str, directory: Path) -> dict[str, Any]:
    github, copr, farm = (sandbox.credentials()[name] for name in ("github", "copr", "testing_farm"))
    web_url = sandbox.github.url.removesuffix("/api/v3")
    return {
        "deployment": "dev",
        "server_url": "http://127.0.0.1:1",
        "data_dir": str(directory / "data"),
        "database_url": database_url,
        "broker_url": broker_url,
        "github": {
            "app_id": github["app_id"],
            "private_key": github["private_key"],
            "webhook_secret": github["webhook_secret"],
            "api_url": f"{web_url}/api/v3",
            "web_url": web_url,
        },
        "copr": {"url": sandbox.copr.url, **copr},
        "testing_farm": {
            "api_url": f"{sandbox.testing_farm.url}/v0.1",
            "token": farm["token"],
            "callback_token": "nobody-calls-back",
        },
        "bus": {"feed_url": sandbox.bus.url},
        "limits": {"http_timeout": 5, "settle_seconds": 8, "lease_seconds": 4, "heartbeat_seconds": 1},
    }


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(build_seconds=0.3, test_seconds=0.3) as running:
        yield running


@pytest.fixture
def service(sandbox: Sandbox, postgresql_url: str, tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    made: list[Service] = []

    def make(broker_url: str) -> Service:
        made.append(Service(sandbox, postgresql_url, broker_url, tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.journal.dispose()


def comes_to_its_end(service: Service, sha: str) -> None:
    until(lambda: service.is_green(sha), 150, "all checks are green")
    until(service.everything_has_ended, 60, "all is done")
    assert max(service.sandbox.effects().values()) == 1
    assert len(service.sandbox.copr.builds) == 1
    assert len(service.sandbox.testing_farm.requests) == service.tests


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_worker_in_mid_run(
    number: signal.Signals, service: Callable[[str], Service], tmp_path: Path
) -> None:
    """While Copr takes its order, and has not said so. Stopped, it comes back when another has done the work."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = service(broker.url)
        made.sandbox.faults.add(
            "copr", method="POST", path=r"/api_3/build/create", kind="delay", seconds=2, times=1
        )
        _in_mid_run(made, number)


def _in_mid_run(made: Service, number: signal.Signals) -> None:
    with made.running() as supervisor:
        sha = made.open_pull_request(CONFIG if number == signal.SIGKILL else BUILDS)
        until(lambda: made.effect("copr_build") is not None, 60, "the order is on its way")
        order, event = made.effect("copr_build"), made.event()
        assert order is not None
        assert order.state == EffectState.SENT
        pid = int((event.claimed_by or "").rpartition(":")[2])
        assert pid in supervisor.pids.values()
        os.kill(pid, number)
        if number == signal.SIGSTOP:
            until(lambda: made.event().claim > event.claim, 60, "another worker has taken it over")
            os.kill(pid, signal.SIGCONT)
        comes_to_its_end(made, sha)
        assert made.event().claim > event.claim, "another life has ended it"


def test_a_broker_that_loses_everything_after_accept(
    service: Callable[[str], Service], tmp_path: Path
) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = service(broker.url)
        sha = made.open_pull_request()
        client = redis.Redis(unix_socket_path=str(tmp_path / "broker" / "broker.sock"))
        assert client.llen("parse") == 1, "the hint is there"
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        broker.stop()
        broker.start()
        assert client.keys() == []
        client.close()
        with made.running():
            until(lambda: made.effect("copr_build") is not None, 60, "work has begun")
            assert broker.pid is not None
            os.kill(broker.pid, signal.SIGKILL)
            broker.stop()
            broker.start()
            comes_to_its_end(made, sha)


@pytest.mark.parametrize(
    ("fault", "is_carried_out"),
    [("drop_before", False), ("delay", True), ("delay_after", True)],
    ids=["before it is sent", "before it is carried out", "after it was carried out"],
)
def test_killed_at_every_step_of_a_call(
    fault: str, is_carried_out: bool, service: Callable[[str], Service], tmp_path: Path
) -> None:
    """A call that is never carried out is the same as one that was not sent: the worker dies waiting for either."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = service(broker.url)
        made.sandbox.faults.add(
            "copr", method="POST", path=r"/api_3/build/create", kind=fault, seconds=3, times=1
        )
        _in_mid_run(made, signal.SIGKILL)
        order = made.effect("copr_build")
        assert order is not None
        assert order.sends == (1 if is_carried_out else 2), "it is looked up before it is sent again"


def test_killed_before_it_is_confirmed(
    service: Callable[[str], Service], postgresql_url: str, tmp_path: Path
) -> None:
    """The answer has come, and the database is what the worker waits for when it dies."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = service(broker.url)
        made.sandbox.faults.add(
            "copr", method="POST", path=r"/api_3/build/create", kind="delay", seconds=1, times=1
        )
        engine = create_engine(postgresql_url)
        with made.running() as supervisor, contextlib.closing(engine.connect()) as lock:
            sha = made.open_pull_request()
            until(lambda: made.effect("copr_build") is not None, 60, "the order is on its way")
            event = made.event()
            lock.execute(text("LOCK TABLE effects IN EXCLUSIVE MODE"))
            until(lambda: bool(made.sandbox.copr.builds), 30, "it was carried out")
            time.sleep(0.5)
            order = made.effect("copr_build")
            assert order is not None
            assert order.state == EffectState.SENT
            pid = int((event.claimed_by or "").rpartition(":")[2])
            assert pid in supervisor.pids.values()
            os.kill(pid, signal.SIGKILL)
            lock.rollback()
            comes_to_its_end(made, sha)
        engine.dispose()


def test_asked_to_end_in_mid_run(service: Callable[[str], Service], tmp_path: Path) -> None:
    """SIGTERM: what a worker has in its hands is finished before it goes, and nobody has to take it over."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = service(broker.url)
        made.sandbox.faults.add(
            "copr", method="POST", path=r"/api_3/build/create", kind="delay", seconds=2, times=1
        )
        with made.running() as supervisor:
            sha = made.open_pull_request()
            until(lambda: made.effect("copr_build") is not None, 60, "the order is on its way")
            event = made.event()
            pid = int((event.claimed_by or "").rpartition(":")[2])
            os.kill(pid, signal.SIGTERM)
            until(lambda: pid not in supervisor.pids.values(), GRACE, "it has ended")
            ended = made.event()
            assert (ended.claim, ended.attempts) == (event.claim, event.attempts), "nobody took it over"
            assert ended.state == State.DONE
            order = made.effect("copr_build")
            assert order is not None
            assert (order.state, order.sends) == (EffectState.CONFIRMED, 1)
            comes_to_its_end(made, sha)


def test_a_broker_that_dies_before_a_task_is_acknowledged(
    service: Callable[[str], Service], tmp_path: Path
) -> None:
    """The only worker of the lane lives on, and has to take the next task when the broker is back."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = service(broker.url)
        made.sandbox.faults.add(
            "copr", method="POST", path=r"/api_3/build/create", kind="delay", seconds=2, times=1
        )
        with made.running(workers=1) as supervisor:
            before = supervisor.pids["short-running-1"]
            sha = made.open_pull_request()
            until(lambda: made.effect("copr_build") is not None, 60, "work has begun")
            broker.stop()
            log = supervisor.log_of("short-running-1")
            until(lambda: "Couldn't ack" in log.read_text(), 60, "the acknowledgement is lost")
            broker.start()
            comes_to_its_end(made, sha)
            assert supervisor.pids["short-running-1"] == before, "it is the same process"
