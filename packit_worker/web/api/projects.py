"""Projects and what was done in them: ``/api/projects`` and what is below it.

A namespace may have several parts, as GitLab's groups have, where a project in it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import jsonify
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from packit_worker.journal import Session, listing, projects
from packit_worker.journal.builds import SRPM_BUILDS
from packit_worker.web.answers import refuse
from packit_worker.web.api import builds, test_runs
from packit_worker.web.api.paging import PARTIAL, Page, PageSchema
from packit_worker.web.api.shapes import ErrorSchema
from packit_worker.web.door import the_door

blueprint = Blueprint("projects", __name__, url_prefix="/api", description="Projects")


class ProjectSchema(Schema):
    """A project, and how much was handled in it."""

    namespace = fields.String()
    repo_name = fields.String()
    project_url = fields.String()
    prs_handled = fields.Integer()
    branches_handled = fields.Integer()
    releases_handled = fields.Integer()
    issues_handled = fields.Integer()


class BuildSchema(Schema):
    """A build for one chroot or target."""

    build_id = fields.Integer()
    chroot = fields.String()
    status = fields.String()
    web_url = fields.String(allow_none=True)


class SourceSchema(Schema):
    """A source package."""

    srpm_build_id = fields.Integer()
    success = fields.Boolean(allow_none=True)
    log_url = fields.String(allow_none=True)


class TestsSchema(Schema):
    """A request to Testing Farm."""

    pipeline_id = fields.String()
    chroot = fields.String()
    status = fields.String()
    web_url = fields.String(allow_none=True)


class WorkSchema(Schema):
    """What was built and tested for something, newest first."""

    builds = fields.List(fields.Nested(BuildSchema))
    koji_builds = fields.List(fields.Nested(BuildSchema))
    srpm_builds = fields.List(fields.Nested(SourceSchema))
    tests = fields.List(fields.Nested(TestsSchema))


class PullRequestSchema(WorkSchema):
    """A pull request with its builds and tests."""

    pr_id = fields.Integer()


class BranchSchema(WorkSchema):
    """A branch with its builds and tests."""

    branch = fields.String()


class ReleaseSchema(Schema):
    """A release."""

    tag_name = fields.String()
    commit_hash = fields.String(allow_none=True)


@blueprint.get("/projects")
@blueprint.arguments(PageSchema, location="query", error_status_code=400)
@blueprint.response(PARTIAL, ProjectSchema(many=True))
def all_projects(page: Page) -> Any:
    """Projects, in the order of the alphabet."""
    found = the_door().read(
        lambda session: _projects(session, listing.projects(session, page.limit, page.offset))
    )
    return page.answer("git-projects", found)


@blueprint.get("/projects/<string:forge>/<string:namespace>")
@blueprint.response(200, ProjectSchema(many=True))
def projects_of(forge: str, namespace: str) -> Any:
    """All projects below a namespace."""

    def find(session: Session) -> list[dict[str, Any]]:
        return _projects(
            session,
            [
                url
                for scheme in ("https", "http")
                for url in listing.projects(session, None, below=f"{scheme}://{forge}/{namespace}")
            ],
        )

    return the_door().read(find)


@blueprint.get("/projects/<string:forge>/<path:namespace>/<string:name>")
@blueprint.response(200, ProjectSchema)
@blueprint.alt_response(404, schema=ErrorSchema, description="Nothing has happened yet in such a project.")
def project(forge: str, namespace: str, name: str) -> Any:
    """A project."""
    return the_door().read(lambda session: _projects(session, [_known(session, forge, namespace, name)])[0])


@blueprint.get("/projects/<string:forge>/<path:namespace>/<string:name>/prs")
@blueprint.arguments(PageSchema, location="query", error_status_code=400)
@blueprint.response(PARTIAL, PullRequestSchema(many=True))
@blueprint.alt_response(404, schema=ErrorSchema, description="Nothing has happened yet in such a project.")
def pull_requests(page: Page, forge: str, namespace: str, name: str) -> Any:
    """Pull requests of a project with their builds and tests, newest first."""

    def find(session: Session) -> list[dict[str, Any]]:
        url = _known(session, forge, namespace, name)
        numbers = listing.abouts(session, url, listing.PULL_REQUESTS, page.limit, page.offset)
        found = listing.work(session, url, listing.PULL_REQUESTS, numbers)
        return [{"pr_id": work.about} | _work(work) for work in found]

    return page.answer("git-project-prs", the_door().read(find))


@blueprint.get("/projects/<string:forge>/<path:namespace>/<string:name>/branches")
@blueprint.response(200, BranchSchema(many=True))
@blueprint.alt_response(404, schema=ErrorSchema, description="Nothing has happened yet in such a project.")
def branches(forge: str, namespace: str, name: str) -> Any:
    """Branches of a project with their builds and tests, newest first."""

    def find(session: Session) -> list[dict[str, Any]]:
        url = _known(session, forge, namespace, name)
        names = listing.abouts(session, url, listing.BRANCHES)
        found = listing.work(session, url, listing.BRANCHES, names)
        return [{"branch": work.about} | _work(work) for work in found]

    return the_door().read(find)


@blueprint.get("/projects/<string:forge>/<path:namespace>/<string:name>/releases")
@blueprint.response(200, ReleaseSchema(many=True))
@blueprint.alt_response(404, schema=ErrorSchema, description="Nothing has happened yet in such a project.")
def releases(forge: str, namespace: str, name: str) -> Any:
    """Releases of a project, newest first."""

    def find(session: Session) -> list[dict[str, Any]]:
        url = _known(session, forge, namespace, name)
        tags = listing.abouts(session, url, listing.RELEASES)
        commits = listing.commits(session, url, tags)
        return [{"tag_name": tag, "commit_hash": commits.get(tag)} for tag in tags]

    return the_door().read(find)


@blueprint.get("/projects/<string:forge>/<path:namespace>/<string:name>/issues")
@blueprint.response(200, {"type": "array", "items": {"type": "integer"}})
@blueprint.alt_response(404, schema=ErrorSchema, description="Nothing has happened yet in such a project.")
def issues(forge: str, namespace: str, name: str) -> Any:
    """Numbers of the issues of a project in which something was asked for, newest first."""
    found = the_door().read(
        lambda session: listing.abouts(session, _known(session, forge, namespace, name), listing.ISSUES)
    )
    # A bare list of numbers is no schema's.
    return jsonify(found)


def _known(session: Session, forge: str, namespace: str, name: str) -> str:
    """The URL of a project. Raises the error 404."""
    row = projects.at(session, forge, f"{namespace}/{name}")
    if row is not None:
        return row.url
    raise refuse(404, f"nothing has happened yet in a project {namespace}/{name} on {forge}")


def _projects(session: Session, urls: Sequence[str]) -> list[dict[str, Any]]:
    counted = listing.handled(session, urls)
    return [_project(url, counted[url]) for url in urls]


def _project(url: str, handled: dict[str, int]) -> dict[str, Any]:
    _, namespace, name = listing.place(url)
    return {
        "namespace": namespace,
        "repo_name": name,
        "project_url": url,
        "prs_handled": handled[listing.PULL_REQUESTS],
        "branches_handled": handled[listing.BRANCHES],
        "releases_handled": handled[listing.RELEASES],
        "issues_handled": handled[listing.ISSUES],
    }


def _work(work: listing.Work) -> dict[str, Any]:
    made = {
        system: [
            {
                "build_id": int(row.build_id),
                "chroot": row.chroot,
                "status": row.state,
                "web_url": row.web_url,
            }
            for row in work.builds
            if row.system == system and row.chroot != SRPM_BUILDS
        ]
        for system in (builds.COPR, builds.KOJI)
    }
    return {
        "builds": made[builds.COPR],
        "koji_builds": made[builds.KOJI],
        "srpm_builds": [builds.srpm(row) for row in work.builds if row.chroot == SRPM_BUILDS],
        "tests": [
            {
                "pipeline_id": row.request_id,
                "chroot": row.chroot,
                "status": test_runs.status(row),
                "web_url": row.web_url,
            }
            for row in work.test_runs
        ],
    }
