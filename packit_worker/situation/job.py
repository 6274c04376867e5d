"""A job of the package configuration, as it applies to an event."""

from __future__ import annotations

from dataclasses import dataclass

from packit_worker.commands import Command, Verb
from packit_worker.config.package import JobConfig, JobType


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job of the package configuration as it applies: one per package of a monorepo.

    ``key`` names the job within its file. ``implied`` is a build that the file does not list but its tests need.
    """

    key: str
    config: JobConfig
    identifier: str | None
    package: str | None = None
    implied: bool = False

    @property
    def type(self) -> JobType:
        return self.config.type

    @property
    def label(self) -> str:
        """How people are told of it."""
        name = f"{self.config.type}@{self.config.trigger}"
        return f"{name} ({self.identifier})" if self.identifier else name

    def is_meant_by(self, command: Command) -> bool:
        """Whether the identifier and labels of a command are this job's; without any, every job is meant.

        A bare test command means what the configuration says it does.
        """
        identifier, labels = command.identifier, command.labels
        if command.verb == Verb.TEST and identifier is None and not labels:
            identifier, labels = (
                self.config.test_command.default_identifier,
                self.config.test_command.default_labels,
            )
        if identifier is not None and identifier != self.config.identifier:
            return False
        return not labels or not set(labels).isdisjoint(self.config.labels)
