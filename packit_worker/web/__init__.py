"""The web: webhooks come in, the journal is shown. Receives and shows; never parses, never runs.

Knows the way in, the journal, the settings and the ground, and no handler, parser or service: the process starts
quickly and stays small. Served by ``wsgi``.
"""

from __future__ import annotations

from flask import Flask

from packit_worker.config.service import ServiceConfig
from packit_worker.intake import Intake
from packit_worker.journal import Journal
from packit_worker.web import (
    answers,
    api,
    github,
    gitlab,
    health,
    metrics,
    pages,
    pagure,
    sessions,
    testing_farm,
    throttle,
)
from packit_worker.web.door import Door

__all__ = ["create_app"]


def create_app(
    settings: ServiceConfig, *, intake: Intake | None = None, journal: Journal | None = None
) -> Flask:
    """The web application. Connects nothing and starts no thread, so that it can be made before a fork.

    Without ``intake`` or ``journal`` they are made from the settings.
    """
    app = Flask(__name__)
    door = Door.open(settings, intake, journal)
    door.install(app)
    metrics.install(app, door)
    api.install(app)
    answers.install(app, is_https=settings.server_url.startswith("https:"))
    sessions.install(app, settings)
    throttle.install(app, settings)
    pages.install(app, settings)
    for module in (github, gitlab, pagure, testing_farm, health, metrics):
        app.register_blueprint(module.blueprint)
    return app
