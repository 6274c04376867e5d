"""What the stand-in for Koji knows: users, sessions, targets, uploads, tasks, builds. Used inside the sandbox only."""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

TASK_STATES = ("FREE", "OPEN", "CLOSED", "CANCELED", "ASSIGNED", "FAILED")
"""In the order of their numbers: koji.TASK_STATES."""
BUILD_STATES = ("BUILDING", "COMPLETE", "DELETED", "FAILED", "CANCELED")
"""In the order of their numbers: koji.BUILD_STATES."""
FINISHED = ("CLOSED", "CANCELED", "FAILED")
GENERIC, AUTH, NOT_ALLOWED, BUILD_FAILED, EXPIRED, SEQUENCE, RETRY, PARAMETER = (
    1000,
    1002,
    1004,
    1005,
    1007,
    1008,
    1009,
    1019,
)
"""The fault codes of koji's errors."""
SRPM = re.compile(r"(?:.*/)?([^/]+)-([^-/]+)-([^-/]+)\.src\.rpm")


class KojiFault(Exception):
    """An answer of Koji that is a fault: a code and a text."""

    def __init__(self, message: str, code: int = GENERIC) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass
class KojiUser:
    """Somebody who may log in."""

    id: int
    name: str
    password: str
    admin: bool = False


@dataclass
class Session:
    """A login. `callnum` is the number of the last call that was carried out."""

    id: int
    key: str
    user: KojiUser
    callnum: int | None = None
    expired: bool = False


@dataclass(frozen=True)
class Target:
    """A build target. `dist` is the end of a release built for it, ``.fc43``."""

    id: int
    name: str
    build_tag: str
    dest_tag: str
    dist: str
    arches: tuple[str, ...]


@dataclass
class KojiTask:
    """A task. `request` is source, target and options for the method ``build``."""

    id: int
    method: str
    owner: KojiUser
    request: list[Any]
    parent: "KojiTask | None" = None
    arch: str = "noarch"
    label: str | None = None
    state: str = "FREE"
    created: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    result: Any = None
    children: list["KojiTask"] = field(default_factory=list)
    build: "KojiBuild | None" = None

    @property
    def options(self) -> dict[str, Any]:
        """The options of a build."""
        return self.request[2] if len(self.request) > 2 and isinstance(self.request[2], dict) else {}

    @property
    def scratch(self) -> bool:
        """Whether nothing of it is kept."""
        return bool(self.options.get("scratch"))

    @property
    def srpm(self) -> str | None:
        """The file name of the SRPM, if it is built from one."""
        source = str(self.request[0]) if self.request else ""
        return source.rpartition("/")[2] if source.endswith(".src.rpm") else None

    @property
    def target(self) -> str:
        """The name of the target."""
        return str(self.request[1]) if len(self.request) > 1 else ""


@dataclass
class KojiBuild:
    """A build that is kept."""

    id: int
    name: str
    version: str
    release: str
    owner: KojiUser
    task: KojiTask
    state: int = 0
    created: float = field(default_factory=time.time)
    completed: float | None = None

    @property
    def nvr(self) -> str:
        """Name, version and release."""
        return f"{self.name}-{self.version}-{self.release}"


class KojiState:
    """All of it, behind one lock: hold `lock` while reading or writing anything."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Back to an empty Koji."""
        with self.lock:
            self.users: dict[str, KojiUser] = {}
            self.sessions: dict[int, Session] = {}
            self.targets: dict[str, Target] = {}
            self.uploads: dict[str, bytes] = {}
            self.tasks: dict[int, KojiTask] = {}
            self.builds: dict[int, KojiBuild] = {}
            self.first_task = 120_000_001
            self.first_build = 2_500_001

    def task(self, number: Any) -> KojiTask:
        """The task. Raises KojiFault."""
        if isinstance(number, bool) or not isinstance(number, int) or number not in self.tasks:
            raise KojiFault(f"No such task: {number!r}")
        return self.tasks[number]

    def build_named(self, nvr: str) -> KojiBuild | None:
        """The build of this name, version and release."""
        return next((build for build in self.builds.values() if build.nvr == nvr), None)

    def new_task(self, method: str, owner: KojiUser, request: list[Any], **settings: Any) -> KojiTask:
        """A task, put among its parent's children if it has one."""
        task = KojiTask(self.first_task + len(self.tasks), method, owner, request, **settings)
        self.tasks[task.id] = task
        if task.parent is not None:
            task.parent.children.append(task)
        return task


def package_of(task: KojiTask, dist: str) -> tuple[str, str, str]:
    """Name, version and release of what a task builds: after its SRPM, or after the repository it is built from."""
    source = str(task.request[0])
    match = SRPM.fullmatch(source)
    if match:
        return match[1], match[2], match[3]
    name = source.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
    return name, "0.1", f"1{dist}"
