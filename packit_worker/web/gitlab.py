"""The door for GitLab: ``POST /api/webhooks/gitlab``.

GitLab signs nothing: it sends the secret token of the hook along. Which token that has to be is chosen by the project
in the body, so that it opens the door for nobody else; a token of a group is good for all projects below it.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from flask import Blueprint, Response, request

from packit_worker.config.service import normal_instance
from packit_worker.web.answers import decided, refuse
from packit_worker.web.body import json_object, read_body
from packit_worker.web.door import the_door
from packit_worker.web.signatures import refusal_of_gitlab_token

log = logging.getLogger(__name__)

blueprint = Blueprint("gitlab", __name__)

SOURCE = "gitlab"
TOKEN = "X-Gitlab-Token"  # noqa: S105 - the name of a header
#: This body has to be parsed before it is known who sent it. GitLab cuts long texts, and lists twenty commits at most.
MOST_BYTES = 4 * 1024 * 1024
#: https://docs.gitlab.com/user/group/subgroups/: groups can be nested twenty deep.
DEEPEST = 21
LONGEST_NAME = 100
_LONGEST_HEADER = 500
_LONGEST_PATH = 2000
_KEPT = frozenset(
    {
        *("x-gitlab-event", "x-gitlab-event-uuid", "x-gitlab-instance", "x-gitlab-webhook-uuid"),
        *("idempotency-key", "user-agent", "content-type"),
    }
)


@blueprint.post("/api/webhooks/gitlab")
def webhook() -> tuple[Response, int]:
    """Take a hook in: 202 with what was decided, 4xx with what to correct, 503 while it cannot be kept."""
    door = the_door()
    body = read_body(request, min(MOST_BYTES, door.settings.limits.body_bytes))
    token = request.headers.get(TOKEN)
    # For whoever brings no token at all, nothing is parsed.
    instance, places = _speaker(json_object(body)) if token else ("", ("",))
    refusal = refusal_of_gitlab_token(door.hook_keys(instance, *places), len(places), token)
    if refusal is not None:
        log.warning("a hook was refused: %s", refusal)
        raise refuse(401, refusal)
    if request.mimetype != "application/json":
        raise refuse(415, "the content type has to be application/json")
    return decided(
        door.accept(
            source=SOURCE,
            event_type=_name("X-Gitlab-Event"),
            delivery_id=f"{SOURCE}:{_delivery_id(body)}",
            headers=_useful_headers(),
            body=body,
        )
    )


def _speaker(found: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The address of the GitLab that speaks, and the paths of the project and of the groups above it.

    Empty for a body that speaks for no project, or whose project is not where its page is: no key has that.
    """
    project = found.get("project")
    told = project if isinstance(project, dict) else {}
    page, path = told.get("web_url"), told.get("path_with_namespace")
    nobody = "", ("",)
    if not isinstance(page, str) or not isinstance(path, str) or max(len(page), len(path)) > _LONGEST_PATH:
        return nobody
    parts = path.split("/")
    home = page.removesuffix(f"/{path}")
    is_path = 2 <= len(parts) <= DEEPEST and {"", ".", ".."}.isdisjoint(parts)
    if home == page or not is_path or not page.isprintable():
        return nobody
    try:
        instance = normal_instance(home)
    except ValueError:
        return nobody
    return instance, tuple("/".join(parts[:length]) for length in range(len(parts), 0, -1))


def _delivery_id(body: bytes) -> str:
    """What a delivery and its retries share: ``Idempotency-Key``, which GitLab sends since 17.4.

    Before, the body stands for it: ``X-Gitlab-Event-UUID`` can be that of several events of one request.
    """
    return _name("Idempotency-Key", hashlib.sha256(body).hexdigest())


def _name(header: str, default: str = "") -> str:
    """A header that is an identifier. Raises 400."""
    value = request.headers.get(header, "").strip() or default
    if not value:
        raise refuse(400, f"the header {header} is missing")
    if len(value) > LONGEST_NAME or not (value.isascii() and value.isprintable()):
        raise refuse(400, f"the header {header} has to be at most {LONGEST_NAME} printable ASCII characters")
    return value


def _useful_headers() -> dict[str, str]:
    """What tells about the delivery. The token is not kept."""
    return {name: value[:_LONGEST_HEADER] for name, value in request.headers.items() if name.lower() in _KEPT}
