"""Who calls the stand-in for GitLab, about which project, and how it refuses. Used inside the sandbox only."""

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

from packit_worker.sandbox.gitlab_state import GitLabError, GitLabProject, GitLabUser

if TYPE_CHECKING:
    from packit_worker.sandbox.gitlab import GitLab

PROJECT = "sandbox.project"
"""Where the path or number of the project a request is about stands in its environment."""


def install(app: Flask) -> None:
    """Let `app` refuse as GitLab does."""

    @app.errorhandler(GitLabError)
    def refuse(error: GitLabError) -> Any:
        return jsonify({error.field: error.message}), error.status

    @app.errorhandler(HTTPException)
    def unknown(error: HTTPException) -> Any:
        return jsonify(error=f"{error.code} {error.name}"), error.code or 500


def caller(gitlab: "GitLab") -> GitLabUser | None:
    """Who sends a token; None for nobody. Raises GitLabError 401 for a token that is nobody's."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = request.headers.get("PRIVATE-TOKEN") or (bearer if scheme.lower() == "bearer" else "")
    user = gitlab.state.by_token(token)
    if token and user is None:
        raise GitLabError(401, "401 Unauthorized")
    return user


def somebody(gitlab: "GitLab") -> GitLabUser:
    """Who calls. Raises GitLabError 401 for nobody."""
    user = caller(gitlab)
    if user is None:
        raise GitLabError(401, "401 Unauthorized")
    return user


def project_here(gitlab: "GitLab") -> GitLabProject:
    """The project the request is about, if the caller may see it. Raises GitLabError 404."""
    user = caller(gitlab)
    project = gitlab.state.project(request.environ.get(PROJECT, ""))
    if not gitlab.state.may_read(user, project):
        raise GitLabError(404, "404 Project Not Found")
    return project


def member(gitlab: "GitLab", project: GitLabProject, level: int) -> GitLabUser:
    """Who calls, if they have this access level at least. Raises GitLabError 401 or 403."""
    user = somebody(gitlab)
    if gitlab.state.level(user, project) < level:
        raise GitLabError(403, "403 Forbidden")
    return user


def sent(*needed: str) -> dict[str, Any]:
    """What was sent, as JSON or as a form. Raises GitLabError 400 if a field of `needed` is missing."""
    told = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    told = {**request.args.to_dict(), **(told or {})}
    for name in needed:
        if not told.get(name):
            raise GitLabError(400, f"{name} is missing", "error")
    return told


def paged(items: list[Any]) -> Any:
    """The page of a list the query asks for, twenty on each by default, with GitLab's headers."""
    per_page = min(max(request.args.get("per_page", 20, int), 1), 100)
    page = max(request.args.get("page", 1, int), 1)
    pages = max(-(-len(items) // per_page), 1)
    answer = jsonify(items[(page - 1) * per_page : page * per_page])
    answer.headers["X-Page"], answer.headers["X-Per-Page"] = str(page), str(per_page)
    answer.headers["X-Total"], answer.headers["X-Total-Pages"] = str(len(items)), str(pages)
    if page < pages:
        # The raw address: the project's path in it is one part, with %2F.
        address = request.environ.get("sandbox.address", request.base_url)
        others = "".join(
            f"&{name}={value}" for name, value in request.args.items() if name not in ("page", "per_page")
        )
        answer.headers["Link"] = f'<{address}?page={page + 1}&per_page={per_page}{others}>; rel="next"'
    return answer
