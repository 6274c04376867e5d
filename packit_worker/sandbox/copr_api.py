"""Projects, chroots and permissions of Copr's API v3. Used inside the sandbox only.

Source: https://copr.fedorainfracloud.org/api_3/docs and the Python client of that API, `copr.v3`.
"""

import json
from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from packit_worker.sandbox.copr_state import CoprError, Project, User, may, owns

if TYPE_CHECKING:
    from packit_worker.sandbox.copr import Copr

NO_LOGIN = "Login invalid/expired. Please visit {url}/api to get or renew your API token."
ONLY_OWNERS = "Only owners and admins may update their projects."
SETTINGS_SHOWN = (
    "description",
    "instructions",
    "homepage",
    "contact",
    "devel_mode",
    "persistent",
    "unlisted_on_hp",
    "auto_prune",
    "enable_net",
    "module_hotfixes",
    "appstream",
    "fedora_review",
    "follow_fedora_branching",
    "delete_after_days",
    "packit_forge_projects_allowed",
    "repo_priority",
    "storage",
)


def caller(copr: "Copr") -> User:
    """The user whose login and token are sent with HTTP Basic. Raises CoprError 401."""
    sent = request.authorization
    user = copr.state.users.get(sent.username or "") if sent and sent.type == "basic" else None
    if user is None or sent is None or user.token != sent.password:
        raise CoprError(401, NO_LOGIN.format(url=copr.url))
    return user


def sent_json() -> dict[str, Any]:
    """What was sent: as JSON, or as the part ``json`` of a form with files. Raises CoprError 400."""
    part = request.files.get("json")
    raw = part.read() if part is not None else request.form.get("json") or request.get_data()
    try:
        value = json.loads(raw or b"{}")
    except ValueError:
        raise CoprError(400, "Bad request parameters: not JSON") from None
    return value if isinstance(value, dict) else {}


def paged(items: list[Any]) -> Any:
    """A page of a list: `offset` and `limit` of the query, repeated in ``meta``."""
    offset, limit = request.args.get("offset", 0, int), request.args.get("limit", type=int)
    meta = {
        "limit": limit,
        "offset": offset,
        "order": "id",
        "order_type": request.args.get("order_type", "ASC"),
    }
    if meta["order_type"] == "DESC":
        items = items[::-1]
    return jsonify(items=items[offset : None if limit is None else offset + limit], meta=meta)


def needed(name: str) -> str:
    """A parameter of the query. Raises CoprError 400."""
    value = request.args.get(name)
    if not value:
        raise CoprError(400, f"Missing argument {name}")
    return value


