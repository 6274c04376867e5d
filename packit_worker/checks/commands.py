"""Do the commands of a comment ask this job for anything, and is there something to do?"""

from __future__ import annotations

from packit_worker.checks.verdict import Verdict, passed, skipped
from packit_worker.commands import Command, Verb
from packit_worker.situation import wanted
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation

_BUILDS = (Verb.BUILD, Verb.REBUILD_FAILED, Verb.TEST)
_TESTS = (Verb.TEST, Verb.RETEST_FAILED)


def has_something_to_build(situation: Situation, job: Job | None) -> Verdict:
    """The commands want a chroot of this job built."""
    assert job is not None
    chroots = wanted.builds(situation, job)
    if chroots:
        return passed(f"to be built for {', '.join(chroots)}")
    if not situation.asked.of(Verb.BUILD, Verb.REBUILD_FAILED):
        return skipped("what is to be tested has a build already, or no use for one")
    return skipped(_why_nothing(situation, job, _BUILDS, "no build of this commit has failed"))


def has_something_to_test(situation: Situation, job: Job | None) -> Verdict:
    """The commands want tests of this job, and there is a build for them (or they need none)."""
    assert job is not None
    tests = wanted.tests(situation, job)
    if tests.builds:
        return passed(f"to be tested on {', '.join(tests.builds)}")
    if situation.asked.of(Verb.TEST) and any(_is_meant(situation, job, Verb.TEST)):
        return skipped(tests.left_out)
    return skipped(_why_nothing(situation, job, _TESTS, "no tests of this commit have failed"))


def _why_nothing(situation: Situation, job: Job, verbs: tuple[Verb, ...], nothing_failed: str) -> str:
    if any(_is_meant(situation, job, *verbs)):
        return nothing_failed
    options = ", ".join(dict.fromkeys(_named(command) for command in situation.asked.of(*verbs)))
    return f"it is not what the comment names: {options}"


def _is_meant(situation: Situation, job: Job, *verbs: Verb) -> list[Command]:
    return [
        command
        for command in situation.asked.of(*verbs)
        if any(situation.means(command, job, chroot) for chroot in situation.chroots(job))
    ]


def _named(command: Command) -> str:
    """The options of a command that choose among jobs."""
    parts = [
        *([f"identifier {command.identifier}"] if command.identifier else []),
        *(f"target {target}" for target in command.targets),
        *(f"label {label}" for label in command.labels),
    ]
    return " and ".join(parts) or "what the configuration says a bare command stands for"
