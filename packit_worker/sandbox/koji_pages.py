"""The web pages and logs of the stand-in for Koji. Used inside the sandbox only."""

from typing import TYPE_CHECKING

from flask import Flask, Response, abort, request

from packit_worker.sandbox.koji_state import KojiFault
from packit_worker.sandbox.page import show

if TYPE_CHECKING:
    from packit_worker.sandbox.koji import Koji

ICONS = {"CLOSED": "success", "FAILED": "failed", "CANCELED": "canceled", "OPEN": "running", "FREE": "queued"}

TASKS = """<h1>Tasks</h1>{% if tasks %}<ul class="list">{% for task in tasks|reverse %}<li>
<span class="icon {{ icons[task.state] }}">●</span><div class="grow">
<a href="/koji/taskinfo?taskID={{ task.id }}">{{ task.id }}</a> {{ task.method }} {{ task.request[0] }}
<span class="soft">{{ task.target }}{% if task.scratch %}, scratch{% endif %}</span></div>
<span class="{{ icons[task.state] }}">{{ task.state }}</span></li>{% endfor %}</ul>
{% else %}<p class="soft">No task yet.</p>{% endif %}"""

TASK = """<h1>Task {{ task.id }} <span class="{{ icons[task.state] }}">{{ task.state }}</span></h1>
<p>{{ task.method }} <span class="soft">by {{ task.owner.name }}{% if task.parent %}, part of
<a href="/koji/taskinfo?taskID={{ task.parent.id }}">{{ task.parent.id }}</a>{% endif %}</span></p>
{% if task.build %}<p>Build <a href="/koji/buildinfo?buildID={{ task.build.id }}">{{ task.build.nvr }}</a></p>
{% endif %}<h2>Request</h2><pre>{{ task.request|tojson(indent=1) }}</pre>{% if task.children %}<h2>Parts</h2>
<ul class="list">{% for child in task.children %}
<li><span class="icon {{ icons[child.state] }}">●</span><div class="grow">
<a href="/koji/taskinfo?taskID={{ child.id }}">{{ child.method }} {{ child.label }}</a></div>
{% if child.method == "buildArch" %}<a href="/work/tasks/{{ child.id % 10000 }}/{{ child.id }}/build.log">build.log</a>
{% endif %}</li>{% endfor %}</ul>{% endif %}{% if failure %}<h2>Result</h2><pre>{{ failure }}</pre>{% endif %}"""

BUILD = """<h1>{{ build.nvr }}</h1><p>{{ state }} <span class="soft">by {{ build.owner.name }}</span></p>
<p>Task <a href="/koji/taskinfo?taskID={{ build.task.id }}">{{ build.task.id }}</a></p>"""


def add_routes(app: Flask, koji: "Koji") -> None:
    """Add the pages to `app`."""
    state = koji.state

    @app.errorhandler(KojiFault)
    def refuse(fault: KojiFault) -> Response:
        return Response(f"{fault.message}\n", status=404, mimetype="text/plain")

    @app.get("/")
    @app.get("/koji/")
    @app.get("/koji/tasks")
    def page_tasks() -> str:
        tasks = [task for task in state.tasks.values() if task.parent is None]
        return show("Koji", "Tasks", TASKS, tasks=tasks, icons=ICONS)

    @app.get("/koji/taskinfo")
    def page_task() -> str:
        task = state.task(request.args.get("taskID", type=int))
        failure = task.result.message if isinstance(task.result, KojiFault) else ""
        return show("Koji", f"Task {task.id}", TASK, task=task, icons=ICONS, failure=failure, refresh=5)

    @app.get("/koji/buildinfo")
    def page_build() -> str:
        build = state.builds.get(request.args.get("buildID", 0, int))
        if build is None:
            abort(404)
        names = ("building", "complete", "deleted", "failed", "canceled")
        return show("Koji", build.nvr, BUILD, build=build, state=names[build.state])

    @app.get("/work/tasks/<int:shard>/<int:number>/<any('build.log','root.log','state.log'):file>")
    def log(shard: int, number: int, file: str) -> Response:
        task = state.task(number)
        if shard != number % 10000 or task.started is None:
            abort(404)
        text = f"Task {task.id}: {task.method} on {task.arch} of {task.request[0]}\n{file}\nState: {task.state}\n"
        return Response(text, mimetype="text/plain")
