"""The stand-in for Koji: a hub the real library speaks with, tasks that move by themselves or when told.

Used by tests, demo and control server.

A task begins FREE; started it is OPEN and has its tasks for the SRPM and each architecture; finished it is CLOSED or
FAILED. As in Fedora, the bus is told of the states of scratch tasks, and of the builds of all others.
"""

import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask

from packit_worker.sandbox import koji_hub, koji_pages
from packit_worker.sandbox.bus import Bus
from packit_worker.sandbox.koji_json import build_message, task_message
from packit_worker.sandbox.koji_state import (
    BUILD_FAILED,
    FINISHED,
    KojiBuild,
    KojiFault,
    KojiState,
    KojiTask,
    KojiUser,
    Session,
    Target,
    package_of,
)
from packit_worker.sandbox.recorder import Recorder, canonical
from packit_worker.sandbox.scheduler import Scheduler
from packit_worker.sandbox.server import locked

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TOPIC = "org.fedoraproject.prod.buildsys"
TARGETS = {
    "rawhide": "fc45",
    "f44": "fc44",
    "f43": "fc43",
    "f42": "fc42",
    "eln": "eln",
    "epel10": "el10",
    "epel9": "el9",
}
"""The targets there are at first, each also with ``-candidate``: the end of their releases."""
COMPLETE, FAILED, CANCELED = 1, 3, 4