def add_routes(app: Flask, copr: "Copr") -> None:
    """Add the routes to `app`."""
    state = copr.state

    def shape(project: Project) -> dict[str, Any]:
        results = f"{copr.url}/results/{project.full_name}"
        return {
            "id": project.id,
            "name": project.name,
            "ownername": project.ownername,
            "full_name": project.full_name,
            "additional_repos": project.settings.get("additional_repos") or [],
            "chroot_repos": {chroot: f"{results}/{chroot}/" for chroot in project.chroots},
            "bootstrap": project.settings.get("bootstrap") or "default",
            "isolation": project.settings.get("isolation") or "default",
            **{name: project.settings.get(name) for name in SETTINGS_SHOWN},
        }

    def check_chroots(chroots: Any) -> list[str]:
        unknown = [name for name in chroots or [] if name not in copr.mock_chroots]
        if unknown:
            raise CoprError(
                400, f"chroots: {', '.join(map(repr, unknown))} is not a valid choice for this field"
            )
        return list(chroots or [])

    @app.get("/api_3/")
    def home() -> Any:
        return jsonify(name="copr", version="sandbox")

    @app.get("/api_3/auth-check")
    def auth_check() -> Any:
        return jsonify(name=caller(copr).name)

    @app.get("/api_3/project")
    @app.get("/api_3/project/")
    def get_project() -> Any:
        return jsonify(shape(state.project(needed("ownername"), needed("projectname"))))

    @app.get("/api_3/project/list")
    @app.get("/api_3/project/list/<ownername>")
    def list_projects(ownername: str | None = None) -> Any:
        owner = ownername or request.args.get("ownername")
        return paged([shape(one) for one in state.projects.values() if owner in (None, one.ownername)])

    @app.post("/api_3/project/add/<ownername>")
    def add_project(ownername: str) -> Any:
        user, sent = caller(copr), sent_json()
        name = sent.get("name")
        if not owns(user, ownername):
            raise CoprError(403, "You don't have permissions to create projects for this owner.")
        if not isinstance(name, str) or not name:
            raise CoprError(
                400, "name: Name must contain only letters, digits, underscores, dashes and dots."
            )
        known = state.projects.get(f"{ownername}/{name}")
        if known is not None:
            if request.args.get("exist_ok") in ("True", "true", "1"):
                return jsonify(shape(known))
            raise CoprError(400, f"name: You already have a project named '{name}'.")
        chroots = check_chroots(sent.get("chroots"))
        if not chroots:
            raise CoprError(400, "chroots: At least one chroot must be selected")
        settings = {key: value for key, value in sent.items() if key not in ("name", "chroots")}
        copr.recorder.count("copr_project", f"{ownername}/{name}")
        return jsonify(shape(copr.add_project(ownername, name, chroots=chroots, **settings)))

    @app.route("/api_3/project/edit/<ownername>/<name>", methods=["PUT", "POST"])
    def edit_project(ownername: str, name: str) -> Any:
        user, sent = caller(copr), sent_json()
        project = state.project(ownername, name)
        if not may(user, project, "admin"):
            raise CoprError(403, ONLY_OWNERS)
        if sent.get("chroots") is not None:
            project.chroots = check_chroots(sent["chroots"])
        if sent.get("repos") is not None:
            project.settings["additional_repos"] = sent["repos"]
        kept = {
            key: value for key, value in sent.items() if value is not None and key not in ("chroots", "repos")
        }
        project.settings |= kept
        project.edits += 1
        return jsonify(shape(project))

    @app.route("/api_3/project/delete/<ownername>/<name>", methods=["DELETE", "POST"])
    def delete_project(ownername: str, name: str) -> Any:
        user, project = caller(copr), state.project(ownername, name)
        if not may(user, project, "admin"):
            raise CoprError(403, "Only owners may delete their projects.")
        if not sent_json().get("verify"):
            raise CoprError(400, "verify: Please confirm the deletion")
        del state.projects[project.full_name]
        return jsonify(shape(project))

    @app.get("/api_3/project/permissions/can_build_in/<who>/<ownername>/<name>/")
    def can_build_in(who: str, ownername: str, name: str) -> Any:
        caller(copr)
        project = state.project(ownername, name)
        user = next((one for one in state.users.values() if one.name == who), User(who, "", ""))
        return jsonify(
            who=who, ownername=ownername, projectname=name, can_build_in=may(user, project, "builder")
        )

    @app.get("/api_3/project/permissions/get/<ownername>/<name>/")
    def get_permissions(ownername: str, name: str) -> Any:
        user, project = caller(copr), state.project(ownername, name)
        if not may(user, project, "admin"):
            raise CoprError(403, ONLY_OWNERS)
        return jsonify(permissions=project.permissions)

    @app.put("/api_3/project/permissions/set/<ownername>/<name>/")
    def set_permissions(ownername: str, name: str) -> Any:
        user, project = caller(copr), state.project(ownername, name)
        if not may(user, project, "admin"):
            raise CoprError(403, ONLY_OWNERS)
        for who, given in sent_json().items():
            project.permissions.setdefault(who, {}).update(given)
        return jsonify(updated=list(project.permissions))

    @app.put("/api_3/project/permissions/request/<ownername>/<name>/")
    def request_permissions(ownername: str, name: str) -> Any:
        user, project = caller(copr), state.project(ownername, name)
        given = project.permissions.setdefault(user.name, {})
        for permission, wanted in sent_json().items():
            if permission not in ("admin", "builder"):
                raise CoprError(400, f"invalid permission type '{permission}'")
            if given.get(permission) != "approved" or not wanted:
                given[permission] = "request" if wanted else "nothing"
            copr.recorder.count("copr_permission", project.full_name, user.name, permission)
        return jsonify(updated=True)

    @app.get("/api_3/project-chroot")
    @app.get("/api_3/project-chroot/")
    def get_chroot() -> Any:
        return jsonify(chroot_shape(needed("ownername"), needed("projectname"), needed("chrootname")))

    @app.get("/api_3/project-chroot/build-config")
    def get_chroot_config() -> Any:
        shown = chroot_shape(needed("ownername"), needed("projectname"), needed("chrootname"))
        return jsonify({"chroot": shown["mock_chroot"], "repos": [], **shown})

    @app.put("/api_3/project-chroot/edit/<ownername>/<name>/<chroot>")
    def edit_chroot(ownername: str, name: str, chroot: str) -> Any:
        user, project = caller(copr), state.project(ownername, name)
        if not may(user, project, "admin"):
            raise CoprError(403, ONLY_OWNERS)
        chroot_shape(ownername, name, chroot)
        kept = {key: value for key, value in sent_json().items() if value is not None}
        project.chroot_settings.setdefault(chroot, {}).update(kept)
        return jsonify(chroot_shape(ownername, name, chroot))

    def chroot_shape(ownername: str, name: str, chroot: str) -> dict[str, Any]:
        project = state.project(ownername, name)
        if chroot not in project.chroots:
            raise CoprError(404, f"No chroot {chroot} in project {project.full_name}")
        settings = project.chroot_settings.get(chroot, {})
        lists = ("additional_packages", "additional_repos", "additional_modules", "with_opts", "without_opts")
        return {
            "mock_chroot": chroot,
            "ownername": ownername,
            "projectname": name,
            "comps_name": None,
            "delete_after_days": None,
            "isolation": settings.get("isolation") or "unchanged",
            "bootstrap": settings.get("bootstrap") or "unchanged",
            **{key: settings.get(key) or [] for key in lists},
        }

    @app.get("/api_3/mock-chroots/list")
    def list_mock_chroots() -> Any:
        return jsonify(dict.fromkeys(copr.mock_chroots, ""))
