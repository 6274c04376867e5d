"""Builds in Copr and Koji, newest first."""

from __future__ import annotations

from flask import render_template, request

from packit_worker.journal import listing
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import blueprint, turn

SYSTEMS = ("copr", "koji")


@blueprint.get("/builds", endpoint="builds")
def page() -> str:
    """Builds of one ``?system=``, each with its chroots or targets."""
    asked = request.args.get("system")
    system = asked if asked in SYSTEMS else SYSTEMS[0]
    at = turn()
    rows = the_door().read(lambda session: listing.builds(session, system, at.limit, at.offset))
    shown, following = at.shown(rows)
    return render_template(
        "builds.html", builds=shown, following=following, system=system, systems=SYSTEMS, page=at.number
    )
