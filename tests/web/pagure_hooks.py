"""Hooks as Pagure sends them: an envelope that is signed, and headers that are not."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from typing import Any

from packit_worker.journal import Journal, hooks

HOOK = "/api/webhooks/pagure"
INSTANCE = "https://src.fedoraproject.org"
PROJECT = "rpms/kettle"
KEY = "K3TTLE" * 7
OTHER = "rpms/teapot"
OTHER_KEY = "T3AP0T" * 7
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PARENT = "89abcdef0123456789abcdef0123456789abcdef"


def add_keys(journal: Journal) -> None:
    """Two projects are known."""
    with journal.write() as session:
        hooks.add(session, INSTANCE, PROJECT, KEY, by="carol")
        hooks.add(session, INSTANCE, OTHER, OTHER_KEY, by="carol")


def repository(project: str = PROJECT) -> dict[str, Any]:
    """A project, as Pagure tells of it."""
    namespace, name = project.split("/")
    return {
        "name": name,
        "namespace": namespace,
        "fullname": project,
        "full_url": f"{INSTANCE}/{project}",
        "url_path": project,
        "parent": None,
        "user": {"name": "owner"},
    }


def fork(project: str = PROJECT) -> dict[str, Any]:
    """A fork of a project."""
    path = f"fork/author/{project}"
    return repository(project) | {
        "fullname": f"forks/author/{project}",
        "full_url": f"{INSTANCE}/{path}",
        "url_path": path,
        "parent": repository(project),
        "user": {"name": "author"},
    }


def pull_request(project: str = PROJECT, *, id: int = 4) -> dict[str, Any]:
    """What is told of a pull request."""
    comment = {"id": 2, "comment": "/packit build", "user": {"name": "commenter"}, "notification": False}
    return {
        "agent": "author",
        "pullrequest": {
            "id": id,
            "branch": "rawhide",
            "branch_from": "steam",
            "commit_start": PARENT,
            "commit_stop": COMMIT,
            "status": "Open",
            "project": repository(project),
            "repo_from": fork(project),
            "remote_git": None,
            "last_updated": "1577836800",
            "user": {"name": "author"},
            "comments": [comment | {"date_created": "1577836801"}],
        },
    }


def push(project: str = PROJECT) -> dict[str, Any]:
    """What is told of a push."""
    return {
        "agent": "pusher",
        "branch": "refs/heads/f43",
        "old_commit": PARENT,
        "start_commit": PARENT,
        "end_commit": COMMIT,
        "forced": False,
        "repo": repository(project),
    }


def hook(topic: Any = "pull-request.new", msg: Any = None, **changes: Any) -> bytes:
    """The body of a hook of the first project; ``changes`` are made in its envelope, None takes a key out."""
    told = pull_request() if msg is None else msg
    signer = {"pagure_instance": f"{INSTANCE}/", "project_fullname": PROJECT}
    made: dict[str, Any] = {
        "i": 1,
        "msg": signer | told if isinstance(told, dict) else told,
        "msg_id": f"2026-{uuid.uuid4()}",
        "timestamp": int(time.time()),
        "topic": topic,
    }
    made |= changes
    return json.dumps(
        {key: value for key, value in made.items() if value is not None}, sort_keys=True
    ).encode()


def signature(body: bytes, key: str = KEY) -> str:
    """X-Pagure-Signature-256."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def signed(body: bytes, /, key: str = KEY, **headers: str | None) -> dict[str, str]:
    """Pagure's headers for a body; ``headers`` over its own (_ for -), None for none."""
    made: dict[str, str | None] = {
        "Content-Type": "application/json",
        "User-Agent": "python-requests/2.32",
        "X-Pagure": f"{INSTANCE}/",
        "X-Pagure-Project": PROJECT,
        "X-Pagure-Signature": hmac.new(key.encode(), body, hashlib.sha1).hexdigest(),
        "X-Pagure-Signature-256": signature(body, key),
    }
    names = {name.lower().replace("-", "_"): name for name in made}
    for name, value in headers.items():
        made[names.get(name.lower(), name.replace("_", "-"))] = value
    return {name: value for name, value in made.items() if value is not None}
