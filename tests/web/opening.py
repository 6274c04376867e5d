"""A door that was opened for a test: the application, the journal behind it, and what was told to the broker."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from flask import Flask
from sqlalchemy import func, select

from packit_worker.broker.hints import Hints
from packit_worker.config.service import ServiceConfig, from_mapping
from packit_worker.intake import Intake
from packit_worker.journal import Journal
from packit_worker.journal.deliveries import Delivery
from packit_worker.web import create_app
from packit_worker.web.door import Patient

SECRET = "It's a Secret to Everybody"
TOKEN = "a token for Testing Farm"
WEBHOOK = "/api/webhooks/github"
RESULTS = "/api/testing-farm/results"
BODY = json.dumps({"action": "opened", "number": 7}).encode()


class Recorder(Celery):  # type: ignore[misc]  # Celery has no types
    """A Celery application that writes down what it is told to send."""

    def __init__(self) -> None:
        super().__init__("recorder", broker="memory://", set_as_current=False)
        self.sent: list[dict[str, Any]] = []

    def send_task(self, name: str, *_: Any, **options: Any) -> Any:
        self.sent.append({"name": name, **options})


def settings_for(database_url: str, data_dir: Path, **more: Any) -> ServiceConfig:
    """The service's settings; ``more`` over them, sections whole."""
    return from_mapping(
        {
            "server_url": "https://packit.example",
            "data_dir": str(data_dir),
            "database_url": database_url,
            "broker_url": "memory://",
            "github": {"webhook_secret": SECRET},
            "testing_farm": {"callback_token": TOKEN},
            **more,
        }
    )


@dataclass
class Opened:
    """An application with its surroundings."""

    app: Flask
    journal: Journal
    broker: Recorder = field(default_factory=Recorder)

    @property
    def client(self) -> Any:
        """Flask's client for tests. Loosely typed, as answers are looked into."""
        return self.app.test_client()

    def webhook(self, body: bytes = BODY, /, **headers: str | None) -> Any:
        """Post a webhook as GitHub would, signed rightly; ``headers`` over its own (_ for -), None for none."""
        return self.client.post(WEBHOOK, data=body, headers=signed(body, **headers))

    def rows(self) -> list[Delivery]:
        """All deliveries, oldest first."""
        with self.journal.write() as session:
            return list(session.execute(select(Delivery).order_by(Delivery.received_at)).scalars())

    def count(self) -> int:
        """How many deliveries there are."""
        with self.journal.read() as session:
            return session.execute(select(func.count()).select_from(Delivery)).scalar_one()


def make_patient(app: Flask) -> Flask:
    """Have an application wait for its database for longer than a loaded machine takes."""
    for part in vars(app.extensions["packit_worker"]).values():
        if isinstance(part, Patient):
            part._patience = 8.0
    return app


def patient(journal: Journal, data_dir: Path, **more: Any) -> Opened:
    """A door whose patience is not what a test is about."""
    made = opened(journal, data_dir, **more)
    make_patient(made.app)
    return made


def opened(journal: Journal, data_dir: Path, **more: Any) -> Opened:
    """Open the door before a journal."""
    broker = Recorder()
    settings = settings_for(journal.url.render_as_string(hide_password=False), data_dir, **more)
    intake = Intake(journal, Hints(broker), replay_window=timedelta(days=7))
    return Opened(create_app(settings, intake=intake, journal=journal), journal, broker)


def signed(body: bytes, /, **headers: str | None) -> dict[str, str]:
    """The headers of GitHub for a body."""
    made: dict[str, str | None] = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/abc",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-GitHub-Hook-ID": "1",
        "X-Hub-Signature-256": signature(body),
    }
    known = {name.lower().replace("-", "_"): name for name in made}
    for name, value in headers.items():
        made[known.get(name.lower(), name.replace("_", "-"))] = value
    return {name: value for name, value in made.items() if value is not None}


def signature(body: bytes, secret: str = SECRET) -> str:
    """X-Hub-Signature-256 of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
