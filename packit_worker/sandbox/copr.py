"""The stand-in for Copr: projects and builds that move by themselves or when told.

Used by tests, demo and control server.

A build begins with its source build, chroot ``srpm-builds``; when that succeeds its other chroots wait to be started.
Each start and end of a chroot is a message on the bus. Canceling a running chroot ends it with status 2.
"""

import time
from collections.abc import Sequence
from typing import Any

from flask import Flask, jsonify
from werkzeug.exceptions import HTTPException

from packit_worker.sandbox import copr_api, copr_builds_api, copr_pages
from packit_worker.sandbox.bus import Bus
from packit_worker.sandbox.copr_state import (
    FINISHED,
    MOCK_CHROOTS,
    SOURCE_CHROOT,
    STATUS,
    Build,
    ChrootState,
    CoprError,
    CoprState,
    Project,
    User,
    package_of,
)
from packit_worker.sandbox.recorder import Recorder, canonical
from packit_worker.sandbox.scheduler import Scheduler
from packit_worker.sandbox.server import locked

TOPIC = "org.fedoraproject.prod.copr.build"
STEPS = 4
"""Source build and chroots each start and end: four steps in `build_seconds`."""


class Copr:
    """A Copr. All methods may be called from any thread."""

    username = "packit"
    login = "sandbox-login"
    token = "sandbox-token"

    def __init__(
        self,
        recorder: Recorder,
        scheduler: Scheduler,
        bus: Bus,
        *,
        auto: bool = True,
        build_seconds: float = 1.0,
    ) -> None:
        self.url = ""
        self.recorder = recorder
        self.auto = auto
        self.build_seconds = build_seconds
        self.state = CoprState()
        self.mock_chroots: list[str] = []
        self.outcomes: dict[str, str] = {}
        """For auto mode: chroot, project name or ``owner/project`` -> ``failed``, ``canceled``, ``stuck``."""
        self.packages: dict[str, tuple[str, str]] = {}
        """Project name -> name and version of the package its builds have."""
        self._scheduler = scheduler
        self._bus = bus
        app = Flask(__name__)
        app.json.sort_keys = False  # type: ignore[attr-defined]
        app.register_error_handler(CoprError, _refuse)
        app.register_error_handler(HTTPException, _unknown)
        for routes in (copr_api, copr_builds_api, copr_pages):
            routes.add_routes(app, self)
        self.wsgi = locked(app, self.state.lock)
        self.reset()

    def reset(self) -> None:
        """Empty again; the address and the sandbox's own user stay."""
        with self.state.lock:
            self.state.clear()
            self.outcomes.clear()
            self.packages.clear()
            self.mock_chroots[:] = MOCK_CHROOTS
            self.add_user(self.username, self.login, self.token)

    def add_user(
        self, name: str, login: str, token: str, *, groups: Sequence[str] = (), admin: bool = False
    ) -> User:
        """Somebody with an API token; `groups` are named without ``@``."""
        with self.state.lock:
            user = User(name, login, token, tuple(groups), admin)
            self.state.users[login] = user
            return user

    def add_project(
        self,
        ownername: str,
        name: str,
        *,
        chroots: Sequence[str] = ("fedora-rawhide-x86_64",),
        **settings: Any,
    ) -> Project:
        """A project; `settings` as in the client's `ProjectProxy.add`."""
        with self.state.lock:
            project = Project(self.state.next_project_id(), ownername, name, list(chroots), settings)
            self.state.projects[project.full_name] = project
            return project

    def grant(self, ownername: str, name: str, user: str, permission: str = "builder") -> None:
        """Approve a permission, ``builder`` or ``admin``, in a project."""
        with self.state.lock:
            project = self.state.project(ownername, name)
            project.permissions.setdefault(user, {})[permission] = "approved"

    def project(self, ownername: str, name: str) -> Project:
        """A project with its recorded settings. Raises CoprError."""
        with self.state.lock:
            return self.state.project(ownername, name)

    @property
    def builds(self) -> list[Build]:
        """All builds, oldest first."""
        with self.state.lock:
            return list(self.state.builds.values())

    def build(self, build_id: int) -> Build:
        """One build. Raises CoprError."""
        with self.state.lock:
            return self.state.build(build_id)

    def create(
        self,
        project: Project,
        submitter: str,
        source: dict[str, Any],
        chroots: Sequence[str],
        *,
        background: bool = False,
        enable_net: bool = False,
        dirname: str | None = None,
    ) -> Build:
        """A new build, which in auto mode will run."""
        with self.state.lock:
            number = self.state.first_build + len(self.state.builds)
            name, version = self.packages.get(project.name) or (package_of(project.name, source), "0.1-1")
            build = Build(
                id=number,
                ownername=project.ownername,
                projectname=project.name,
                submitter=submitter,
                source=source,
                package_name=name,
                package_version=version,
                states={chroot: ChrootState() for chroot in chroots},
                background=background,
                enable_net=enable_net,
                project_dirname=dirname or project.name,
            )
            self.state.builds[number] = build
            self.recorder.count(
                "copr_build", build.project, canonical({**source, "chroots": sorted(chroots)})
            )
        if self.auto:
            self._scheduler.after(self.build_seconds / STEPS, lambda: self._run(build, SOURCE_CHROOT))
        return build

    def start(self, build_id: int, chroot: str) -> None:
        """Start a chroot (``srpm-builds``: the source build). Nothing happens if it did before. Raises CoprError."""
        with self.state.lock:
            build = self.state.build(build_id)
            state = build.chroot(chroot)
            if state.state in (*FINISHED, "running"):
                return
            if chroot != SOURCE_CHROOT and build.source_state.state != "succeeded":
                self.finish(build_id, SOURCE_CHROOT)
            state.state, state.started_on = "running", int(time.time())
            self._publish("start", build, chroot, "running")

    def finish(self, build_id: int, chroot: str, succeeded: bool = True, *, state: str | None = None) -> None:
        """End a chroot, starting it first if need be. Nothing happens if it has ended. Raises CoprError."""
        with self.state.lock:
            build = self.state.build(build_id)
            if build.chroot(chroot).state in FINISHED:
                return
            self.start(build_id, chroot)
            end = state or ("succeeded" if succeeded else "failed")
            ended = build.chroot(chroot)
            ended.state, ended.ended_on = end, int(time.time())
            if chroot == SOURCE_CHROOT:
                for waiting in build.states.values():
                    waiting.state = "pending" if end == "succeeded" else end
                    waiting.ended_on = None if end == "succeeded" else ended.ended_on
            self._publish("end", build, chroot, end)

    def finish_all(self, build_id: int, succeeded: bool = True) -> None:
        """End the source build well, and all chroots. Raises CoprError."""
        self.finish(build_id, SOURCE_CHROOT)
        for chroot in self.build(build_id).chroots:
            self.finish(build_id, chroot, succeeded)

    def cancel(self, build_id: int) -> Build:
        """Cancel what has not ended. Raises CoprError 400 for a finished build."""
        with self.state.lock:
            build = self.state.build(build_id)
            if build.state in FINISHED:
                raise CoprError(400, f"Cannot cancel build {build_id}")
            for name, chroot in ((SOURCE_CHROOT, build.source_state), *build.states.items()):
                if chroot.state in FINISHED:
                    continue
                running = chroot.state == "running"
                chroot.state, chroot.ended_on = "canceled", int(time.time())
                if running:
                    self._publish("end", build, name, "canceled")
            return build

    def _run(self, build: Build, chroot: str) -> None:
        """Auto mode: start a chroot now and end it a step later."""
        with self.state.lock:
            if build.deleted or build.chroot(chroot).state in FINISHED:
                return
            self.start(build.id, chroot)
        self._scheduler.after(self.build_seconds / STEPS, lambda: self._end(build, chroot))

    def _end(self, build: Build, chroot: str) -> None:
        outcome = self.outcomes.get(chroot)
        if outcome is None and chroot != SOURCE_CHROOT:
            outcome = self.outcomes.get(build.projectname) or self.outcomes.get(build.project)
        outcome = outcome or "succeeded"
        with self.state.lock:
            if outcome == "stuck" or build.deleted or build.chroot(chroot).state in FINISHED:
                return
            self.finish(build.id, chroot, state=outcome)
        if chroot == SOURCE_CHROOT and outcome == "succeeded":
            for name in build.chroots:
                self._scheduler.after(self.build_seconds / STEPS, lambda name=name: self._run(build, name))  # type: ignore[misc]

    def _publish(self, kind: str, build: Build, chroot: str, state: str) -> None:
        """The message of a start or an end, with the fields real ones have."""
        known = chroot != SOURCE_CHROOT or (kind == "end" and state == "succeeded")
        package, version = (build.package_name, build.package_version) if known else (None, None)
        pid, ip = 1000 + build.id % 30_000, "127.0.0.1"
        what = f"build {kind}: user:{build.submitter} copr:{build.projectname} pkg:{package} build:{build.id}"
        if kind == "start":
            what += f" ip:{ip} pid:{pid}"
        else:
            what += f" version:{version} ip:{ip} pid:{pid} status:{STATUS[state]}"
        body = {
            "build": build.id,
            "chroot": chroot,
            "copr": build.projectname,
            "ip": ip,
            "owner": build.ownername,
            "pid": pid,
            "pkg": package,
            "status": STATUS[state],
            "user": build.submitter,
            "version": version,
            "what": what,
            "who": f"backend.worker-rpm_build_worker:{build.id}-{chroot}",
        }
        self._bus.publish(f"{TOPIC}.{kind}", body)


def _refuse(error: CoprError) -> Any:
    return jsonify(output="notok", error=error.message), error.status


def _unknown(error: HTTPException) -> Any:
    return jsonify(output="notok", error=error.description or error.name), error.code or 500
