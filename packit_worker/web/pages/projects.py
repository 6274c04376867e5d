"""Projects, what was done in each, and a pull request push by push."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from packit_worker.journal import Session, listing, projects, pull_requests, story
from packit_worker.journal.story import Filter
from packit_worker.web.answers import refuse
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import SHOWN, blueprint, turn

#: Branches, releases and issues beside a page of pull requests.
_BESIDE = 20
#: Deliveries on the page of a pull request.
_LATEST = 20
_LARGEST = 2**63 - 1


@blueprint.get("/projects", endpoint="projects")
def all_projects() -> str:
    """Projects, in the order of the alphabet; ``?below=`` is the URL of a forge or a namespace."""
    below = request.args.get("below", "").strip().rstrip("/")
    page = turn()

    def find(session: Session) -> tuple[list[str], dict[str, dict[str, int]]]:
        urls = listing.projects(session, page.limit, page.offset, below or None)
        return urls, listing.handled(session, urls)

    urls, handled = the_door().read(find)
    shown, following = page.shown(urls)
    return render_template("projects.html", projects=shown, handled=handled, following=following, below=below)


@blueprint.get("/projects/<string:forge>/<path:path>")
def project(forge: str, path: str) -> str:
    """A project: its pull requests, branches, releases and issues, newest first."""
    page = turn()

    def find(session: Session) -> dict[str, Any]:
        url = _known(session, forge, path)
        numbers = listing.abouts(session, url, listing.PULL_REQUESTS, page.limit, page.offset)
        names = listing.abouts(session, url, listing.BRANCHES, _BESIDE)
        tags = listing.abouts(session, url, listing.RELEASES, _BESIDE)
        return {
            "url": url,
            "pulls": listing.work(session, url, listing.PULL_REQUESTS, numbers[:SHOWN]),
            "following": page.shown(numbers)[1],
            "branches": listing.work(session, url, listing.BRANCHES, names),
            "releases": listing.work(session, url, listing.RELEASES, tags),
            "issues": listing.abouts(session, url, listing.ISSUES, _BESIDE),
            "latest": story.latest(session, _LATEST, wanted=Filter(about=url)),
        }

    return render_template("project.html", forge=forge, path=path, **the_door().read(find))


@blueprint.get("/projects/<string:forge>/<path:path>/pull/<int:number>")
def pull_request(forge: str, path: str, number: int) -> str:
    """A pull request: its newest commit, and those before it."""

    def find(session: Session) -> dict[str, Any]:
        url = _known(session, forge, path)
        found = pull_requests.of_project(session, url, number) if number <= _LARGEST else None
        if found is None:
            raise refuse(404, f"nothing is known of a pull request {number} of {path} on {forge}")
        latest = story.latest(session, _LATEST, wanted=Filter(about=found.subject))
        return {"url": url, "pull": found, "latest": latest}

    return render_template(
        "pull_request.html", forge=forge, path=path, number=number, **the_door().read(find)
    )


def _known(session: Session, forge: str, path: str) -> str:
    """The URL of a project. Raises the error 404."""
    row = projects.at(session, forge, path)
    if row is None:
        raise refuse(404, f"nothing has happened yet in a project {path} on {forge}")
    return row.url
