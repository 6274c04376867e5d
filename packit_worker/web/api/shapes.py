"""What answers of the API are made of: the fields that several of them share, and how times are written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import Schema, fields

from packit_worker.journal import listing

TIME = "%d/%m/%Y %H:%M:%S"


def time(moment: datetime | None) -> str | None:
    """A moment as clients of the API have always read it, in UTC."""
    return moment.strftime(TIME) if moment else None


def when(name: str) -> fields.String:
    """The field of a time."""
    return fields.String(
        allow_none=True, metadata={"description": f"{name}, UTC", "example": "24/11/2026 12:00:00"}
    )


class AboutSchema(Schema):
    """The project, and the pull request, branch or release in it."""

    project_url = fields.String()
    repo_namespace = fields.String()
    repo_name = fields.String()
    pr_id = fields.Integer(allow_none=True)
    branch_name = fields.String(allow_none=True)
    release = fields.String(allow_none=True, metadata={"description": "The tag."})


class ErrorSchema(Schema):
    """An error, and what can be done about it."""

    error = fields.String(metadata={"description": "The status in words."})
    reason = fields.String()
    problems = fields.Dict(metadata={"description": "What is wrong with which parameter, if any is."})


def about(row: Any) -> dict[str, Any]:
    """``AboutSchema`` of a row that knows the event it belongs to."""
    _, namespace, name = listing.place(row.project_url)
    return {
        "project_url": row.project_url,
        "repo_namespace": namespace,
        "repo_name": name,
        "pr_id": row.kwargs.get("pr_id"),
        "branch_name": row.kwargs.get("branch"),
        "release": row.kwargs.get("tag_name"),
    }
