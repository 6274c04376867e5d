"""Health: whether the process lives, and whether the service as a whole gets its work done."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, jsonify
from sqlalchemy import func, select
from sqlalchemy.orm import defer

from packit_worker import migrations
from packit_worker.journal import JournalUnavailable, Session
from packit_worker.journal.base import now
from packit_worker.journal.claims import is_free
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.web.door import the_door

blueprint = Blueprint("health", __name__)

#: How many of the oldest waiting rows are looked at.
_LOOKED_AT = 50


@blueprint.get("/api/healthz")
def alive() -> Response:
    """The process answers. Asks nothing of anybody."""
    return jsonify(status="healthy")


@blueprint.get("/api/healthz/ready")
def ready() -> tuple[Response, int]:
    """The database answers and is up to date, and nothing waits for too long."""
    door = the_door()
    patience = timedelta(seconds=door.settings.limits.ready_max_age_seconds)
    try:
        reasons = door.read(lambda session: _reasons(session, patience))
    except JournalUnavailable as error:
        reasons = [str(error)]
    return jsonify(status="unready" if reasons else "ready", reasons=reasons), 503 if reasons else 200


def _reasons(session: Session, patience: timedelta) -> list[str]:
    if MigrationContext.configure(session.connection()).get_current_revision() != _head():
        return ["the database lacks migrations"]
    reasons = []
    for model, name in ((Delivery, "delivery"), (EventRow, "event")):
        row = _waits_too_long(session, model, patience)
        if row is not None:
            reasons.append(
                f"{name} {row.id} has waited for a worker since {row.due_at:%Y-%m-%d %H:%M:%S} UTC"
            )
    return reasons


def _waits_too_long(session: Session, model: Any, patience: timedelta) -> Any | None:
    """The oldest row that a worker could have taken for longer than ``patience``."""
    moment = now()
    rows = session.execute(
        select(model)
        .where(*is_free(model, moment), model.due_at < moment - patience)
        .order_by(model.due_at)
        .limit(_LOOKED_AT)
        .options(*([defer(Delivery.body)] if model is Delivery else []))
    )
    for row in rows.scalars():
        if moment - _free_since(session, row) > patience:
            return row
    return None


def _free_since(session: Session, row: Any) -> datetime:
    """When a row's time came: it was due, its last lease was over, and so was what it had to wait for."""
    moments = [row.due_at, row.lease_until]
    if isinstance(row, EventRow):
        earlier = select(func.max(EventRow.finished_at)).where(
            EventRow.subject == row.subject, EventRow.seq < row.seq
        )
        moments.append(session.execute(earlier).scalar_one())
    latest: datetime = max(moment for moment in moments if moment is not None)
    return latest


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(migrations.config(None)).get_current_head()
