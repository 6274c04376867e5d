"""Builds in Copr and Koji, and source packages: ``/api/copr-builds``, ``/api/koji-builds``, ``/api/srpm-builds``."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from packit_worker.journal import builds, listing
from packit_worker.journal.builds import SRPM_BUILDS, BuildRow, BuildState
from packit_worker.web.answers import refuse
from packit_worker.web.api.paging import PARTIAL, Page, PageSchema
from packit_worker.web.api.shapes import AboutSchema, about, time, when
from packit_worker.web.door import the_door

blueprint = Blueprint("builds", __name__, url_prefix="/api", description="Builds in Copr and Koji")

COPR, KOJI = "copr", "koji"
#: Build ids are numbers of 64 bits; Flask would take longer ones.
_LARGEST = 2**63 - 1


class CoprBuildSchema(AboutSchema):
    """A build in Copr, in all its chroots."""

    project = fields.String(metadata={"description": "The Copr project."})
    owner = fields.String()
    build_id = fields.Integer()
    status_per_chroot = fields.Dict(keys=fields.String(), values=fields.String())
    build_submitted_time = when("When it was ordered")
    web_url = fields.String(allow_none=True)
    ref = fields.String(metadata={"description": "The commit."})


class CoprBuildDetailSchema(CoprBuildSchema):
    """A build in Copr with all that is known of it."""

    status = fields.String(metadata={"description": "Of all chroots together."})
    chroots = fields.List(fields.String())
    build_start_time = when("When its first chroot began")
    build_finished_time = when("When its last chroot ended")
    commit_sha = fields.String()
    srpm_logs = fields.String(allow_none=True)
    git_repo = fields.String()


class KojiBuildSchema(AboutSchema):
    """A build in Koji for one target."""

    build_id = fields.Integer(metadata={"description": "The task's id."})
    status = fields.String()
    build_submitted_time = when("When it was ordered")
    chroot = fields.String(metadata={"description": "The target."})
    web_url = fields.String(allow_none=True)
    build_logs_url = fields.String(allow_none=True)


class KojiBuildDetailSchema(KojiBuildSchema):
    """A build in Koji with all that is known of it."""

    build_start_time = when("When it began")
    build_finished_time = when("When it ended")
    ref = fields.String(metadata={"description": "The commit."})
    srpm_logs = fields.String(allow_none=True)


class SrpmBuildSchema(AboutSchema):
    """A source package that Copr made. ``success`` is null until it has ended."""

    srpm_build_id = fields.Integer()
    success = fields.Boolean(allow_none=True)
    log_url = fields.String(allow_none=True)
    build_submitted_time = when("When it was ordered")


@blueprint.get("/copr-builds")
@blueprint.arguments(PageSchema, location="query", error_status_code=400)
@blueprint.response(PARTIAL, CoprBuildSchema(many=True))
def copr_builds(page: Page) -> Any:
    """Builds in Copr, newest first."""
    found = the_door().read(lambda session: listing.builds(session, COPR, page.limit, page.offset))
    return page.answer("copr-builds", [_copr(rows) for rows in found])


@blueprint.get("/copr-builds/<int:build_id>")
@blueprint.response(200, CoprBuildDetailSchema)
def copr_build(build_id: int) -> Any:
    """A build in Copr, by Copr's number."""
    rows, source = the_door().read(
        lambda session: (_rows(session, COPR, build_id), listing.source_package_of(session, str(build_id)))
    )
    return _copr(rows) | {
        "status": _together(rows),
        "chroots": [row.chroot for row in rows],
        "build_start_time": time(min((row.started_at for row in rows if row.started_at), default=None)),
        "build_finished_time": time(
            max(ends) if all(ends := [row.ended_at for row in rows]) else None  # type: ignore[type-var]
        ),
        "commit_sha": rows[0].commit_sha,
        "srpm_logs": source.log_url if source else None,
        "git_repo": f"{rows[0].project_url}.git",
    }


@blueprint.get("/koji-builds")
@blueprint.arguments(PageSchema, location="query", error_status_code=400)
@blueprint.response(PARTIAL, KojiBuildSchema(many=True))
def koji_builds(page: Page) -> Any:
    """Builds in Koji, newest first, one entry per target."""
    found = the_door().read(lambda session: listing.build_rows(session, KOJI, page.limit, page.offset))
    return page.answer("koji-builds", [_koji(row) for row in found])


@blueprint.get("/koji-builds/<int:task_id>")
@blueprint.response(200, KojiBuildDetailSchema)
def koji_build(task_id: int) -> Any:
    """A build in Koji, by the number of its task."""
    row = the_door().read(lambda session: _rows(session, KOJI, task_id))[0]
    return _koji(row) | {
        "build_start_time": time(row.started_at),
        "build_finished_time": time(row.ended_at),
        "ref": row.commit_sha,
        "srpm_logs": None,
    }


@blueprint.get("/srpm-builds")
@blueprint.arguments(PageSchema, location="query", error_status_code=400)
@blueprint.response(PARTIAL, SrpmBuildSchema(many=True))
def srpm_builds(page: Page) -> Any:
    """Source packages that Copr made, newest first."""
    found = the_door().read(lambda session: listing.source_packages(session, page.limit, page.offset))
    return page.answer("srpm-builds", [srpm(row) | about(row) for row in found])


def srpm(row: BuildRow) -> dict[str, Any]:
    """A source package, without its project."""
    state = BuildState(row.state)
    return {
        "srpm_build_id": row.id,
        "success": state == BuildState.SUCCESS if state.is_final else None,
        "log_url": row.log_url,
        "build_submitted_time": time(row.submitted_at),
    }


def _rows(session: Any, system: str, build_id: int) -> list[BuildRow]:
    rows = []
    if build_id <= _LARGEST:
        rows = [row for row in builds.of_build(session, system, str(build_id)) if row.chroot != SRPM_BUILDS]
    if not rows:
        raise refuse(404, f"this service has ordered no build {build_id} in {system.capitalize()}")
    return rows


def _copr(rows: list[BuildRow]) -> dict[str, Any]:
    first = rows[0]
    return about(first) | {
        "project": first.project_name,
        "owner": first.owner,
        "build_id": int(first.build_id),
        "status_per_chroot": {row.chroot: row.state for row in rows},
        "build_submitted_time": time(first.submitted_at),
        "web_url": first.web_url,
        "ref": first.commit_sha,
    }


def _koji(row: BuildRow) -> dict[str, Any]:
    return about(row) | {
        "build_id": int(row.build_id),
        "status": row.state,
        "build_submitted_time": time(row.submitted_at),
        "chroot": row.chroot,
        "web_url": row.web_url,
        "build_logs_url": row.log_url,
    }


def _together(rows: list[BuildRow]) -> str:
    """One word for all chroots: the worst of the ends, once all have come to one."""
    states = {BuildState(row.state) for row in rows}
    order = (
        *(BuildState.RUNNING, BuildState.PENDING),
        *(BuildState.FAILURE, BuildState.CANCELED, BuildState.SUCCESS),
    )
    return next(state for state in order if state in states)
