"""The API's description for people: ``/api/docs``, by Swagger UI out of its package, so that no other host is asked."""

from __future__ import annotations

from flask import Blueprint, render_template, send_from_directory
from flask.typing import ResponseReturnValue
from swagger_ui_bundle import swagger_ui_path

blueprint = Blueprint("documents", __name__)


@blueprint.get("/api/docs")
def documents() -> str:
    """The page."""
    return render_template("api.html")


@blueprint.get("/api/docs/<any('swagger-ui.css', 'swagger-ui-bundle.js'):name>")
def file(name: str) -> ResponseReturnValue:
    """A file of Swagger UI."""
    response = send_from_directory(swagger_ui_path, name, max_age=3600)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
