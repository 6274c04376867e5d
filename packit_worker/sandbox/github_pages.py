"""The web pages of the stand-in for GitHub: repositories, pull requests, issues.

Used inside the sandbox only.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from packit_worker.sandbox.github_state import (
    CheckRun,
    GitHubError,
    Issue,
    PullRequest,
    Repository,
)
from packit_worker.sandbox.page import show

if TYPE_CHECKING:
    from packit_worker.sandbox.github import GitHub

ICONS = {
    "success": "✓",
    "failure": "✗",
    "timed_out": "✗",
    "error": "✗",
    "cancelled": "⊘",
    "skipped": "⊘",
    "neutral": "■",
    "stale": "■",
    "action_required": "!",
    "queued": "○",
    "pending": "○",
    "in_progress": "◐",
}

REPOSITORIES = """<h1>Repositories</h1>
{% if repositories %}<ul class="list">{% for repository in repositories %}
<li><div class="grow"><a href="/{{ repository.full_name }}">{{ repository.full_name }}</a>
{% if repository.private %}<span class="pill">private</span>{% endif %}
{% if repository.fork_of %}<span class="pill">fork of {{ repository.fork_of }}</span>{% endif %}
<div class="soft">{{ repository.description or "" }}</div></div>
<span class="soft">{{ repository.issues|length }} issues and pull requests</span></li>{% endfor %}</ul>
{% else %}<p class="soft">No repository yet.</p>{% endif %}"""

REPOSITORY = """<h1>{{ repository.full_name }}</h1><p class="soft">{{ repository.description or "" }}
default branch {{ repository.default_branch }}</p>
<h2>Pull requests and issues</h2>
{% if issues %}<ul class="list">{% for issue in issues %}
<li><span class="icon {{ 'success' if issue.state == 'open' else 'neutral' }}">●</span><div class="grow">
<a href="/{{ repository.full_name }}/{{ 'pull' if issue.is_pull_request else 'issues' }}/{{ issue.number }}">
{{ issue.title }}</a><div class="soft">#{{ issue.number }} by {{ issue.author.login if issue.author else "ghost" }},
{{ issue.state }}, {{ issue.comments|length }} comments</div></div></li>{% endfor %}</ul>
{% else %}<p class="soft">None yet.</p>{% endif %}
{% if repository.releases %}<h2>Releases</h2><ul class="list">{% for release in repository.releases|reverse %}
<li><b>{{ release.tag_name }}</b><div class="grow">{{ release.name }}</div></li>{% endfor %}</ul>{% endif %}"""

CHECKS = """{% if checks %}<ul class="list">{% for check in checks %}{% set state = check.conclusion or check.status %}
<li id="check-{{ check.id }}"><span class="icon {{ state }}" title="{{ state }}">{{ icons.get(state, "?") }}</span>
<div class="grow"><b>{{ check.name }}</b> <span class="{{ state }}">{{ state.replace("_", " ") }}</span>
<div>{{ check.output.title or "" }}</div><div class="soft text">{{ check.output.summary or "" }}</div></div>
<span class="soft">{{ check.completed_at or check.started_at }}</span>
{% if check.details_url %}<a href="{{ check.details_url }}" rel="noopener">Details</a>{% endif %}</li>
{% endfor %}{% for status in statuses %}<li><span class="icon {{ status.state }}">{{ icons[status.state] }}</span>
<div class="grow"><b>{{ status.context }}</b> <span class="{{ status.state }}">{{ status.state }}</span>
<div class="soft">{{ status.description or "" }}</div></div><span class="soft">{{ status.created_at }}</span>
{% if status.target_url %}<a href="{{ status.target_url }}" rel="noopener">Details</a>{% endif %}</li>{% endfor %}</ul>
{% else %}<p class="soft">No checks for {{ sha[:12] }} yet.</p>{% endif %}"""

ISSUE = (
    """<h1>{{ issue.title }} <span class="soft">#{{ issue.number }}</span></h1>
