"""The door for Testing Farm: ``POST /api/testing-farm/results``. It is known by the token inside the body."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

from flask import Blueprint, Response, request

from packit_worker.web.answers import decided, refuse
from packit_worker.web.body import json_object, read_body
from packit_worker.web.door import the_door
from packit_worker.web.signatures import is_token

log = logging.getLogger(__name__)

blueprint = Blueprint("testing_farm", __name__)

SOURCE = "testing-farm"
EVENT_TYPE = "result"
#: Results are short; and this body has to be parsed before it is known who sent it.
MOST_BYTES = 1024 * 1024


@blueprint.post("/api/testing-farm/results")
def result() -> tuple[Response, int]:
    """Take in that a request for tests has news."""
    door = the_door()
    found = json_object(read_body(request, min(MOST_BYTES, door.settings.limits.body_bytes)))
    token = door.settings.testing_farm.callback_token
    # Out of the body before anything is done with it: the token is for us, not for the journal.
    if not is_token(token.reveal() if token else None, found.pop("token", None)):
        log.warning("a result was refused: wrong or missing token")
        raise refuse(401, "the token in the body is missing or wrong")
    if not _names_a_request(found):
        raise refuse(400, "the body names no request: request_id is missing")
    return decided(
        door.accept(
            source=SOURCE,
            event_type=EVENT_TYPE,
            delivery_id=f"{SOURCE}:{uuid.uuid4()}",
            headers={"User-Agent": request.headers.get("User-Agent", "")[:500]},
            body=json.dumps(found).encode(),
        )
    )


def _names_a_request(found: dict[str, Any]) -> bool:
    """By ``request_id``, or as it was called in 2020: ``pipeline.id``."""
    pipeline = found.get("pipeline")
    old = pipeline.get("id") if isinstance(pipeline, dict) else None
    return any(isinstance(name, str) and bool(name) for name in (found.get("request_id"), old))
