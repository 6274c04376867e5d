"""The part of GitHub's REST API an App has to itself: installations, tokens, deliveries.

Used inside the sandbox only.

Source: https://docs.github.com/rest/apps/apps, .../rest/apps/installations and .../rest/apps/webhooks.
"""

import functools
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, jsonify

from packit_worker.sandbox.clock import iso_from
from packit_worker.sandbox.github_gate import body, page_of, readable, require
from packit_worker.sandbox.github_json import PERMISSIONS
from packit_worker.sandbox.github_state import GitHubError, Installation

if TYPE_CHECKING:
    from packit_worker.sandbox.github import GitHub


@functools.cache
def key_pair() -> tuple[str, str]:
    """The private and the public key of the App in PEM, made once per process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def add_routes(app: Flask, github: "GitHub") -> None:
    """Add the routes to `app`."""
    state = github.state

    def installation_of(number: int) -> Installation:
        require("app")
        if number not in state.installations:
            raise GitHubError(404, "Not Found")
        return state.installations[number]

    def installation_on(login: str) -> Any:
        require("app")
        for installation in state.installations.values():
            if installation.account.login.lower() == login.lower():
                return jsonify(github.shapes().installation(installation))
        raise GitHubError(404, "Not Found")

    @app.get("/app")
    def get_app() -> Any:
        require("app")
        return jsonify(github.shapes().app() | {"installations_count": len(state.installations)})

    @app.get("/app/installations")
    def list_installations() -> Any:
        require("app")
        return jsonify(
            [github.shapes().installation(found) for found in page_of([*state.installations.values()])]
        )

    @app.get("/app/installations/<int:number>")
    def get_installation(number: int) -> Any:
        return jsonify(github.shapes().installation(installation_of(number)))

    @app.post("/app/installations/<int:number>/access_tokens")
    def create_token(number: int) -> Any:
        installation = installation_of(number)
        if installation.suspended:
            raise GitHubError(403, "This installation has been suspended")
        wanted = body().get("permissions") or {}
        for name, level in wanted.items():
            if name not in PERMISSIONS or (level == "write" and PERMISSIONS[name] != "write"):
                raise GitHubError(422, "The permissions requested are not granted to this installation.")
        names = body().get("repositories") or []
        there = {one.name for one in state.repositories.values() if one.installation_id == number}
        if not set(names) <= there:
            raise GitHubError(
                422, "There is at least one repository that does not exist or is not accessible."
            )
        narrow = len(names) == 1 and wanted == {"contents": "read"}
        token, expires = github.gate.new_token(installation, names[0] if narrow else None)
        answer = {
            "token": token,
            "expires_at": iso_from(expires),
            "permissions": wanted or PERMISSIONS,
            "repository_selection": installation.repository_selection,
        }
        return jsonify(answer), 201

    @app.get("/repos/<owner>/<name>/installation")
    def get_repository_installation(owner: str, name: str) -> Any:
        require("app")
        found = state.installations.get(state.repository(f"{owner}/{name}").installation_id or 0)
        if found is None:
            raise GitHubError(404, "Not Found")
        return jsonify(github.shapes().installation(found))

    app.add_url_rule("/orgs/<login>/installation", "get_org_installation", installation_on)
    app.add_url_rule("/users/<login>/installation", "get_user_installation", installation_on)

    @app.get("/installation/repositories")
    def list_accessible() -> Any:
        installation = require("installation").installation
        found = [
            repository
            for repository in state.repositories.values()
            if installation is not None and repository.installation_id == installation.id
        ]
        shapes = github.shapes()
        return jsonify(
            total_count=len(found), repositories=[shapes.repository(one) for one in page_of(found)]
        )

    @app.get("/app/hook/deliveries")
    def list_deliveries() -> Any:
        require("app")
        return jsonify([sent.summary() for sent in page_of(github.sent[::-1])])

    @app.get("/app/hook/deliveries/<int:number>")
    def get_delivery(number: int) -> Any:
        require("app")
        return jsonify(github.sent_delivery(number).whole())

    @app.post("/app/hook/deliveries/<int:number>/attempts")
    def redeliver(number: int) -> Any:
        require("app")
        github.redeliver(number)
        return jsonify({}), 202

    @app.get("/rate_limit")
    def rate_limit() -> Any:
        budget = github.gate.budget()
        return jsonify(resources={"core": budget, "search": budget, "graphql": budget}, rate=budget)

    @app.get("/user")
    def get_me() -> Any:
        caller = require("user")
        return jsonify(github.shapes().user(state.account(caller.login)))

    @app.get("/users/<login>")
    def get_user(login: str) -> Any:
        account = state.accounts.get(login.lower())
        if account is None:
            raise GitHubError(404, "Not Found")
        return jsonify(github.shapes().user(account))

    @app.get("/repos/<owner>/<name>/collaborators")
    def list_collaborators(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        shapes = github.shapes()
        return jsonify([shapes.user(state.account(login)) for login in page_of(list(repository.permissions))])

    @app.get("/repos/<owner>/<name>/collaborators/<login>/permission")
    def get_permission(owner: str, name: str, login: str) -> Response:
        repository = readable(state, f"{owner}/{name}")
        return jsonify(github.permission_shape(repository, login))
