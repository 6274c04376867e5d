"""What Copr tells. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from events.families import Build


@dataclass(frozen=True, kw_only=True)
class CoprBuildEvent(Build):
    """``copr.build.start`` or ``copr.build.end`` (``phase``) of one chroot of a build.

    ``status`` is Copr's number (0 failed, 1 succeeded, 2 canceled, 3 running, 4 pending, 5 skipped, 6 starting,
    7 importing, 8 forked, 9 waiting); None in old start messages. ``timestamp`` is in seconds since the epoch.
    """

    task: ClassVar[str] = "task.process_copr_build_event"

    phase: str
    build_id: int
    chroot: str | None
    status: int | None
    owner: str | None
    project_name: str | None
    pkg: str | None
    version: str | None = None
    #: Who ordered the build; ``owner`` is whose project it is (``@python`` for a group's).
    user_login: str | None = None
    timestamp: float | None = None

    @property
    def subject(self) -> str:
        return self.subject_of(self.build_id, self.chroot)

    @staticmethod
    def subject_of(build_id: int, chroot: str | None) -> str:
        """The subject of all news about a build in a chroot."""
        """One chroot of one build."""
        return f"copr:{build_id}:{chroot}"