<p><span class="pill {{ 'success' if issue.state == 'open' else 'neutral' }}">
{{ "draft" if issue.is_pull_request and issue.draft else issue.state }}</span>
<a href="/{{ issue.repository }}">{{ issue.repository }}</a>
<span class="soft">by {{ issue.author.login if issue.author else "ghost" }}
{% if issue.is_pull_request %}from {{ issue.head_owner or "unknown repository" }}:{{ issue.head_branch }}
into {{ issue.base_branch }}, at {{ issue.head_sha[:12] }}{% endif %}</span>
{% for label in issue.labels %}<span class="pill">{{ label }}</span> {% endfor %}</p>
{% if issue.body %}<div class="card"><pre>{{ issue.body }}</pre></div>{% endif %}
{% if issue.is_pull_request %}<h2>Checks</h2>"""
    + CHECKS
    + """{% endif %}
<h2>Comments</h2>{% for comment in issue.comments %}<div class="card" id="issuecomment-{{ comment.id }}">
<div class="top"><b>{{ comment.author.login if comment.author else "ghost" }}</b> {{ comment.created_at }}
{% if comment.writes > 1 %}(edited){% endif %}
{% for reaction in comment.reactions %}<span class="pill">{{ reaction.content }}</span> {% endfor %}</div>
<pre>{{ comment.body }}</pre></div>{% else %}<p class="soft">No comments yet.</p>{% endfor %}"""
)

CHECK = (
    """<h1>{{ check.name }}</h1><p class="soft"><a href="/{{ check.repository }}">{{ check.repository }}</a>
at {{ check.head_sha[:12] }}</p>"""
    + CHECKS
    + """{% if check.output.text %}<div class="card"><pre>{{ check.output.text }}</pre></div>{% endif %}
<h2>History</h2><table><tr><th>At</th><th>State</th><th>Title</th></tr>{% for step in check.history %}
<tr><td>{{ step.at }}</td><td>{{ step.conclusion or step.status }}</td><td>{{ step.title or "" }}</td></tr>{% endfor %}
</table>"""
)


def add_routes(app: Flask, github: "GitHub") -> None:
    """Add the pages to `app`. Their endpoints begin with ``page_``: no token is needed to see them."""
    state = github.state

    def page(title: str, body: str, **values: Any) -> str:
        return show("GitHub", title, body, icons=ICONS, **values)

    @app.get("/")
    def page_repositories() -> str:
        repositories = sorted(state.repositories.values(), key=lambda one: one.full_name)
        return page("Repositories", REPOSITORIES, repositories=repositories)

    @app.get("/<owner>/<name>")
    def page_repository(owner: str, name: str) -> str:
        repository = state.repository(f"{owner}/{name}")
        issues = sorted(repository.issues.values(), key=lambda issue: -issue.number)
        return page(repository.full_name, REPOSITORY, repository=repository, issues=issues)

    @app.get("/<owner>/<name>/pull/<int:number>")
    @app.get("/<owner>/<name>/issues/<int:number>")
    def page_issue(owner: str, name: str, number: int) -> str:
        repository = state.repository(f"{owner}/{name}")
        issue = state.issue(repository.full_name, number)
        sha = _head(issue)
        checks, statuses = _newest(repository, sha)
        title = f"{issue.title} #{number}"
        moving = issue.state == "open" and any(check.status != "completed" for check in checks)
        return page(
            title,
            ISSUE,
            issue=issue,
            checks=checks,
            statuses=statuses,
            sha=sha,
            refresh=3 if moving else None,
        )

    @app.get("/<owner>/<name>/raw/<ref>/<path:path>")
    def page_raw(owner: str, name: str, ref: str, path: str) -> Response:
        commit = state.repository(f"{owner}/{name}").find(ref)
        if commit is None or path not in commit.files:
            raise GitHubError(404, "Not Found")
        return Response(commit.files[path], mimetype="text/plain")

    @app.get("/<owner>/<name>/runs/<int:number>")
    def page_check(owner: str, name: str, number: int) -> str:
        repository = state.repository(f"{owner}/{name}")
        if number not in repository.checks:
            raise GitHubError(404, "Not Found")
        check = repository.checks[number]
        return page(check.name, CHECK, check=check, checks=[check], statuses=[], sha=check.head_sha)


def _head(issue: Issue) -> str:
    return issue.head_sha if isinstance(issue, PullRequest) else ""


def _newest(repository: Repository, sha: str) -> tuple[list[CheckRun], list[Any]]:
    """The newest check run of each name and the newest status of each context."""
    checks = {check.name: check for check in repository.checks.values() if check.head_sha == sha}
    statuses = {status.context: status for status in repository.statuses.get(sha, [])}
    return sorted(checks.values(), key=lambda check: check.name), list(statuses.values())
