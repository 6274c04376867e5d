"""Hooks as GitLab sends them: nothing is signed, the token stands in a header."""

from __future__ import annotations

import json
import uuid
from typing import Any

from packit_worker.journal import Journal, hooks

HOOK = "/api/webhooks/gitlab"
INSTANCE = "https://gitlab.example.org"
PROJECT = "teapots/copper/kettle"
TOKEN = "K3TTLE" * 7
OTHER = "kettles/teapot"
OTHER_TOKEN = "T3AP0T" * 7
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def add_tokens(journal: Journal) -> None:
    """Two projects are known."""
    with journal.write() as session:
        hooks.add(session, INSTANCE, PROJECT, TOKEN, by="carol")
        hooks.add(session, INSTANCE, OTHER, OTHER_TOKEN, by="carol")


def repository(project: str = PROJECT, instance: str = INSTANCE) -> dict[str, Any]:
    """A project, as GitLab tells of it."""
    return {
        "id": 7,
        "name": project.rpartition("/")[2],
        "web_url": f"{instance}/{project}",
        "path_with_namespace": project,
        "visibility_level": 20,
        "default_branch": "main",
    }


def hook(**changes: Any) -> bytes:
    """The body of a push to the first project; ``changes`` are made in it, None takes a key out."""
    made: dict[str, Any] = {
        "object_kind": "push",
        "before": "0" * 40,
        "after": COMMIT,
        "ref": "refs/heads/main",
        "user_username": "pusher",
        "project": repository(),
    }
    made |= changes
    return json.dumps({key: value for key, value in made.items() if value is not None}).encode()


def sent(token: str | None = TOKEN, /, **headers: str | None) -> dict[str, str]:
    """GitLab's headers; ``headers`` over its own (_ for -), None for none."""
    made: dict[str, str | None] = {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/18.5.0",
        "Idempotency-Key": str(uuid.uuid4()),
        "X-Gitlab-Event": "Push Hook",
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        "X-Gitlab-Instance": INSTANCE,
        "X-Gitlab-Token": token,
    }
    names = {name.lower().replace("-", "_"): name for name in made}
    for name, value in headers.items():
        made[names.get(name.lower(), name.replace("_", "-"))] = value
    return {name: value for name, value in made.items() if value is not None}
