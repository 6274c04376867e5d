"""The API for programs: ``/api/...``, described by ``/api/openapi.json`` and, for people, on ``/api/docs``.

It reads the journal and shows it; whoever can reach the service may ask. Its oldest addresses are those that clients
of Packit's services know.
"""

from __future__ import annotations

from importlib.metadata import version

from flask import Flask, Response, request
from flask_smorest import Api

from packit_worker.web.api import accounts, builds, deliveries, documents, projects, rate_limits, test_runs
from packit_worker.web.api.shapes import ErrorSchema

_MODULES = (builds, test_runs, projects, accounts, deliveries, rate_limits)


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    """The API without error answers of its own: one application answers errors in one way (``answers``)."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        """Left to ``answers.install``."""


def install(app: Flask) -> None:
    """Put the API and its description into an application."""
    app.config.update(
        API_TITLE="packit_worker",
        API_VERSION=version("packit-worker"),
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = _Api(app)
    for module in _MODULES:
        api.register_blueprint(module.blueprint)
    app.register_blueprint(documents.blueprint)
    readable = {module.blueprint.name for module in _MODULES}

    @app.after_request
    def for_everybody(response: Response) -> Response:
        """Pages of other sites may read what everybody may read."""
        if request.blueprint in readable:
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response
