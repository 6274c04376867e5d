"""What the stand-in for Copr knows: users, projects, builds and their states.

Used inside the sandbox only.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

SOURCE_CHROOT = "srpm-builds"
FINISHED = ("succeeded", "failed", "canceled", "skipped")
STATUS = {
    "failed": 0,
    "succeeded": 1,
    "canceled": 2,
    "running": 3,
    "pending": 4,
    "skipped": 5,
    "starting": 6,
    "importing": 7,
    "forked": 8,
    "waiting": 9,
}
"""The numbers messages have for states."""
MOCK_CHROOTS = tuple(
    f"{system}-{arch}"
    for system in (
        "fedora-42",
        "fedora-43",
        "fedora-44",
        "fedora-rawhide",
        "fedora-eln",
        "epel-8",
        "epel-9",
        "epel-10",
        "centos-stream-9",
        "centos-stream-10",
        "opensuse-tumbleweed",
    )
    for arch in ("x86_64", "aarch64", "ppc64le", "s390x")
)


class CoprError(Exception):
    """An answer of Copr that is not a success: a status and the text of its field ``error``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class ChrootState:
    """One chroot of a build, and when it ran (seconds since the epoch)."""

    state: str = "waiting"
    started_on: int | None = None
    ended_on: int | None = None


@dataclass
class Build:
    """A build. `source` is its type and all that was asked for: ``{"type": "custom", "script": ...}``."""

    id: int
    ownername: str
    projectname: str
    submitter: str
    source: dict[str, Any]
    package_name: str
    package_version: str
    states: dict[str, ChrootState]
    source_state: ChrootState = field(default_factory=lambda: ChrootState("pending"))
    background: bool = False
    project_dirname: str = ""
    enable_net: bool = False
    submitted_on: int = field(default_factory=lambda: int(time.time()))
    deleted: bool = False

    @property
    def chroots(self) -> dict[str, str]:
        """Chroot -> state, without the source build."""
        return {name: chroot.state for name, chroot in self.states.items()}

    @property
    def project(self) -> str:
        """`owner/project`."""
        return f"{self.ownername}/{self.projectname}"

    def chroot(self, name: str) -> ChrootState:
        """The state of a chroot, or of the source build. Raises CoprError 404."""
        if name == SOURCE_CHROOT:
            return self.source_state
        if name not in self.states:
            raise CoprError(404, f"No chroot {name} in build {self.id}")
        return self.states[name]

    @property
    def state(self) -> str:
        """The state of the whole build, as Copr sums it up."""
        if self.source_state.state != "succeeded":
            return self.source_state.state
        found = {chroot.state for chroot in self.states.values()}
        for state in ("running", "starting", "pending", "importing", "waiting", "failed", "canceled"):
            if state in found:
                return state
        return "succeeded"

    @property
    def ended_on(self) -> int | None:
        """When the last chroot ended, if all have."""
        ends = [chroot.ended_on for chroot in (self.source_state, *self.states.values())]
        return max((end for end in ends if end), default=None) if self.state in FINISHED else None


@dataclass
class Project:
    """A project. `settings` is everything its creation and edits said."""

    id: int
    ownername: str
    name: str
    chroots: list[str]
    settings: dict[str, Any]
    permissions: dict[str, dict[str, str]] = field(default_factory=dict)
    chroot_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    edits: int = 0

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.ownername}/{self.name}"


@dataclass
class User:
    """Somebody with an API token."""

    name: str
    login: str
    token: str
    groups: tuple[str, ...] = ()
    admin: bool = False


class CoprState:
    """All of it, behind one lock: hold `lock` while reading or writing anything."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Back to an empty Copr."""
        with self.lock:
            self.users: dict[str, User] = {}
            self.projects: dict[str, Project] = {}
            self.builds: dict[int, Build] = {}
            self.first_build = 9_000_001
            self._projects_made = 0

    def next_project_id(self) -> int:
        """A number no project has."""
        self._projects_made += 1
        return 1000 + self._projects_made

    def project(self, ownername: str, name: str) -> Project:
        """The project. Raises CoprError 404."""
        try:
            return self.projects[f"{ownername}/{name}"]
        except KeyError:
            raise CoprError(404, f"Project {ownername}/{name} does not exist.") from None

    def build(self, number: int) -> Build:
        """The build. Raises CoprError 404."""
        build = self.builds.get(number)
        if build is None or build.deleted:
            raise CoprError(404, f"Build {number} does not exist.")
        return build


def owns(user: User, ownername: str) -> bool:
    """Whether an owner is the user or a group of theirs (``@group``)."""
    return user.admin or ownername == user.name or ownername.removeprefix("@") in user.groups


def may(user: User, project: Project, permission: str) -> bool:
    """Whether the user has ``builder`` or ``admin`` in the project."""
    given = project.permissions.get(user.name, {})
    return owns(user, project.ownername) or "approved" in (given.get(permission), given.get("admin"))


def package_of(project: str, source: dict[str, Any]) -> str:
    """The name the sandbox gives to the package: after a spec file, an SRPM or the project."""
    spec = re.search(r"([\w.+-]+)\.spec\b", f"{source.get('spec', '')} {source.get('script', '')}")
    if spec:
        return spec[1]
    archive = re.match(r"(.+?)-[^-/]+-[^-/]+\.src\.rpm$", str(source.get("file", "")).rpartition("/")[2])
    return archive[1] if archive else project
