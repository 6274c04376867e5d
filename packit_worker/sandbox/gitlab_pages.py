"""The pages of the stand-in for GitLab that people look at. Used inside the sandbox only."""

from typing import TYPE_CHECKING, Any

from flask import Flask

from packit_worker.sandbox.page import show

if TYPE_CHECKING:
    from packit_worker.sandbox.gitlab import GitLab

HOME = """<h1>Projects</h1><ul class="list">{% for project in projects %}<li class="grow">{{ project.path }}
<span>{% for number in project.merge_requests %}
<a href="/{{ project.path }}/-/merge_requests/{{ number }}">!{{ number }}</a>
{% endfor %}</span></li>{% endfor %}</ul>"""

MERGE_REQUEST = """<h1>{{ told.title }} <span class="soft">!{{ told.iid }}</span></h1>
<p><span class="pill">{{ told.state }}</span> {{ told.author.username }} wants to merge
{{ told.source_branch }} into {{ told.target_branch }}</p>
<h2>Pipeline</h2><ul class="list">{% for status in statuses %}<li><span class="{{ status.status }}">{{ status.status }}
</span><span class="grow">{{ status.name }} <span class="soft">{{ status.description or "" }}</span></span>
<a href="{{ status.target_url }}">Details</a></li>{% endfor %}</ul>
<h2>Activity</h2>{% for note in notes %}<div class="card"><div class="top">{{ note.author.username }}
{% for name in note.emoji %}<span class="pill">{{ name }}</span>{% endfor %}</div>
<pre>{{ note.body }}</pre></div>{% endfor %}
"""


def add_routes(app: Flask, gitlab: "GitLab") -> None:
    """Add the routes to `app`."""

    @app.get("/")
    def home() -> Any:
        seen = [one for one in gitlab.state.projects.values() if one.visibility == "public"]
        return show("GitLab", "Projects", HOME, projects=seen)

    @app.get("/<path:path>/-/merge_requests/<int:iid>")
    def merge_request_page(path: str, iid: int) -> Any:
        project = gitlab.project(path)
        told = gitlab.shapes().merge_request(project, gitlab.state.merge_request(path, iid))
        places = {path, *(one.path for one in gitlab.state.projects.values() if one.forked_from is project)}
        statuses = [one for place in sorted(places) for one in gitlab.statuses(place, told["sha"])]
        return show(
            "GitLab",
            f"{told['title']} (!{iid})",
            MERGE_REQUEST,
            told=told,
            statuses=statuses,
            notes=gitlab.notes(path, merge_request=iid),
            refresh=2,
        )