class Koji:
    """A Koji. All methods may be called from any thread."""

    username = "packit"
    password = "sandbox-koji-password"

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
        self.state = KojiState()
        self.outcomes: dict[str, str] = {}
        """For auto mode: target, package or SRPM name -> ``failed``, ``canceled``, ``stuck``."""
        self._scheduler = scheduler
        self._bus = bus
        app = Flask(__name__)
        for routes in (koji_hub, koji_pages):
            routes.add_routes(app, self)
        self.wsgi: WSGIApplication = locked(app, self.state.lock)
        self.reset()

    @property
    def hub_url(self) -> str:
        """The address of the hub."""
        return f"{self.url}/kojihub"

    def reset(self) -> None:
        """Empty again; the address and the sandbox's own user stay."""
        with self.state.lock:
            self.state.clear()
            self.outcomes.clear()
            self.add_user(self.username, self.password)
            for name, dist in TARGETS.items():
                self.add_target(name, dist)
                self.add_target(f"{name}-candidate", dist)

    def add_user(self, name: str, password: str, *, admin: bool = False) -> KojiUser:
        """Somebody who may log in and build."""
        with self.state.lock:
            user = KojiUser(4001 + len(self.state.users), name, password, admin)
            self.state.users[name] = user
            return user

    def add_target(self, name: str, dist: str, *, arches: Sequence[str] = ("x86_64",)) -> Target:
        """A target to build for; `dist` is the end of releases without its dot: ``fc43``."""
        with self.state.lock:
            number = 101 + len(self.state.targets)
            target = Target(number, name, f"{name}-build", f"{name}-updates", f".{dist}", tuple(arches))
            self.state.targets[name] = target
            return target

    def remove_target(self, name: str) -> None:
        """Let there be no such target any more."""
        with self.state.lock:
            self.state.targets.pop(name, None)

    def new_session(self, user: KojiUser) -> Session:
        """A login of a user."""
        with self.state.lock:
            session = Session(7001 + len(self.state.sessions), secrets.token_hex(14), user)
            self.state.sessions[session.id] = session
            return session

    def expire_sessions(self) -> None:
        """Let everybody have to log in again."""
        with self.state.lock:
            for session in self.state.sessions.values():
                session.expired = True

    @property
    def tasks(self) -> list[KojiTask]:
        """All tasks that were asked for, oldest first, without those they are made of."""
        with self.state.lock:
            return [task for task in self.state.tasks.values() if task.parent is None]

    @property
    def builds(self) -> list[KojiBuild]:
        """All builds that are kept, oldest first."""
        with self.state.lock:
            return list(self.state.builds.values())

    def task(self, task_id: int) -> KojiTask:
        """One task. Raises KojiFault."""
        with self.state.lock:
            return self.state.task(task_id)

    def create(self, user: KojiUser, source: str, target: str, options: dict[str, Any]) -> KojiTask:
        """A new task of the method ``build``, which in auto mode will run."""
        with self.state.lock:
            task = self.state.new_task("build", user, [source, target, options])
            counted = source if task.srpm is None else task.srpm
            self.recorder.count("koji_build", target, counted, canonical(options))
            self._tell(task, None)
        if self.auto:
            self._scheduler.after(self.build_seconds / 2, lambda: self._run(task))
        return task

    def start(self, task_id: int) -> None:
        """Let a task begin. Nothing happens if it did before. Raises KojiFault."""
        with self.state.lock:
            task = self.state.task(task_id)
            if task.state != "FREE":
                return
            target = self.state.targets.get(task.target)
            task.started = time.time()
            self._move(task, "OPEN")
            if target is None:
                self._fail(task, f"No such build target: {task.target}")
                return
            if not task.scratch and not self._begin_build(task, target.dist):
                return
            method = "rebuildSRPM" if task.srpm else "buildSRPMFromSCM"
            self._child(task, method, "noarch", "srpm", closed=True)
            for arch in target.arches:
                self._child(task, "buildArch", arch, arch)

    def finish(self, task_id: int, succeeded: bool = True, *, state: str | None = None) -> None:
        """End a task, starting it first if need be. Nothing happens if it has ended. Raises KojiFault."""
        with self.state.lock:
            self.start(task_id)
            task = self.state.task(task_id)
            if task.state in FINISHED:
                return
            end = state or ("CLOSED" if succeeded else "FAILED")
            for child in task.children:
                if child.state not in FINISHED:
                    child.state, child.completed = end, time.time()
                    child.started = child.started or child.created
            if end == "FAILED":
                self._fail(task, f"BuildError: error building package (arch {task.children[-1].arch})")
                return
            task.completed = time.time()
            task.result = {"rpms": [], "srpms": [task.srpm], "logs": []} if end == "CLOSED" else None
            self._move(task, end)
            self._end_build(task, COMPLETE if end == "CLOSED" else CANCELED)

    def cancel(self, task_id: int) -> None:
        """Cancel a task that has not ended. Raises KojiFault."""
        with self.state.lock:
            task = self.state.task(task_id)
            if task.state == "FREE":
                task.completed = time.time()
                self._move(task, "CANCELED")
            elif task.state not in FINISHED:
                self.finish(task_id, state="CANCELED")

    def _child(self, task: KojiTask, method: str, arch: str, label: str, *, closed: bool = False) -> None:
        child = self.state.new_task(method, task.owner, task.request[:2], parent=task, arch=arch, label=label)
        child.state, child.started = ("CLOSED" if closed else "OPEN"), time.time()
        child.completed = time.time() if closed else None

    def _fail(self, task: KojiTask, why: str) -> None:
        task.completed, task.result = time.time(), KojiFault(why, BUILD_FAILED)
        self._move(task, "FAILED")
        self._end_build(task, FAILED)

    def _begin_build(self, task: KojiTask, dist: str) -> bool:
        """Let there be a build of the task, a failed one begin again; False if it is there already."""
        name, version, release = package_of(task, dist)
        known = self.state.build_named(f"{name}-{version}-{release}")
        old = known.state if known else None
        if known is not None and known.state in (0, COMPLETE):
            self._fail(task, f"Build already exists (id={known.id}, state={known.state}): {known.nvr}")
            return False
        if known is None:
            number = self.state.first_build + len(self.state.builds)
            known = KojiBuild(number, name, version, release, task.owner, task)
            self.state.builds[number] = known
        known.task, known.state, known.completed = task, 0, None
        task.build = known
        self._publish("build.state.change", build_message(known, old))
        return True

    def _end_build(self, task: KojiTask, state: int) -> None:
        build = task.build
        if build is not None and build.task is task:
            old, build.state, build.completed = build.state, state, time.time()
            self._publish("build.state.change", build_message(build, old))

    def _move(self, task: KojiTask, state: str) -> None:
        old, task.state = task.state, state
        self._tell(task, old)

    def _tell(self, task: KojiTask, old: str | None) -> None:
        if task.scratch:
            self._publish("task.state.change", task_message(task, old))

    def _publish(self, topic: str, body: dict[str, Any]) -> None:
        self._bus.publish(f"{TOPIC}.{topic}", body)

    def _run(self, task: KojiTask) -> None:
        """Auto mode: start a task now and end it a step later."""
        with self.state.lock:
            if task.state != "FREE" or task.id not in self.state.tasks:
                return
            self.start(task.id)
        self._scheduler.after(self.build_seconds / 2, lambda: self._end(task))

    def _end(self, task: KojiTask) -> None:
        package = package_of(task, "")[0]
        keys = (task.target, package, task.srpm or "")
        outcome = next((self.outcomes[key] for key in keys if key in self.outcomes), None)
        with self.state.lock:
            if outcome == "stuck" or task.id not in self.state.tasks:
                return
            self.finish(task.id, state={"failed": "FAILED", "canceled": "CANCELED"}.get(outcome or ""))
