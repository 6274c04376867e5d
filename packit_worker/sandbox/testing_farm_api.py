"""The REST API v0.1 and the pages of the stand-in for Testing Farm. Used inside the sandbox only.

Source: https://api.testing-farm.io/redoc.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

from packit_worker.sandbox.page import show

if TYPE_CHECKING:
    from packit_worker.sandbox.testing_farm import Request, TestingFarm

FINISHED = ("complete", "error", "canceled")
COMPOSES = [
    "Fedora-42",
    "Fedora-43",
    "Fedora-44",
    "Fedora-Rawhide",
    "CentOS-Stream-9",
    "CentOS-Stream-10",
    "RHEL-8-Nightly",
    "RHEL-9-Nightly",
]

REQUESTS = """<h1>Requests</h1>{% if requests %}<ul class="list">{% for request in requests|reverse %}
{% set result = request.overall if request.state == "complete" else request.state %}
<li><span class="icon {{ result }}">●</span><div class="grow">
<a href="/artifacts/{{ request.id }}/">{{ request.id }}</a>
<div class="soft">{{ (request.test.fmf or request.test.tmt or {}).url }}</div></div>
<span class="{{ result }}">{{ result }}</span></li>{% endfor %}</ul>
{% else %}<p class="soft">No request yet.</p>{% endif %}"""

REQUEST = """{% set result = request.overall if request.state == "complete" else request.state %}
<h1>Request {{ request.id }} <span class="{{ result }}">{{ result }}</span></h1>
<p class="soft">created {{ request.created }}, updated {{ request.updated }}</p>{% if request.summary %}
<p>{{ request.summary }}</p>{% endif %}<h2>Test</h2>
<div class="card"><pre>{{ request.test|tojson(indent=1) }}</pre></div>
<h2>Environments</h2><div class="card"><pre>{{ request.environments|tojson(indent=1) }}</pre></div>
{% if request.xunit %}<h2>Results</h2><div class="card"><pre>{{ request.xunit }}</pre></div>{% endif %}"""


class RequestError(Exception):
    """An answer that is not a success: a status and the text of its field ``message``."""

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


def validate(sent: Any) -> dict[str, Any]:
    """Refuse what is not a request. Raises RequestError 400 or 422; returns the body."""
    if not isinstance(sent, dict):
        raise RequestError(
            400, "The browser (or proxy) sent a request that this server could not understand."
        )
    test = sent.get("test")
    errors: dict[str, str] = {}
    if not isinstance(test, dict):
        raise RequestError(422, "Validation error", {"test": "field required"})
    kinds = [kind for kind in ("fmf", "tmt", "sti", "script") if test.get(kind)]
    if len(kinds) != 1:
        raise RequestError(422, "Validation error", {"test": "exactly one of fmf, tmt, sti is required"})
    kind = kinds[0]
    for name in ("url", "ref"):
        if kind in ("fmf", "tmt") and not isinstance(test[kind].get(name), str):
            errors[f"test.{kind}.{name}"] = "field required"
    environments = sent.get("environments")
    if environments is not None and not isinstance(environments, list):
        errors["environments"] = "value is not a valid list"
    for index, environment in enumerate(environments if isinstance(environments, list) else []):
        if not isinstance(environment, dict) or not isinstance(environment.get("arch"), str):
            errors[f"environments.{index}.arch"] = "field required"
            continue
        for number, artifact in enumerate(environment.get("artifacts") or []):
            if not artifact.get("type") or not artifact.get("id"):
                errors[f"environments.{index}.artifacts.{number}"] = "type and id are required"
    if errors:
        raise RequestError(422, "Validation error", errors)
    return sent


def add_routes(app: Flask, farm: "TestingFarm") -> None:
    """Add the routes and pages to `app`."""

    @app.errorhandler(RequestError)
    def refuse(error: RequestError) -> Any:
        body = {"code": error.status, "message": error.message}
        return jsonify(body | ({"errors": error.errors} if error.errors else {})), error.status

    @app.errorhandler(HTTPException)
    def unknown(error: HTTPException) -> Any:
        return jsonify(code=error.code, message=error.name), error.code or 500

    def caller() -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in farm.users:
            raise RequestError(401, "Not authorized to perform this action")
        return farm.users[token]

    def shape(found: "Request") -> dict[str, Any]:
        notification = {
            key: dict(value) for key, value in found.notification.items() if isinstance(value, dict)
        }
        notification.get("webhook", {}).pop("token", None)
        ended = found.state in FINISHED
        artifacts = f"{farm.url}/artifacts/{found.id}"
        return {
            "id": found.id,
            "user_id": found.user,
            "test": {"fmf": None, "tmt": None, "script": None, "sti": None} | found.test,
            "state": found.state,
            "environments_requested": found.environments,
            "notes": [],
            "result": {
                "overall": found.overall,
                "summary": found.summary,
                "xunit": found.xunit,
                "xunit_url": f"{artifacts}/results.xml" if found.xunit else None,
            }
            if ended
            else None,
            "run": None
            if found.state in ("new", "queued")
            else {"console": None, "stages": None, "artifacts": artifacts},
            "settings": found.settings.get("settings"),
            "notification": notification or None,
            "created": found.created,
            "updated": found.updated,
            "queued_time": 0.0,
            "run_time": 0.0,
        }

    @app.post("/v0.1/requests")
    def create() -> Any:
        user = caller()
        found = farm.create(user, validate(request.get_json(force=True, silent=True)))
        return jsonify(
            id=found.id,
            test=found.test,
            state=found.state,
            environments=found.environments,
            created=found.created,
        )

    @app.get("/v0.1/requests")
    def list_requests() -> Any:
        user = caller()
        states = request.args.getlist("state")
        after = request.args.get("created_after", "").removesuffix("Z")
        found = [
            shape(one)
            for one in farm.requests[::-1]
            if one.user == user and (not states or one.state in states) and one.created >= after
        ]
        return jsonify(found)

    @app.get("/v0.1/requests/<request_id>")
    def get(request_id: str) -> Any:
        return jsonify(shape(farm.request(request_id)))

    @app.delete("/v0.1/requests/<request_id>")
    def cancel(request_id: str) -> Any:
        user = caller()
        if farm.request(request_id).user != user:
            raise RequestError(403, "Not authorized to perform this action")
        return jsonify(shape(farm.cancel(request_id)))

    @app.get("/v0.1/about")
    def about() -> Any:
        return jsonify(app_version="sandbox", api_version="v0.1")

    @app.get("/v0.1/composes")
    @app.get("/v0.1/composes/<ranch>")
    def composes(ranch: str = "public") -> Any:
        return jsonify(composes=[{"name": name, "type": "compose"} for name in COMPOSES])

    @app.get("/")
    def page_requests() -> str:
        return show("Testing Farm", "Requests", REQUESTS, requests=farm.requests)

    @app.get("/artifacts/<request_id>")
    @app.get("/artifacts/<request_id>/")
    def page_request(request_id: str) -> str:
        return show("Testing Farm", f"Request {request_id}", REQUEST, request=farm.request(request_id))

    @app.get("/artifacts/<request_id>/results.xml")
    def results(request_id: str) -> Any:
        return farm.request(request_id).xunit or "", 200, {"Content-Type": "application/xml"}
