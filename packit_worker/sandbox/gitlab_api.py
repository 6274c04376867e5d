"""Users, projects, files, members, refs and releases of GitLab's API. Used inside the sandbox only.

Source: https://docs.gitlab.com/api/rest/. In front of the routes, ``_`` stands for the project (see `GitLab`).
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from packit_worker.sandbox import gitlab_gate
from packit_worker.sandbox.gitlab_gate import paged, project_here, somebody
from packit_worker.sandbox.gitlab_state import GitLabError, GitLabProject

if TYPE_CHECKING:
    from packit_worker.sandbox.gitlab import GitLab

API = "/api/v4"
HERE = f"{API}/projects/_"


def add_routes(app: Flask, gitlab: "GitLab") -> None:
    """Add the routes to `app`."""
    state = gitlab.state
    gitlab_gate.install(app)

    @app.get(f"{API}/user")
    def user() -> Any:
        return jsonify(gitlab.shapes().user(somebody(gitlab)))

    @app.get(HERE)
    def project() -> Any:
        return jsonify(gitlab.shapes().project(project_here(gitlab)))

    @app.get(f"{HERE}/members/all")
    def members() -> Any:
        found = project_here(gitlab)
        asked = request.args.get("query", "").lower()
        return paged(
            [
                {**gitlab.shapes().user(state.user(name)), "access_level": level}
                for name, level in found.members.items()
                if asked in name.lower()
            ]
        )

    @app.get(f"{HERE}/repository/tree")
    def tree() -> Any:
        found = project_here(gitlab)
        ref = request.args.get("ref", "HEAD")
        if found.repository.find(ref) is None:
            raise GitLabError(404, "404 Tree Not Found")
        content: dict[str, dict[str, str]] = {}
        for path in sorted(found.repository.entries(ref)):
            first, slash, _ = path.partition("/")
            content[first] = {"name": first, "path": first, "type": "tree" if slash else "blob"}
        return paged(list(content.values()))

    @app.get(f"{HERE}/repository/files/<path:path>/raw")
    def raw_file(path: str) -> Any:
        found = project_here(gitlab)
        ref = request.args.get("ref", "HEAD")
        if found.repository.find(ref) is None:
            raise GitLabError(404, "404 Commit Not Found")
        files = found.repository.files(ref)
        if path not in files:
            raise GitLabError(404, "404 File Not Found")
        return Response(files[path], content_type="text/plain; charset=utf-8")

    @app.get(f"{HERE}/repository/branches/<path:name>")
    def branch(name: str) -> Any:
        return _ref(project_here(gitlab), "heads", name)

    @app.get(f"{HERE}/repository/tags/<path:name>")
    def tag(name: str) -> Any:
        return _ref(project_here(gitlab), "tags", name)

    @app.get(f"{HERE}/repository/commits/<path:ref>")
    def commit(ref: str) -> Any:
        sha = project_here(gitlab).repository.find(ref)
        if sha is None:
            raise GitLabError(404, "404 Commit Not Found")
        return jsonify(id=sha, short_id=sha[:11])

    @app.get(f"{HERE}/releases")
    def releases() -> Any:
        found = project_here(gitlab)
        shapes = gitlab.shapes()
        return paged([shapes.release(found, release) for release in reversed(found.releases)])


def _ref(project: GitLabProject, kind: str, name: str) -> Any:
    sha = project.repository.find(f"refs/{kind}/{name}")
    if sha is None:
        raise GitLabError(404, f"404 {'Tag' if kind == 'tags' else 'Branch'} Not Found")
    return jsonify(name=name, commit={"id": sha})
