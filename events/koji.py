"""What Koji tells. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from events.families import Build


@dataclass(frozen=True, kw_only=True)
class KojiBuildEvent(Build):
    """``buildsys.task.state.change`` or ``buildsys.build.state.change``.

    A task message carries ``task_id`` and state names (FREE, OPEN, CLOSED, CANCELED, ASSIGNED, FAILED); a build message
    ``build_id``, Koji's state numbers as names (BUILDING, COMPLETE, DELETED, FAILED, CANCELED) and, where there is one,
    the ``task_id``. ``target`` and ``commit_sha`` are known of RPM builds that were ordered from git.
    """

    task: ClassVar[str] = "task.process_koji_build_event"

    task_id: int | None
    build_id: int | None = None
    state: str
    old_state: str | None = None
    rpm_build_task_id: int | None = None
    #: What the task does: build, image, buildContainer...
    method: str | None = None
    target: str | None = None
    commit_sha: str | None = None
    owner: str | None = None
    package_name: str | None = None
    version: str | None = None
    release: str | None = None
    started_at: str | None = None
    completed_at: str | None = None

    @property
    def subject(self) -> str:
        """The task; the build where it has none."""
        return f"koji:task:{self.task_id}" if self.task_id is not None else f"koji:build:{self.build_id}"
