"""What is left of the rate limits of the systems outside: ``/api/rate-limits``."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from packit_worker.journal import budgets
from packit_worker.journal.base import now
from packit_worker.journal.budgets import Shown
from packit_worker.web.api.shapes import time, when
from packit_worker.web.door import the_door

blueprint = Blueprint(
    "rate limits", __name__, url_prefix="/api", description="Rate limits of systems outside"
)

#: At most so many are told.
MOST = 1000


class RateLimitSchema(Schema):
    """What one account, or one installation of the GitHub App, may still ask of a system."""

    host = fields.String(metadata={"description": "The system's host."})
    installation_id = fields.Integer(
        allow_none=True, metadata={"description": "Of the GitHub App, if it is one."}
    )
    limit = fields.Integer(metadata={"description": "Requests; 0 where the system has not told."})
    remaining = fields.Integer(
        allow_none=True,
        metadata={"description": "Requests left until the reset; null after it, and where untold."},
    )
    reset_at = when("When the limit begins anew")
    paused_until = when("Until when the system wants no request at all")
    heard_at = when("When this was heard")


@blueprint.get("/rate-limits")
@blueprint.response(200, RateLimitSchema(many=True))
def rate_limits() -> Any:
    """The limits heard of in the last day, those with the least left first."""
    return [_told(each) for each in the_door().read(lambda session: budgets.latest(session, MOST, now()))]


def _told(each: Shown) -> dict[str, Any]:
    return {
        "host": each.host,
        "installation_id": int(each.installation) if each.installation else None,
        "limit": each.limit,
        "remaining": each.remaining,
        "reset_at": time(each.reset_at),
        "paused_until": time(each.paused_until),
        "heard_at": time(each.heard_at),
    }
