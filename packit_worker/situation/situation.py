"""The situation in which runs are planned: the event, its origin, the jobs, and what may be asked.

Explicit and handed around; nothing in it calls out behind an attribute. The two questions that need an answer from
outside are functions, and say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from events.base import Event
from packit_worker.commands import Asked, Command, Verb
from packit_worker.config.package import JobType, PackageConfig
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.ports import Permission
from packit_worker.situation.job import Job
from packit_worker.situation.origins import Origin


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
    #: Branches of dist-git of a job, aliases resolved. Raises UserError, TemporaryError.
    branches: Callable[[Job], tuple[str, ...]] = field(default=lambda job: job.config.dist_git_branches)
    #: What an account may do in the project; the forge is asked at most once per account. Raises TemporaryError.
    permission: Callable[[str], Permission]
    #: What the comment at the root asks for; nothing, where there is none.
    asked: Asked = field(default_factory=Asked)
    #: Chroots that names in a command stand for. Raises UserError, TemporaryError.
    named: Callable[[tuple[str, ...]], tuple[str, ...]] = field(default=lambda names: names)
    #: What other events have had built and tested at the commit, newest first; known for comments and re-runs only.
    built: tuple[BuildRow, ...] = ()
    tested: tuple[TestRunRow, ...] = ()
    #: Whether the world cannot read the project that the event is about.
    is_private: bool = False
    #: The GitHub App that the service is; None where it is none.
    app_id: int | None = None
    #: The project whose issues ask for the approval of accounts, if the service has one.
    approvals_url: str | None = None

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
        """The tests jobs that follow when this job's build in a chroot has succeeded."""
        return [
            test
            for test in self.of_type(JobType.TESTS)
            if not test.config.skip_build
            and chroot in self.chroots(test)
            and self._serves(build, test, chroot)
            and self.follows(test, build, chroot)
        ]

    def follows(self, test: Job, build: Job, chroot: str) -> bool:
        """Whether tests follow by themselves on the build that this situation's event orders, or has ordered.

        After a comment: when it asks for these tests, or for the build and they want no comment of their own. After a
        re-run: when they are to be run again themselves, or want no comment.
        """
        if self.origin and self.origin.again:
            return not test.config.manual_trigger or self.origin.again.holds(test.key, chroot)
        origin = self.origin.event if self.origin else self.event
        return tests_follow(self, self.asked if origin.by_hand else None, test, build, chroot)

    def means(self, command: Command, job: Job, chroot: str) -> bool:
        """Whether a command is about a job in a chroot. An implied build is meant with any of its tests."""
        if command.targets and chroot not in self.named(command.targets):
            return False
        if not job.implied:
            return job.is_meant_by(command)
        return any(
            test.is_meant_by(command)
            for test in self.of_type(JobType.TESTS)
            if not test.config.skip_build and self._serves(job, test, chroot)
        )

    def _serves(self, build: Job, test: Job, chroot: str) -> bool:
        serving = self.build_for(test, chroot)
        return serving is not None and serving.key == build.key


def tests_follow(situation: Situation, asked: Asked | None, test: Job, build: Job, chroot: str) -> bool:
    """Whether tests follow on a build that was ordered by commands, or (``asked`` None) by another event."""
    if asked is None:
        return not test.config.manual_trigger
    if any(situation.means(command, test, chroot) for command in asked.of(Verb.TEST)):
        return True
    builds = asked.of(Verb.BUILD, Verb.REBUILD_FAILED)
    return not test.config.manual_trigger and any(
        situation.means(command, build, chroot) for command in builds
    )
