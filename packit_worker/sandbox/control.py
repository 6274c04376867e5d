"""The control server: the Python interface of the sandbox over HTTP, for a sandbox in a process of its own.

``GET  /_sandbox``               the addresses, credentials and the names of all operations
``POST /_sandbox/<operation>``   ``{"arguments": [...], "named": {...}}`` -> ``{"result": ...}``

An operation is one of `operations`: ``github.open_pull_request``, ``copr.finish``, ``faults.add``, ``calls`` ... Its
arguments and its result are those of the method of that name, as JSON: objects become their fields, bytes become
text. A webhook is ``{"id", "headers", "body"}``. A refusal is status 400 with ``{"error": ...}``.
`packit_worker.sandbox.client.SandboxClient` speaks this.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from packit_worker.sandbox.copr_state import Build, CoprError
from packit_worker.sandbox.github_state import Account, GitHubError, Issue, Repository
from packit_worker.sandbox.github_webhooks import Delivery
from packit_worker.sandbox.gitlab_state import GitLabError, GitLabIssue, GitLabProject, MergeRequest
from packit_worker.sandbox.koji_json import build_shape, task_shape
from packit_worker.sandbox.koji_state import KojiBuild, KojiFault, KojiTask
from packit_worker.sandbox.lookaside import Archive
from packit_worker.sandbox.pagure_state import PagureError, PagureProject, PagurePullRequest
from packit_worker.sandbox.testing_farm_api import RequestError

if TYPE_CHECKING:
    from packit_worker.sandbox import Sandbox

GITHUB = [
    "add_account",
    "add_personal_token",
    "add_repository",
    "rename_repository",
    "install",
    "uninstall",
    "suspend",
    "expire_tokens",
    "open_pull_request",
    "push_to_pull_request",
    "close_pull_request",
    "push",
    "add_tag",
    "add_release",
    "add_issue",
    "add_comment",
    "checks",
    "statuses",
    "comments",
    "issues",
    "pull_requests",
    "webhook",
    "redeliver",
]
COPR = ["add_user", "add_project", "grant", "project", "build", "start", "finish", "finish_all", "cancel"]
KOJI = [
    "add_user",
    "add_target",
    "remove_target",
    "expire_sessions",
    "task",
    "start",
    "finish",
    "cancel",
]
PAGURE = [
    "add_user",
    "add_group",
    "add_project",
    "fork",
    "push",
    "open_pull_request",
    "push_to_pull_request",
    "close_pull_request",
    "add_issue",
    "add_comment",
    "edit_comment",
    "project",
    "pull_requests",
    "issues",
    "comments",
    "flags",
    "webhook",
]
GITLAB = [
    "add_user",
    "add_project",
    "fork",
    "delete_project",
    "grant",
    "push",
    "open_merge_request",
    "push_to_merge_request",
    "close_merge_request",
    "add_issue",
    "add_note",
    "add_tag",
    "add_release",
    "project",
    "statuses",
    "notes",
    "issues",
    "webhook",
]
DIST_GIT = ["add_package", "fork", "commit", "branches", "log", "files"]
TESTING_FARM = ["request", "start", "finish", "cancel", "call_back"]


def operations(sandbox: "Sandbox") -> dict[str, Callable[..., Any]]:
    """All that may be called, by name."""
    table: dict[str, Callable[..., Any]] = {
        "urls": sandbox.urls,
        "credentials": sandbox.credentials,
        "calls": sandbox.calls,
        "effects": sandbox.effects,
        "reset": sandbox.reset,
        "faults.add": sandbox.faults.add,
        "faults.chaos": sandbox.faults.chaos,
        "faults.clear": sandbox.faults.clear,
        "bus.messages": sandbox.bus.messages,
        "bus.publish": sandbox.bus.publish,
    }
    for prefix, part, names in (
        ("github", sandbox.github, GITHUB),
        ("copr", sandbox.copr, COPR),
        ("testing_farm", sandbox.testing_farm, TESTING_FARM),
        ("koji", sandbox.koji, KOJI),
        ("pagure", sandbox.pagure, PAGURE),
        ("gitlab", sandbox.gitlab, GITLAB),
        ("dist_git", sandbox.dist_git, DIST_GIT),
        ("fasjson", sandbox.fasjson, ["add_user"]),
    ):
        table |= {f"{prefix}.{name}": getattr(part, name) for name in names}

    def deliver(delivery: Mapping[str, Any], url: str | None = None) -> Any:
        return sandbox.github.deliver(delivery_of(delivery), url)

    def deliver_pagure(delivery: Mapping[str, Any], url: str | None = None) -> Any:
        return sandbox.pagure.deliver(delivery_of(delivery), url)

    def deliver_gitlab(delivery: Mapping[str, Any], url: str | None = None) -> Any:
        return sandbox.gitlab.deliver(delivery_of(delivery), url)

    def add_archive(package: str, filename: str, content: str) -> str:
        return sandbox.lookaside.add(package, filename, content.encode()).path

    def set_rate_limit_remaining(remaining: int) -> None:
        sandbox.github.rate_limit_remaining = remaining

    def set_hook_url(url: str | None) -> None:
        sandbox.github.hook_url = url

    def set_pagure_hook_url(url: str | None) -> None:
        sandbox.pagure.hook_url = url

    def set_gitlab_hook_url(url: str | None) -> None:
        sandbox.gitlab.hook_url = url

    table |= {
        "github.deliver": deliver,
        "github.set_rate_limit_remaining": set_rate_limit_remaining,
        "github.set_hook_url": set_hook_url,
        "copr.builds": lambda: sandbox.copr.builds,
        "copr.set_outcome": sandbox.copr.outcomes.__setitem__,
        "koji.tasks": lambda: sandbox.koji.tasks,
        "koji.builds": lambda: sandbox.koji.builds,
        "koji.set_outcome": sandbox.koji.outcomes.__setitem__,
        "pagure.deliver": deliver_pagure,
        "pagure.set_hook_url": set_pagure_hook_url,
        "gitlab.deliver": deliver_gitlab,
        "gitlab.set_hook_url": set_gitlab_hook_url,
        "lookaside.add": add_archive,
        "lookaside.archives": lambda: sandbox.lookaside.archives,
        "fasjson.users": lambda: sandbox.fasjson.users,
        "testing_farm.requests": lambda: sandbox.testing_farm.requests,
        "testing_farm.callbacks": lambda: list(sandbox.testing_farm.callbacks),
        "testing_farm.set_outcome": sandbox.testing_farm.outcomes.__setitem__,
    }
    return table


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """The webhook that was told as JSON."""
    return Delivery(record["id"], dict(record["headers"]), record["body"].encode())


class Control:
    """The control server's application."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self.wsgi = Flask(__name__)
        self.wsgi.json.sort_keys = False  # type: ignore[attr-defined]
        table = operations(sandbox)

        @self.wsgi.get("/_sandbox")
        def about() -> Any:
            return jsonify(urls=sandbox.urls(), credentials=sandbox.credentials(), operations=sorted(table))

        @self.wsgi.post("/_sandbox/<operation>")
        def call(operation: str) -> Any:
            if operation not in table:
                return jsonify(
                    error=f"Unknown operation {operation}; known are {', '.join(sorted(table))}"
                ), 404
            if not request.is_json:  # a web page of somebody else cannot send JSON here
                return jsonify(error="Send JSON"), 415
            sent = request.get_json(silent=True) or {}
            try:
                result = table[operation](*sent.get("arguments", []), **sent.get("named", {}))
            except REFUSALS as error:
                return jsonify(error=f"{type(error).__name__}: {error}"), 400
            return jsonify(result=plain(result))


