"""Test runs in Testing Farm: ``/api/testing-farm/results``."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from packit_worker.journal import listing
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.web.api.paging import PARTIAL, Page, PageSchema
from packit_worker.web.api.shapes import AboutSchema, about, when
from packit_worker.web.api.shapes import time as written
from packit_worker.web.door import the_door

blueprint = Blueprint("test_runs", __name__, url_prefix="/api", description="Tests in Testing Farm")


class TestRunSchema(AboutSchema):
    """A request to Testing Farm for one chroot."""

    __test__ = False

    pipeline_id = fields.String(metadata={"description": "Testing Farm's id of the request."})
    ref = fields.String(metadata={"description": "The commit."})
    status = fields.String(metadata={"description": "The result once there is one, else how far it is."})
    target = fields.String(metadata={"description": "The chroot."})
    web_url = fields.String(allow_none=True)
    submitted_time = when("When it was ordered")


@blueprint.get("/testing-farm/results")
@blueprint.arguments(PageSchema, location="query", error_status_code=400)
@blueprint.response(PARTIAL, TestRunSchema(many=True))
def test_runs(page: Page) -> Any:
    """Test runs, newest first."""
    found = the_door().read(lambda session: listing.test_runs(session, page.limit, page.offset))
    return page.answer("test-results", [_run(row) for row in found])


def status(row: TestRunRow) -> str:
    """How a request went or, until it has, how far it is."""
    return row.result or row.state


def _run(row: TestRunRow) -> dict[str, Any]:
    return about(row) | {
        "pipeline_id": row.request_id,
        "ref": row.commit_sha,
        "status": status(row),
        "target": row.chroot,
        "web_url": row.web_url,
        "submitted_time": written(row.submitted_at),
    }
