"""A world for stories: the service in one process, on a broker in memory, against the sandbox over HTTP.

Tasks are sent by Celery's ``send_task`` and run from what arrives in the queues, so that everything goes through
JSON as it does in production. Time passes only when a story says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from fedora_messaging.message import Message
from flask.testing import FlaskClient
from kombu.transport import memory
from sqlalchemy import select, update
from web.opening import make_patient
from werkzeug.test import TestResponse

from events.base import LANES
from packit_worker import startup
from packit_worker.bus import Consumer
from packit_worker.config.service import ServiceConfig, from_mapping, normal_instance
from packit_worker.intake import Intake
from packit_worker.journal import accounts, hooks, story
from packit_worker.journal.accounts import Approval
from packit_worker.journal.base import now
from packit_worker.journal.budgets import BudgetRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.sandbox import Sandbox
from packit_worker.sweeping.looking import look_at_silent_builds, look_at_silent_tests
from packit_worker.sweeping.sweeper import sweep
from packit_worker.web import create_app

CALLBACK_TOKEN = "the-token-testing-farm-sends-back"

CONFIG = """\
specfile_path: hello.spec
jobs:
  - job: copr_build
    trigger: pull_request
    targets: [fedora-43, fedora-44]
  - job: tests
    trigger: pull_request
    targets: [fedora-43, fedora-44]
"""
ONE_BUILD = """\
specfile_path: hello.spec
jobs:
  - {job: copr_build, trigger: pull_request, targets: [fedora-43]}
