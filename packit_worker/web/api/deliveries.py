"""What came in and what became of it: ``/api/deliveries``, ``/api/events``, ``/api/explain``, ``/api/queues``."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from packit_worker.journal import Session, queues, story
from packit_worker.journal.base import State, now
from packit_worker.journal.decisions import DecisionRow
from packit_worker.journal.entries import KINDS, plain
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunRow
from packit_worker.journal.story import Filter
from packit_worker.web.answers import refuse
from packit_worker.web.api.shapes import ErrorSchema
from packit_worker.web.door import the_door

blueprint = Blueprint("deliveries", __name__, url_prefix="/api", description="Deliveries and their stories")


def _moment(description: str, **kwargs: Any) -> fields.String:
    return fields.String(
        metadata={"description": f"{description}, ISO 8601 in UTC.", "format": "date-time"}, **kwargs
    )


class SummarySchema(Schema):
    """A delivery, and the event that was made of it."""

    id = fields.String()
    source = fields.String()
    event_type = fields.String(allow_none=True)
    received_at = _moment("When it came in")
    outcome = fields.String(metadata={"description": "How far it is."})
    why = fields.String(allow_none=True, metadata={"description": "The reason of the outcome."})
    event_id = fields.String(allow_none=True)
    task = fields.String(allow_none=True)
    subject = fields.String(allow_none=True, metadata={"description": "What it is about."})
    url = fields.String(allow_none=True, metadata={"description": "The page of what it is about."})


class EntrySchema(Schema):
    """Something that happened."""

    at = _moment("When")
    kind = fields.String(validate=validate.OneOf(KINDS))
    title = fields.String()
    text = fields.String()
    next_step = fields.String(allow_none=True, metadata={"description": "What can be done about it."})
    url = fields.String(allow_none=True)
    facts = fields.Dict()


class StorySchema(SummarySchema):
    """A delivery and all that came of it, oldest first."""

    size = fields.Integer(metadata={"description": "Bytes of the body."})
    entries = fields.List(fields.Nested(EntrySchema))


class LatestSchema(Schema):
    """Which deliveries are wanted."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    after = fields.String(metadata={"description": "The id of the last delivery of the page before."})
    source = fields.String(metadata={"description": "github, pagure, bus..."})
    outcome = fields.String(validate=validate.OneOf([str(state) for state in State]))
    about = fields.String(
        metadata={"description": "A project's URL, or that of a pull request, branch or release in it."}
    )


class WhatSchema(Schema):
    """What is asked about."""

    what = fields.String(
        required=True,
        metadata={"description": "A delivery's, event's or check's id, or the URL of a pull request."},
    )


class DecisionSchema(Schema):
    """A verdict on the way of an event."""

    at = _moment("When")
    attempt = fields.Integer()
    step = fields.String()
    verdict = fields.String()
    reason = fields.String()
    next_step = fields.String(allow_none=True)


class RunSchema(Schema):
    """A handler at work for one job."""

    handler = fields.String()
    job = fields.String()
    state = fields.String()
    attempts = fields.Integer()
    note = fields.String(allow_none=True)
    started_at = _moment("When it began", allow_none=True)
    finished_at = _moment("When it ended", allow_none=True)


class EventSchema(Schema):
    """An event with what was decided about it and what was run for it."""

    id = fields.String()
    delivery_id = fields.String(allow_none=True)
    task = fields.String()
    lane = fields.String()
    subject = fields.String()
    state = fields.String()
    reason = fields.String(allow_none=True)
    attempts = fields.Integer()
    created_at = _moment("When it was made")
    finished_at = _moment("When it ended", allow_none=True)
    decisions = fields.List(fields.Nested(DecisionSchema))
    runs = fields.List(fields.Nested(RunSchema))


class QueueSchema(Schema):
    """A lane of workers."""

    lane = fields.String()
    waiting = fields.Integer(metadata={"description": "Due, and nobody works on it."})
    running = fields.Integer()
    later = fields.Integer(metadata={"description": "To be tried again later."})
    dead = fields.Integer(metadata={"description": "Given up."})
    oldest_seconds = fields.Float(metadata={"description": "How long the oldest has been waiting."})


@blueprint.get("/deliveries")
@blueprint.arguments(LatestSchema, location="query", error_status_code=400)
@blueprint.response(200, SummarySchema(many=True))
def latest(wanted: dict[str, Any]) -> Any:
    """The latest deliveries, newest first."""
    filter = Filter(source=wanted.get("source"), outcome=wanted.get("outcome"), about=wanted.get("about"))
    rows = the_door().read(
        lambda session: story.latest(session, wanted["limit"], wanted.get("after"), filter)
    )
    return [row.to_json() for row in rows]


@blueprint.get("/deliveries/<path:delivery_id>")
@blueprint.response(200, StorySchema)
@blueprint.alt_response(404, schema=ErrorSchema, description="No delivery has this id.")
def delivery(delivery_id: str) -> Any:
    """The story of a delivery: what came of it, step by step, and why."""
    found = the_door().read(lambda session: story.of_delivery(session, delivery_id))
    if found is None:
        raise refuse(404, "no delivery has this id")
    return found.to_json()


@blueprint.get("/explain")
@blueprint.arguments(WhatSchema, location="query", error_status_code=400)
@blueprint.response(200, SummarySchema(many=True))
def explain(wanted: dict[str, str]) -> Any:
    """The deliveries that an id or a URL is about, oldest first; each has its story at /api/deliveries/ID."""

    def find(session: Session) -> list[dict[str, Any]]:
        ids = story.find(session, wanted["what"])
        return [told.to_json() for told in story.summaries(session, ids)]

    return the_door().read(find)


@blueprint.get("/events/<string:event_id>")
@blueprint.response(200, EventSchema)
@blueprint.alt_response(404, schema=ErrorSchema, description="No event has this id.")
def event(event_id: str) -> Any:
    """An event, what was decided about it and why, and what was run for it."""

    def find(session: Session) -> dict[str, Any] | None:
        row = session.execute(select(EventRow).where(EventRow.id == event_id)).scalar_one_or_none()
        if row is None:
            return None
        return _plain(row, EventSchema) | {
            "decisions": _rows(session, DecisionRow, event_id, DecisionSchema),
            "runs": _rows(session, RunRow, event_id, RunSchema),
        }

    found = the_door().read(find)
    if found is None:
        raise refuse(404, "no event has this id")
    return found


@blueprint.get("/queues")
@blueprint.response(200, QueueSchema(many=True))
def lanes() -> Any:
    """What waits for workers, lane by lane."""
    moment = now()
    return [
        vars(queue) | {"oldest_seconds": queue.oldest_seconds(moment)}
        for queue in the_door().read(queues.all_of)
    ]


def _rows(session: Session, model: Any, event_id: str, schema: type[Schema]) -> list[dict[str, Any]]:
    rows = session.execute(select(model).where(model.event_id == event_id).order_by(model.id)).scalars()
    return [_plain(row, schema) for row in rows]


def _plain(row: Any, schema: type[Schema]) -> dict[str, Any]:
    """The columns of a row that a schema names."""
    columns = row.__table__.columns.keys()
    return {name: plain(getattr(row, name)) for name in schema().fields if name in columns}
