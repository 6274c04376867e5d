"""Koji: orders and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class KojiOrder:
    """A build to be made in Koji from an SRPM on disk, or from git (``git+https://...#<sha>``).

    ``marker`` is kept with the task; by it the task is found again when no answer came to the order.
    """

    target: str
    marker: str
    scratch: bool
    srpm: Path | None = None
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class KojiTask:
    """A task as Koji has it. ``arch_tasks`` maps architecture -> the task that builds there, once there are any."""

    id: int
    url: str
    state: str
    target: str | None = None
    scratch: bool = False
    arch_tasks: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        return self.state in ("CLOSED", "CANCELED", "FAILED")


class Koji(Protocol):
    """Koji: https://koji.fedoraproject.org/koji/api."""

    def targets(self) -> frozenset[str]:
        """Names of the targets that can be built for."""

    def build(self, order: KojiOrder) -> KojiTask:
        """Order a build. One call, after the source package was uploaded."""

    def find_build(self, order: KojiOrder) -> KojiTask | None:
        """The task that was ordered with this marker, if Koji has it."""

    def task(self, task_id: int) -> KojiTask:
        """A task with those that build for an architecture. Raises NotFound."""

    def cancel(self, task_id: int) -> None:
        """Cancel a task that has not ended. One that has ended stays as it is."""

    def log_url(self, arch_task_id: int) -> str:
        """The build log of a task that builds for an architecture."""
