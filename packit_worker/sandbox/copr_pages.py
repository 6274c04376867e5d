"""The web pages and logs of the stand-in for Copr. Used inside the sandbox only."""

from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from packit_worker.sandbox.copr_builds_api import result_url
from packit_worker.sandbox.copr_state import SOURCE_CHROOT, CoprError
from packit_worker.sandbox.page import show

if TYPE_CHECKING:
    from packit_worker.sandbox.copr import Copr

PROJECTS = """<h1>Builds</h1>{% if builds %}<ul class="list">{% for build in builds|reverse %}
<li><span class="icon {{ build.state }}">●</span><div class="grow">
<a href="/coprs/build/{{ build.id }}">{{ build.id }}</a>
{{ build.package_name }} <span class="soft">{{ build.project }}</span></div>
<span class="{{ build.state }}">{{ build.state }}</span></li>{% endfor %}</ul>
{% else %}<p class="soft">No build yet.</p>{% endif %}"""

PROJECT = """<h1>{{ project.full_name }}</h1><p>{{ project.settings.description or "" }}</p>
<h2>Chroots</h2><p>{% for chroot in project.chroots %}<span class="pill">{{ chroot }}</span> {% endfor %}</p>
<h2>Settings</h2><table>{% for name, value in project.settings.items() if value is not none %}
<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>"""

BUILD = """<h1>Build {{ build.id }} <span class="{{ build.state }}">{{ build.state }}</span></h1>
<p><a href="/coprs/{{ build.project }}/">{{ build.project }}</a> <span class="soft">package {{ build.package_name }}
{{ build.package_version }}, by {{ build.submitter }}</span></p><h2>Chroots</h2><ul class="list">
{% for name, chroot, log in chroots %}<li><span class="icon {{ chroot.state }}">●</span><div class="grow">{{ name }}
<span class="{{ chroot.state }}">{{ chroot.state }}</span></div>
{% if chroot.started_on %}<a href="{{ log }}builder-live.log">builder-live.log</a>{% endif %}</li>{% endfor %}</ul>
<h2>Source</h2><table>{% for key, value in build.source.items() %}<tr><th>{{ key }}</th>
<td><pre>{{ value }}</pre></td></tr>
{% endfor %}</table>"""


def add_routes(app: Flask, copr: "Copr") -> None:
    """Add the pages to `app`."""
    state = copr.state

    @app.get("/")
    @app.get("/coprs/")
    def page_builds() -> str:
        builds = [build for build in state.builds.values() if not build.deleted]
        return show("Copr", "Builds", PROJECTS, builds=builds)

    @app.get("/coprs/<owner>/<name>/")
    @app.get("/coprs/<owner>/<name>/<path:_>")
    @app.get("/coprs/g/<group>/<name>/")
    @app.get("/coprs/g/<group>/<name>/<path:_>")
    def page_project(name: str, owner: str = "", group: str = "", _: str = "") -> str:
        project = state.project(owner or f"@{group}", name)
        return show("Copr", project.full_name, PROJECT, project=project)

    @app.get("/coprs/build/<int:number>")
    @app.get("/coprs/build/<int:number>/")
    def page_build(number: int) -> str:
        build = state.build(number)
        chroots = [(SOURCE_CHROOT, build.source_state), *build.states.items()]
        rows: list[Any] = [(name, chroot, result_url(copr.url, build, name)) for name, chroot in chroots]
        return show("Copr", f"Build {number}", BUILD, build=build, chroots=rows)

    @app.get(
        "/results/<owner>/<name>/<chroot>/<directory>/<any('builder-live.log','builder-live.log.gz'):file>"
    )
    def log(owner: str, name: str, chroot: str, directory: str, file: str) -> Response:
        number = directory.partition("-")[0]
        if not number.isdigit():
            raise CoprError(404, "No such directory")
        build = state.build(int(number))
        chroot_state = build.chroot(chroot).state
        lines = [
            f"Running the sandbox's build {build.id} of {build.package_name} in {chroot}",
            f"Project {owner}/{name}, {file}",
            f"State: {chroot_state}",
        ]
        return Response("\n".join(lines) + "\n", mimetype="text/plain")
