"""The web pages and raw files of the stand-in for Pagure. Used inside the sandbox only."""

from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from packit_worker.sandbox.page import show
from packit_worker.sandbox.pagure_gate import project_here
from packit_worker.sandbox.pagure_state import PagureError

if TYPE_CHECKING:
    from packit_worker.sandbox.pagure import Pagure

FLAGS = """{% macro list(flags) %}{% if flags %}<ul class="list">{% for flag in flags %}<li>
<span class="icon {{ flag.status }}">●</span><div class="grow"><b>{{ flag.username }}</b>
<span class="soft">{{ flag.comment }}</span></div><span class="{{ flag.status }}">{{ flag.status }}</span>
{% if flag.url.startswith("http") %}<a href="{{ flag.url }}">details</a>{% endif %}</li>{% endfor %}</ul>
{% else %}<p class="soft">None yet.</p>{% endif %}{% endmacro %}"""

PROJECTS = """<h1>Projects</h1>{% if projects %}<ul class="list">{% for project in projects %}<li><div class="grow">
<a href="/{{ project.url_path }}">{{ project.fullname }}</a> <span class="soft">{{ project.description }}</span></div>
</li>{% endfor %}</ul>{% else %}<p class="soft">No project yet.</p>{% endif %}"""

PROJECT = """<h1>{{ project.fullname }}</h1><p>{{ project.description }}</p><h2>Pull requests</h2>
{% if pulls %}<ul class="list">{% for pull in pulls|reverse %}<li><div class="grow">
<a href="/{{ project.url_path }}/pull-request/{{ pull.id }}">#{{ pull.id }} {{ pull.title }}</a>
<span class="soft">by {{ pull.user.name }}</span></div><span>{{ pull.status }}</span></li>{% endfor %}</ul>
{% else %}<p class="soft">None yet.</p>{% endif %}<h2>Branches</h2>{% for branch, log in logs.items() %}
<h3>{{ branch }}</h3><ul class="list">{% for commit in log %}<li><code>{{ commit.sha[:8] }}</code><div class="grow">
{{ commit.message }} <span class="soft">{{ commit.author }}</span></div></li>{% endfor %}</ul>{% endfor %}
<h2>Issues</h2>{% for issue in issues %}<p><a href="/{{ project.url_path }}/issue/{{ issue.id }}">#{{ issue.id }}
{{ issue.title }}</a> {{ issue.status }}</p>{% else %}<p class="soft">None yet.</p>{% endfor %}"""

TALK = """<div class="card"><div class="top"><b>{{ first.user.name }}</b></div><pre>{{ text or "" }}</pre></div>
{% for comment in comments %}<div class="card" id="comment-{{ comment.id }}"><div class="top">
<b>{{ comment.user.name }}</b>{% if comment.notification %} (note){% endif %}</div>
<pre>{{ comment.comment }}</pre></div>
{% endfor %}"""

PULL = (
    FLAGS
    + """<h1>{{ first.title }} <span class="soft">#{{ first.id }}</span></h1>
<p><span class="pill">{{ first.status }}</span> <a href="/{{ project.url_path }}">{{ project.fullname }}</a>
<span class="soft">{{ first.user.name }} wants to merge {{ first.branch_from }} into {{ first.branch }},
<code>{{ first.commit_stop }}</code></span></p><h2>Flags</h2>{{ list(flags) }}<h2>Flags of the commit</h2>
{{ list(commit_flags) }}<h2>Discussion</h2>"""
    + TALK
)

ISSUE = (
    """<h1>{{ first.title }} <span class="soft">#{{ first.id }}</span></h1><p><span class="pill">{{ first.status }}
</span> <a href="/{{ project.url_path }}">{{ project.fullname }}</a></p>"""
    + TALK
)


def add_routes(app: Flask, pagure: "Pagure") -> None:
    """Add the pages to `app`."""

    @app.get("/")
    def page_projects() -> str:
        projects = [one for one in pagure.state.projects.values() if not one.private]
        return show("Pagure", "Projects", PROJECTS, projects=projects)

    @app.get("/_")
    @app.get("/_/")
    @app.get("/_/pull-requests")
    def page_project() -> str:
        project = project_here(pagure)
        logs = {branch: project.repository.log(branch) for branch in project.repository.branches()}
        return show(
            "Pagure",
            project.fullname,
            PROJECT,
            project=project,
            pulls=list(project.pull_requests.values()),
            issues=list(project.issues.values()),
            logs=logs,
        )

    @app.get("/_/pull-request/<int:number>")
    def page_pull(number: int) -> str:
        project = project_here(pagure)
        pull = pagure.state.pull_request(project.fullname, number)
        values: dict[str, Any] = {
            "first": pull,
            "text": pull.initial_comment,
            "comments": pull.comments,
            "flags": list(pull.flags.values()),
            "commit_flags": list(project.commit_flags.get(pull.commit_stop or "", {}).values()),
        }
        return show("Pagure", pull.title, PULL, project=project, refresh=5, **values)

    @app.get("/_/pull-request/<int:number>.patch")
    def page_patch(number: int) -> Response:
        project = project_here(pagure)
        pull = pagure.state.pull_request(project.fullname, number)
        text = f"From {pull.commit_stop}\nFrom: {pull.user.name}\nSubject: [PATCH] {pull.title}\n\n---\n"
        return Response(text, mimetype="text/plain")

    @app.get("/_/issue/<int:number>")
    def page_issue(number: int) -> str:
        project = project_here(pagure)
        issue = pagure.state.issue(project.fullname, number)
        return show(
            "Pagure",
            issue.title,
            ISSUE,
            project=project,
            first=issue,
            text=issue.content,
            comments=issue.comments,
        )

    @app.get("/_/raw/<path:ref>/f/<path:path>")
    def raw(ref: str, path: str) -> Response:
        repository = project_here(pagure).repository
        try:
            _, sha = repository.entries(ref)[path]
        except KeyError:
            raise PagureError(404, "File not found", "EFILENOTFOUND") from None
        return Response(repository.read(sha)[1], mimetype="text/plain")

    @app.get("/_/c/<sha>")
    def page_commit(sha: str) -> Response:
        repository = project_here(pagure).repository
        found = repository.find(sha)
        if found is None:
            raise PagureError(404, "Commit not found", "ENOCOMMIT")
        return Response(repository.read(found)[1], mimetype="text/plain")
