"""Builds and build chroots of Copr's API v3. Used inside the sandbox only.

Source: https://copr.fedorainfracloud.org/api_3/docs and the Python client of that API, `copr.v3`.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from packit_worker.sandbox.copr_api import caller, needed, paged, sent_json
from packit_worker.sandbox.copr_state import Build, CoprError, Project, may

if TYPE_CHECKING:
    from packit_worker.sandbox.copr import Copr

NOT_ALLOWED = "You don't have permissions to build in this copr."
BUILD_OPTIONS = [
    "chroots",
    "exclude_chroots",
    "ownername",
    "projectname",
    "project_dirname",
    "background",
    "timeout",
    "enable_net",
    "after_build_id",
    "with_build_id",
    "bootstrap",
    "isolation",
    "memory_limit",
    "memory",
    "packit_forge_project",
]


def add_routes(app: Flask, copr: "Copr") -> None:
    """Add the routes to `app`."""
    state = copr.state

    def shape(build: Build) -> dict[str, Any]:
        known = build.source_state.state == "succeeded"
        host = f"{copr.url}/results/{build.project}"
        return {
            "chroots": list(build.states),
            "ended_on": build.ended_on,
            "id": build.id,
            "is_background": build.background,
            "ownername": build.ownername,
            "project_dirname": build.project_dirname,
            "projectname": build.projectname,
            "repo_url": host,
            "source_package": {
                "name": build.package_name if known else None,
                "version": build.package_version if known else None,
                "url": f"{host}/srpm-builds/{build.id:08}/{build.package_name}-{build.package_version}.src.rpm"
                if known
                else None,
            },
            "started_on": build.source_state.started_on,
            "state": build.state,
            "submitted_on": build.submitted_on,
            "submitter": build.submitter,
        }

    def chroot_shape(build: Build, name: str) -> dict[str, Any]:
        chroot = build.chroot(name)
        return {
            "name": name,
            "state": chroot.state,
            "started_on": chroot.started_on,
            "ended_on": chroot.ended_on,
            "result_url": result_url(copr.url, build, name) if chroot.started_on else None,
        }

    def create(source: dict[str, Any], sent: dict[str, Any]) -> Build:
        user = caller(copr)
        project = state.project(str(sent.get("ownername")), str(sent.get("projectname")))
        if not may(user, project, "builder"):
            raise CoprError(403, NOT_ALLOWED)
        return copr.create(
            project,
            user.name,
            source,
            wanted_chroots(project, sent),
            background=_true(sent.get("background")),
            enable_net=_true(sent.get("enable_net")),
            dirname=sent.get("project_dirname"),
        )

    @app.post("/api_3/build/create/<any(custom,scm,distgit,pypi,rubygems):kind>")
    def create_build(kind: str) -> Any:
        sent = sent_json()
        source = {key: value for key, value in sent.items() if key not in BUILD_OPTIONS and value is not None}
        if kind == "custom" and not source.get("script"):
            raise CoprError(400, "script: This field is required.")
        if kind == "scm" and not source.get("clone_url"):
            raise CoprError(400, "clone_url: This field is required.")
        return jsonify(shape(create({"type": kind, **source}, sent)))

    @app.post("/api_3/build/create/url")
    def create_from_urls() -> Any:
        sent = sent_json()
        urls = sent.get("pkgs")
        if not isinstance(urls, list) or not urls:
            raise CoprError(400, "pkgs: This field is required.")
        builds = [create({"type": "link", "url": url, "file": url}, sent) for url in urls]
        meta = {"limit": None, "offset": 0, "order": "id", "order_type": "ASC"}
        return jsonify(items=[shape(build) for build in builds], meta=meta)

    @app.post("/api_3/build/create/upload")
    def create_from_upload() -> Any:
        sent, upload = sent_json(), request.files.get("pkgs")
        if upload is None:
            raise CoprError(400, "pkgs: This field is required.")
        name = upload.filename or ""
        if not name.endswith((".src.rpm", ".nosrc.rpm", ".spec")):
            raise CoprError(400, "pkgs: SRPM or specfile files only!")
        return jsonify(shape(create({"type": "upload", "file": name, "bytes": len(upload.read())}, sent)))

    @app.post("/api_3/build/check-before-build")
    def check_before_build() -> Any:
        user, sent = caller(copr), sent_json()
        project = state.project(str(sent.get("ownername")), str(sent.get("projectname")))
        if not may(user, project, "builder"):
            raise CoprError(403, NOT_ALLOWED)
        wanted_chroots(project, sent)
        return jsonify(message="It should be safe to submit a build like this")

    @app.get("/api_3/build/<int:number>")
    @app.get("/api_3/build/<int:number>/")
    def get_build(number: int) -> Any:
        return jsonify(shape(state.build(number)))

    @app.get("/api_3/build/list")
    @app.get("/api_3/build/list/")
    def list_builds() -> Any:
        project = state.project(needed("ownername"), needed("projectname"))
        package, status = request.args.get("packagename"), request.args.get("status")
        found = [
            shape(build)
            for build in state.builds.values()
            if build.project == project.full_name
            and not build.deleted
            and package in (None, "", build.package_name)
            and status in (None, "", build.state)
        ]
        return paged(found)

    def own(number: int, doing: str) -> Build:
        user, build = caller(copr), state.build(number)
        if user.name != build.submitter and not may(
            user, state.project(build.ownername, build.projectname), "admin"
        ):
            raise CoprError(403, f"You are not allowed to {doing} this build.")
        return build

    @app.put("/api_3/build/cancel/<int:number>")
    def cancel_build(number: int) -> Any:
        return jsonify(shape(copr.cancel(own(number, "cancel").id)))

    @app.delete("/api_3/build/delete/<int:number>")
    def delete_build(number: int) -> Any:
        build = own(number, "delete")
        build.deleted = True
        return jsonify(shape(build))

    @app.delete("/api_3/build/delete/list")
    def delete_builds() -> Any:
        builds = [own(int(number), "delete") for number in sent_json().get("builds", [])]
        for build in builds:
            build.deleted = True
        return jsonify(builds=[build.id for build in builds])

    @app.get("/api_3/build/source-chroot/<int:number>")
    def source_chroot(number: int) -> Any:
        return jsonify(chroot_shape(state.build(number), "srpm-builds"))

    @app.get("/api_3/build/source-build-config/<int:number>")
    def source_config(number: int) -> Any:
        build = state.build(number)
        return jsonify(
            source_type=build.source["type"],
            source_dict={key: value for key, value in build.source.items() if key != "type"},
            memory_limit=2048,
            timeout=18000,
            is_background=build.background,
        )

    @app.get("/api_3/build/built-packages/<int:number>")
    def built_packages(number: int) -> Any:
        build = state.build(number)
        return jsonify({name: {"packages": packages(build, name)} for name in build.states})

    @app.get("/api_3/build-chroot")
    @app.get("/api_3/build-chroot/")
    def get_build_chroot() -> Any:
        return jsonify(chroot_shape(state.build(_number("build_id")), needed("chrootname")))

    @app.get("/api_3/build-chroot/list")
    @app.get("/api_3/build-chroot/list/<int:number>")
    def list_chroots(number: int | None = None) -> Any:
        build = state.build(number or _number("build_id"))
        return paged([chroot_shape(build, name) for name in build.states])

    @app.get("/api_3/build-chroot/build-config")
    def chroot_config() -> Any:
        build, name = state.build(_number("build_id")), needed("chrootname")
        build.chroot(name)
        return jsonify(
            chroot=name, repos=[], additional_packages=[], enable_net=build.enable_net, timeout=18000
        )

    @app.get("/api_3/build-chroot/built-packages")
    def chroot_packages() -> Any:
        return jsonify(packages=packages(state.build(_number("build_id")), needed("chrootname")))


def result_url(url: str, build: Build, chroot: str) -> str:
    """The directory of a chroot's results; for the source build that of its log and SRPM."""
    end = f"{build.id:08}" if chroot == "srpm-builds" else f"{build.id:08}-{build.package_name}"
    return f"{url}/results/{build.project}/{chroot}/{end}/"


def packages(build: Build, chroot: str) -> list[dict[str, Any]]:
    """The packages a chroot has built: the source package and one for its architecture."""
    if build.chroot(chroot).state != "succeeded":
        return []
    version, _, release = build.package_version.partition("-")
    arches = ("src", chroot.rpartition("-")[2])
    return [
        {"name": build.package_name, "epoch": 0, "version": version, "release": release, "arch": arch}
        for arch in arches
    ]


def wanted_chroots(project: Project, sent: dict[str, Any]) -> list[str]:
    """The chroots to build in: those named, or all of the project. Raises CoprError 400 for one it does not have."""
    named = sent.get("chroots") or []
    unknown = [name for name in named if name not in project.chroots]
    if unknown:
        raise CoprError(400, f"chroots: {', '.join(map(repr, unknown))} is not a valid choice for this field")
    excluded = sent.get("exclude_chroots") or []
    return [name for name in project.chroots if (not named or name in named) and name not in excluded]


def _number(name: str) -> int:
    value = needed(name)
    if not value.isdigit():
        raise CoprError(400, f"{name}: Not a valid integer")
    return int(value)


def _true(value: Any) -> bool:
    return value in (True, "true", "True", 1, "y")
