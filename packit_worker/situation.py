"""The situation in which runs are planned: the event, its origin, the jobs, and what may be asked.

Explicit and handed around; nothing in it calls out behind an attribute. The two questions that need an answer from
outside are functions, and say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from events.base import Event
from packit_worker.config.package import JobConfig, JobType, PackageConfig
from packit_worker.origins import Origin
from packit_worker.ports import Permission


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


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that planning looks at."""

    event: Event
    origin: Origin | None
    config: PackageConfig | None
    jobs: tuple[Job, ...]
    #: Handler, job and target of what an earlier attempt at this event has planned.
    planned_before: frozenset[tuple[str, str, str]]
    admins: frozenset[str]
    #: Chroots of a job, aliases resolved. Raises UserError, TemporaryError.
    chroots: Callable[[Job], tuple[str, ...]]
    #: What an account may do in the project; the forge is asked at most once per account. Raises TemporaryError.
    permission: Callable[[str], Permission]

    def of_type(self, *types: JobType) -> list[Job]:
        """The applying jobs of these types, in file order."""
        return [job for job in self.jobs if job.type in types]

    def build_for(self, test: Job, chroot: str) -> Job | None:
        """The build job whose build the tests of this job use in a chroot.

        Of the builds for the chroot: one for the same package, and of these one with the same identifier comes first,
        then file order decides. None when no job builds for the chroot.
        """
        builds = [job for job in self.of_type(JobType.COPR_BUILD) if chroot in self.chroots(job)]
        builds.sort(key=lambda job: (job.package != test.package, job.identifier != test.identifier))
        return builds[0] if builds else None

    def tests_of(self, build: Job, chroot: str) -> list[Job]:
        """The tests jobs that use this job's build in a chroot."""
        return [
            test
            for test in self.of_type(JobType.TESTS)
            if not test.config.skip_build and chroot in self.chroots(test) and self._serves(build, test, chroot)
        ]

    def _serves(self, build: Job, test: Job, chroot: str) -> bool:
        serving = self.build_for(test, chroot)
        return serving is not None and serving.key == build.key
