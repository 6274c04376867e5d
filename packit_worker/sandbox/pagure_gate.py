"""Who calls the stand-in for Pagure, about which project, and how it refuses. Used inside the sandbox only."""

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

from packit_worker.sandbox.pagure_state import INVALID_TOKEN, PagureError, PagureProject, PagureUser

if TYPE_CHECKING:
    from packit_worker.sandbox.pagure import Pagure

NOT_ALLOWED = "You do not have sufficient permissions to perform this action"
INVALID = "Invalid or incomplete input submitted"
NEEDED = ["This field is required."]


def install(app: Flask) -> None:
    """Let `app` refuse as Pagure does."""

    @app.errorhandler(PagureError)
    def refuse(error: PagureError) -> Any:
        body: dict[str, Any] = {"error": error.message, "error_code": error.code}
        if error.errors:
            body["errors"] = error.errors
        return jsonify(body), error.status

    @app.errorhandler(HTTPException)
    def unknown(error: HTTPException) -> Any:
        if request.path.startswith("/api/"):
            return jsonify(error=error.description or error.name), error.code or 500
        return error.name, error.code or 500


def caller(pagure: "Pagure", *, needed: bool = True) -> PagureUser | None:
    """Who sends the token of the header Authorization. Raises PagureError 401 if nobody does and somebody has to."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    user = pagure.state.by_token(token) if scheme.lower() in ("token", "bearer") else None
    if user is None and needed:
        raise PagureError(401, INVALID_TOKEN.format(url=pagure.url), "EINVALIDTOK")
    return user


def somebody(pagure: "Pagure") -> PagureUser:
    """Who calls. Raises PagureError 401 for nobody."""
    user = caller(pagure)
    if user is None:
        raise PagureError(401, INVALID_TOKEN.format(url=pagure.url), "EINVALIDTOK")
    return user


def project_here(pagure: "Pagure") -> PagureProject:
    """The project the request is about, if the caller may see it. Raises PagureError 404."""
    project = pagure.state.project(request.environ.get("sandbox.project", ""))
    if project.private:
        user = caller(pagure, needed=False)
        if user is None or not pagure.state.may_commit(user, project):
            raise PagureError(404, "Project not found", "ENOPROJECT")
    return project


def committer(pagure: "Pagure", project: PagureProject) -> PagureUser:
    """Who calls, if they may commit to the project. Raises PagureError 401 or 403."""
    user = somebody(pagure)
    if not pagure.state.may_commit(user, project):
        raise PagureError(403, NOT_ALLOWED, "ENOTHIGHENOUGH")
    return user


def form(*needed: str) -> dict[str, str]:
    """What was sent, as a form or as JSON. Raises PagureError 400 if a field of `needed` is missing or empty."""
    sent = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    sent = {name: str(value) for name, value in (sent or {}).items() if value is not None}
    missing = {name: NEEDED for name in needed if not sent.get(name, "").strip()}
    if missing:
        raise PagureError(400, INVALID, "EINVALIDREQ", missing)
    return sent


def paged(items: list[Any], name: str, shape: Any, **more: Any) -> Any:
    """The page of a list the query asks for, twenty on each by default."""
    per_page = min(max(request.args.get("per_page", 20, int), 1), 100)
    page = max(request.args.get("page", 1, int), 1)
    pages = max(-(-len(items) // per_page), 1)
    here = items[(page - 1) * per_page : page * per_page]

    def link(number: int) -> str | None:
        return f"{request.base_url}?page={number}&per_page={per_page}" if 1 <= number <= pages else None

    pagination = {
        "first": link(1),
        "last": link(pages),
        "next": link(page + 1),
        "prev": link(page - 1),
        "page": page,
        "pages": pages,
        "per_page": per_page,
    }
    return jsonify(
        {name: [shape(item) for item in here], f"total_{name}": len(items), "pagination": pagination, **more}
    )