"""
SPEC = "Name: hello\nVersion: 1.0\n"
REPOSITORY = "acme/hello"
PAGURE_PROJECT = "acme/kettle"


class World:
    """Sandbox, service and the hand that moves them."""

    def __init__(self, sandbox: Sandbox, database_url: str, data_dir: str, **settings: Any) -> None:
        self.sandbox = sandbox
        self.settings = _settings(sandbox, database_url, data_dir, settings)
        memory.Channel.queues.clear()
        self._before: list[startup.Worker] = []
        self._take_on(startup.worker(self.settings))
        self.journal = self.shop.journal
        self.intake = Intake(self.journal, self.shop.hints, replay_window=timedelta(days=7))
        door = create_app(self.settings, intake=self.intake, journal=self.journal)
        self.web: FlaskClient = make_patient(door).test_client()
        self.consumer = Consumer(self.intake, copr_users=(), pause=0)
        self._bus_position = 0
        self.ran: list[str] = []

    def close(self) -> None:
        for worker in (*self._before, self.worker):
            worker.heart.stop()
            worker.shop.journal.dispose()

    def _take_on(self, worker: startup.Worker) -> None:
        self.worker, self.app, self.shop = worker, worker.app, worker.shop

    def hand_over(self) -> None:
        """From now on another worker process works, which knows nothing but what the journal does."""
        self._before.append(self.worker)
        self._take_on(startup.worker(self.settings))

    # What happens outside.

    def repository(self, config: str = CONFIG, *, author: str = "alice", **options: Any) -> Any:
        """A repository with a pull request that holds the package configuration; alice is its administrator."""
        self.sandbox.github.add_repository(
            REPOSITORY, permissions={"alice": "admin"}, installation_id=1001, **options
        )
        files = {".packit.yaml": config, "hello.spec": SPEC}
        return self.sandbox.github.open_pull_request(
            REPOSITORY, author=author, files=files, title="Say hello"
        )

    def opened(self, pull: Any, **options: Any) -> Any:
        """The webhook that tells of a pull request."""
        return self.sandbox.github.webhook(
            "pull_request", "opened", repository=REPOSITORY, pull_request=pull.number, **options
        )

    def post(self, delivery: Any) -> TestResponse:
        """GitHub delivers a webhook; once more where the door was busy, which happens on a loaded machine."""
        for _ in range(3):
            answer = self.web.post("/api/webhooks/github", data=delivery.body, headers=dict(delivery.headers))
            if answer.status_code != 503:
                break
        return answer

    def pagure_project(self, fullname: str = PAGURE_PROJECT, **options: Any) -> None:
        """A project on Pagure, whose hooks we take; alice is its administrator."""
        key = "the-key-of-the-project"
        self.sandbox.pagure.add_project(fullname, owner="alice", hook_key=key, **options)
        with self.journal.write() as session:
            hooks.add(session, normal_instance(self.sandbox.pagure.url), fullname, key, by="operator")

    def hook(self, topic: str, *, project: str = PAGURE_PROJECT, on_bus: bool = False, **about: Any) -> None:
        """Pagure delivers a hook, which the door takes; with `on_bus` the same is told there, too."""
        delivery = self.sandbox.pagure.webhook(topic, project=project, on_bus=on_bus, **about)
        answer = self.web.post("/api/webhooks/pagure", data=delivery.body, headers=dict(delivery.headers))
        assert answer.status_code == 202, answer.text

    def flags(self, number_or_sha: int | str, *, project: str = PAGURE_PROJECT) -> dict[str, str]:
        """Name -> status of the flags on a pull request or a commit; each has a link."""
        found = self.sandbox.pagure.flags(project, number_or_sha)
        assert all(flag["url"] for flag in found)
        return {flag["username"]: flag["status"] for flag in found}

    def call_back(self, body: dict[str, Any]) -> None:
        """Testing Farm calls back."""
        self.web.post("/api/testing-farm/results", json=body)

    def finish_builds(self, *, succeeded: bool = True) -> None:
        """Copr builds everything it was asked for."""
        for build in self.sandbox.copr.builds:
            for chroot in build.chroots:
                self.sandbox.copr.finish(build.id, chroot, succeeded=succeeded)

    def finish_tests(self, overall: str = "passed") -> None:
        """Testing Farm runs everything it was asked for, and calls back."""
        for request in self.sandbox.testing_farm.requests:
            self.sandbox.testing_farm.finish(request.id, overall=overall)
            self.call_back({"request_id": request.id, "token": CALLBACK_TOKEN})

    # What the service does.

    def work(self, *, lanes: Iterable[str] = LANES) -> None:
        """Workers of these lanes do all that is queued, and what follows from it; the bus is read in between."""
        while self._work_once(tuple(lanes)) or self.read_bus():
            pass

    def read_bus(self) -> int:
        """Hand the bus's new messages to the consumer."""
        messages = self.sandbox.bus.messages(after=self._bus_position)
        for message in messages:
            self.consumer(Message(topic=message["topic"], body=message["body"]))
        self._bus_position += len(messages)
        return len(messages)

    def sweep(self) -> int:
        """A round of the sweeper."""
        return sweep(self.shop)

    def look(self) -> None:
        """Silent builds and tests are asked for, as if the time for it had come."""
        from packit_worker.journal.builds import BuildRow
        from packit_worker.journal.test_runs import TestRunRow

        with self.journal.write() as session:
            for model in (BuildRow, TestRunRow):
                session.execute(
                    update(model)
                    .where(model.look_at.is_not(None))
                    .values(look_at=now() - timedelta(seconds=1))
                )
        look_at_silent_builds(self.shop)
        look_at_silent_tests(self.shop)

    def time_passes(self, **delta: float) -> None:
        """Everything due in the future, and every lease, hint and rate limit, becomes older by so much."""
        back = timedelta(**delta)
        with self.journal.write() as session:
            for model in (Delivery, EventRow, CheckRow):
                for row in session.execute(select(model)).scalars():
                    row.due_at -= back
                    row.hinted_at = row.hinted_at - back if row.hinted_at else None
                    row.lease_until = row.lease_until - back if row.lease_until else None
            from packit_worker.journal.effects import EffectRow

            for effect in session.execute(select(EffectRow)).scalars():
                effect.sent_at = effect.sent_at - back if effect.sent_at else None
            for budget in session.execute(select(BudgetRow)).scalars():
                budget.reset_at -= back
                budget.paused_until = max(budget.paused_until - back, datetime.fromtimestamp(0, UTC))
            session.flush()

    def lose_messages(self) -> int:
        """The broker forgets everything."""
        lost = sum(queue.qsize() for queue in memory.Channel.queues.values())
        memory.Channel.queues.clear()
        return lost

    def _work_once(self, lanes: tuple[str, ...]) -> bool:
        worked = False
        for lane in lanes:
            while self.step(lane):
                worked = True
        return worked

    def step(self, lane: str) -> bool:
        """A worker of this lane does the task that comes next. False: there is none."""
        with self.app.connection_for_read() as connection:
            channel = connection.default_channel
            self.app.amqp.queues[lane](channel).declare()
            message = channel.basic_get(lane, no_ack=True)
            if message is None:
                return False
            decoded = channel.message_to_python(message) if not hasattr(message, "decode") else message
            _, kwargs, _ = decoded.decode()
            headers, priority = decoded.headers, decoded.properties.get("priority")
        self.ran.append(headers["task"])
        self.app.tasks[headers["task"]].apply(
            kwargs=kwargs, task_id=headers["id"], throw=True, priority=priority
        )
        return True

    # What can be seen.

    def approve(self, account: str = "acme") -> None:
        """An operator approves an account."""
        with self.journal.write() as session:
            accounts.change(
                session, "127.0.0.1", account, Approval.APPROVED_MANUALLY, by="operator", why="asked nicely"
            )

    def checks(self, sha: str) -> dict[str, Any]:
        """The checks on a commit as GitHub shows them, by name."""
        return {check["name"]: check for check in self.sandbox.github.checks(REPOSITORY, sha)}

    def conclusions(self, sha: str) -> dict[str, str | None]:
        """Name -> conclusion of the checks on a commit."""
        return {name: check["conclusion"] for name, check in self.checks(sha).items()}

    def delivery(self, id: str) -> Delivery:
        """A delivery as the journal has it."""
        with self.journal.read() as session:
            return session.get_one(Delivery, id)

    def events(self) -> list[EventRow]:
        """All events in order of arrival."""
        with self.journal.read() as session:
            return list(session.execute(select(EventRow).order_by(EventRow.seq)).scalars())

    def decisions(self, id: str) -> list[Any]:
        """The decisions in the story of a delivery."""
        with self.journal.read() as session:
            told = story.of_delivery(session, id)
        assert told is not None
        return [entry for entry in told.entries if entry.kind == "decision"]


