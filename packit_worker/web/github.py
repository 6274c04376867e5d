"""The door for GitHub: ``POST /api/webhooks/github``.

Nothing is parsed before the signature is known to be right, and nothing is answered with success before the delivery is
on disk.
"""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify, request

from packit_worker.web.answers import decided, refuse
from packit_worker.web.body import json_object, read_body
from packit_worker.web.door import the_door
from packit_worker.web.signatures import refusal_of_signature

log = logging.getLogger(__name__)

blueprint = Blueprint("github", __name__)

SOURCE = "github"
#: GitHub tells these a second time under the names that Apps had before they were called so.
LEGACY = frozenset({"integration_installation", "integration_installation_repositories"})
LONGEST_NAME = 100
_LONGEST_HEADER = 500


@blueprint.post("/api/webhooks/github")
def webhook() -> tuple[Response, int]:
    """Take a webhook in: 202 with what was decided, 4xx with what to correct, 503 while it cannot be kept."""
    door = the_door()
    body = read_body(request, door.settings.limits.body_bytes)
    secret = door.settings.github.webhook_secret
    refusal = refusal_of_signature(
        secret.reveal() if secret else None, body, request.headers.get("X-Hub-Signature-256")
    )
    if refusal is not None:
        log.warning("a webhook was refused: %s", refusal)
        raise refuse(401, refusal)
    if request.mimetype != "application/json":
        raise refuse(415, "set the content type to application/json in the App's webhook settings")
    event_type = _name("X-GitHub-Event")
    delivery_id = _name("X-GitHub-Delivery")
    json_object(body)
    if event_type == "ping":
        return jsonify(decision="pong", delivery=delivery_id), 200
    ignored = "GitHub tells this a second time under its present name" if event_type in LEGACY else None
    return decided(
        door.accept(
            source=SOURCE,
            event_type=event_type,
            delivery_id=delivery_id,
            headers=_useful_headers(),
            body=body,
            ignored=ignored,
        )
    )


def _name(header: str) -> str:
    """A header that is an identifier. Raises 400."""
    value = request.headers.get(header, "").strip()
    if not value:
        raise refuse(400, f"the header {header} is missing")
    if len(value) > LONGEST_NAME or not (value.isascii() and value.isprintable()):
        raise refuse(400, f"the header {header} has to be at most {LONGEST_NAME} printable ASCII characters")
    return value


def _useful_headers() -> dict[str, str]:
    """What tells about the delivery. Signatures are not kept."""
    return {
        name: value[:_LONGEST_HEADER]
        for name, value in request.headers.items()
        if name.lower().startswith("x-github-") or name.lower() in ("user-agent", "content-type")
    }