REFUSALS = (
    *(TypeError, ValueError, KeyError),
    *(GitHubError, GitLabError, CoprError, RequestError, PagureError, KojiFault),
)
SPECIAL: dict[type, Callable[[Any], Any]] = {
    bytes: lambda value: value.decode(errors="replace"),
    Account: lambda value: {"login": value.login, "id": value.id, "type": value.type},
    Repository: lambda value: {
        "id": value.id,
        "full_name": value.full_name,
        "private": value.private,
        "default_branch": value.default_branch,
        "installation_id": value.installation_id,
        "branches": value.branches,
        "tags": value.tags,
    },
    PagureProject: lambda value: {
        "id": value.id,
        "fullname": value.fullname,
        "url_path": value.url_path,
        "user": value.user.name,
        "hook_key": value.hook_key,
        "default_branch": value.repository.default_branch,
        "branches": value.repository.branches(),
    },
    PagurePullRequest: lambda value: {
        **{
            name: getattr(value, name)
            for name in ("id", "title", "status", "branch", "branch_from", "commit_start", "commit_stop")
        },
        "user": value.user.name,
        "repo_from": value.repo_from.fullname if value.repo_from else None,
    },
    GitLabProject: lambda value: {
        "id": value.id,
        "path": value.path,
        "visibility": value.visibility,
        "hook_token": value.hook_token,
        "default_branch": value.repository.default_branch,
        "branches": value.repository.branches(),
    },
    MergeRequest: lambda value: {
        **{name: getattr(value, name) for name in ("id", "iid", "title", "state", "sha", "before")},
        **{name: getattr(value, name) for name in ("source_branch", "target_branch", "labels")},
        "author": value.author.username,
        "source": value.source.path if value.source else None,
    },
    GitLabIssue: lambda value: {
        **{name: getattr(value, name) for name in ("id", "iid", "title", "state", "confidential")},
        "author": value.author.username,
    },
    KojiTask: lambda value: {
        **task_shape(value, request=True),
        "state": value.state,
        "target": value.target,
        "scratch": value.scratch,
        "srpm": value.srpm,
        "children": [child.id for child in value.children],
    },
    KojiBuild: build_shape,
    Archive: lambda value: {
        name: getattr(value, name) for name in ("package", "filename", "hash", "size", "user", "path")
    },
    Counter: lambda value: [{"key": list(key), "count": count} for key, count in value.items()],
    Build: lambda value: {
        **{
            name: getattr(value, name)
            for name in (
                "id",
                "ownername",
                "projectname",
                "submitter",
                "source",
                "chroots",
                "state",
                "package_name",
            )
        },
        "source_state": value.source_state.state,
    },
}


def plain(value: Any) -> Any:
    """The value as what JSON can say."""
    special = SPECIAL.get(type(value))
    if special is not None:
        return special(value)
    if isinstance(value, Issue):
        whole = {entry.name: plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
        return whole | {"author": value.author.login if value.author else None}
    if dataclasses.is_dataclass(value):
        return {entry.name: plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(entry) for entry in value]
    return value
