"""The door for Pagure: ``POST /api/webhooks/pagure``.

Pagure signs the body and not the headers. These only tell with whose key to check; what counts stands in the body, and
has to be what they said. Pagure sends once and forgets: there is no second try, and no id but the one in the body.
"""

from __future__ import annotations

import logging
import math
import time
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from packit_worker.config.service import normal_instance
from packit_worker.web.answers import decided, refuse
from packit_worker.web.body import json_object, read_body
from packit_worker.web.door import the_door
from packit_worker.web.signatures import refusal_of_pagure_signature

log = logging.getLogger(__name__)

blueprint = Blueprint("pagure", __name__)

SOURCE = "pagure"
#: Seconds after which a signed body is old enough to have been kept by somebody; Pagure's own queue can lag, too.
OLDEST = 15 * 60
LONGEST_NAME = 100
_LONGEST_HEADER = 500
_KEPT = frozenset({"x-pagure", "x-pagure-project", "x-pagure-topic", "user-agent", "content-type"})


@blueprint.post("/api/webhooks/pagure")
def webhook() -> tuple[Response, int]:
    """Take a hook in: 202 with what was decided, 4xx with what to correct, 503 while it cannot be kept."""
    door = the_door()
    body = read_body(request, door.settings.limits.body_bytes)
    instance = _instance(request.headers.get("X-Pagure"))
    project = _project(request.headers.get("X-Pagure-Project", ""))
    refusal = refusal_of_pagure_signature(
        door.hook_keys(instance, project), body, request.headers.get("X-Pagure-Signature-256")
    )
    if refusal is not None:
        log.warning("a hook was refused: %s", refusal)
        raise refuse(401, refusal)
    if request.mimetype != "application/json":
        raise refuse(415, "the content type has to be application/json")
    found = json_object(body)
    _check_signer(found, instance, project)
    topic = _name(found, "topic")
    told = request.headers.get("X-Pagure-Topic", topic).strip()
    if told != topic:
        raise refuse(400, "the header X-Pagure-Topic is not the topic in the signed body")
    return decided(
        door.accept(
            source=SOURCE,
            event_type=topic,
            delivery_id=f"{SOURCE}:{_name(found, 'msg_id')}",
            headers=_useful_headers(),
            body=body,
            held=_held(found),
        )
    )


def _instance(told: Any) -> str:
    """The one spelling of a Pagure's address; empty for what is none, and no key has that."""
    if not isinstance(told, str) or not told.isprintable() or len(told) > _LONGEST_HEADER:
        return ""
    try:
        return normal_instance(told)
    except ValueError:
        return ""


def _project(told: str) -> str:
    """The name of a project; empty for what is none, and no key has that."""
    name = told.strip()
    return name if name.isprintable() and len(name) <= _LONGEST_HEADER else ""


def _check_signer(found: dict[str, Any], instance: str, project: str) -> None:
    """A project speaks for itself only. Raises 401 when the body is about another one, or about none."""
    message = found.get("msg")
    signed = message if isinstance(message, dict) else {}
    if _instance(signed.get("pagure_instance")) == instance and signed.get("project_fullname") == project:
        return
    log.warning("a hook was refused: signed by %s of %s, but for another project", project, instance)
    raise refuse(
        401, "the signed body does not speak for the project that X-Pagure and X-Pagure-Project name"
    )


def _name(found: dict[str, Any], key: str) -> str:
    """An identifier in the body. Raises 400."""
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        raise refuse(400, f"the body has no {key}")
    if len(value) > LONGEST_NAME or not (value.isascii() and value.isprintable()):
        raise refuse(
            400, f"the {key} in the body has to be at most {LONGEST_NAME} printable ASCII characters"
        )
    return value


def _held(found: dict[str, Any]) -> str | None:
    """Why an operator has to look at it first: it was signed a while ago. Raises 400 when it does not say when."""
    told = found.get("timestamp")
    signed_at = float(told) if type(told) in (int, float) and told is not None else math.nan
    if not 0 <= signed_at < 2**36:
        raise refuse(400, "the body has no timestamp, or one that is no time")
    age = time.time() - signed_at
    if age <= OLDEST:
        return None
    moment = datetime.fromtimestamp(signed_at, UTC)
    return (
        f"suspected replay: signed at {moment:%Y-%m-%d %H:%M:%S} UTC, {age / 60:.0f} minutes before it came; "
        f"{OLDEST // 60} are taken"
    )


def _useful_headers() -> dict[str, str]:
    """What tells about the delivery. Signatures are not kept."""
    return {name: value[:_LONGEST_HEADER] for name, value in request.headers.items() if name.lower() in _KEPT}