def _settings(sandbox: Sandbox, database_url: str, data_dir: str, more: dict[str, Any]) -> ServiceConfig:
    github = sandbox.github
    values: dict[str, Any] = {
        "deployment": "dev",
        "server_url": "http://127.0.0.1:8000",
        "data_dir": data_dir,
        "database_url": database_url,
        "broker_url": "memory://",
        "approval_repository_url": f"{github.url.removesuffix('/api/v3')}/packit/approvals",
        "github": {
            "app_id": github.app_id,
            "private_key": github.private_key_pem,
            "webhook_secret": github.webhook_secret,
            "api_url": f"{github.url.removesuffix('/api/v3')}/api/v3",
            "web_url": github.url.removesuffix("/api/v3"),
            "app_slug": "packit-sandbox",
        },
        "copr": {
            "url": sandbox.copr.url,
            "username": sandbox.copr.username,
            "login": sandbox.copr.login,
            "token": sandbox.copr.token,
        },
        "koji": {
            "hub_url": sandbox.koji.hub_url,
            "web_url": f"{sandbox.koji.url}/koji",
            "results_url": sandbox.koji.url,
            "username": sandbox.koji.username,
            "password": sandbox.koji.password,
        },
        "dist_git": {
            "url": sandbox.pagure.url,
            "login": sandbox.pagure.username,
            "token": sandbox.pagure.token,
            "lookaside_url": f"{sandbox.lookaside.url}/repo/pkgs",
            "lookaside_upload_url": f"{sandbox.lookaside.url}/repo/pkgs/upload.cgi",
        },
        "pagure": {
            "instances": [
                {
                    "url": sandbox.pagure.url,
                    "login": sandbox.pagure.username,
                    "token": sandbox.pagure.token,
                }
            ]
        },
        "gitlab": {
            "instances": [
                {"url": sandbox.gitlab.url, "login": sandbox.gitlab.username, "token": sandbox.gitlab.token}
            ]
        },
        "testing_farm": {
            "api_url": f"{sandbox.testing_farm.url}/v0.1",
            "token": sandbox.testing_farm.token,
            "callback_token": CALLBACK_TOKEN,
        },
        "target_aliases": {"fedora-stable": ["fedora-43", "fedora-44"]},
        "limits": {"http_timeout": 2, "settle_seconds": 4},
    }
    for key, value in more.items():
        if isinstance(value, dict):
            values[key] = {**values.get(key, {}), **value}
        else:
            values[key] = value
    return from_mapping(values)
