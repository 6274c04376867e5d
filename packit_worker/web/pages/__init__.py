"""Pages for people: how the service is doing, what came in and what became of it, and what operators can do about it.

They work without scripts; with one, those that change are brought up to date while they are looked at.
"""

from __future__ import annotations

from flask import Flask

from packit_worker.config.service import ServiceConfig
from packit_worker.web.pages import (
    allowlist,
    builds,
    dead,
    deliveries,
    operators,
    overview,
    projects,
    single_sign_on,
    words,
)
from packit_worker.web.pages.routes import blueprint

__all__ = [
    "allowlist",
    "blueprint",
    "builds",
    "dead",
    "deliveries",
    "install",
    "operators",
    "overview",
    "projects",
    "single_sign_on",
]


def install(app: Flask, settings: ServiceConfig) -> None:
    """Put the pages into an application, and give its templates the words they use."""
    words.install(app)
    single_sign_on.install(app, settings)
    app.register_blueprint(blueprint)
