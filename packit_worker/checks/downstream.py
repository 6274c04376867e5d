"""Is there a release to be proposed in dist-git, and is it asked for?"""

from __future__ import annotations

from packit_worker import releases
from packit_worker.checks.verdict import Verdict, passed, skipped
from packit_worker.commands import Verb
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def is_a_release(situation: Situation, job: Job | None) -> Verdict:
    """Something is released, and the configuration counts its tag as a release."""
    assert job is not None
    tag = situation.origin.released if situation.origin else None
    if tag is None:
        return skipped("nothing is released here yet: publish a release, and comment again")
    left_out = releases.why_left_out(tag, job.config.upstream_tag_include, job.config.upstream_tag_exclude)
    return skipped(left_out) if left_out else passed(f"the release is {tag}")


def is_asked_to_propose(situation: Situation, job: Job | None) -> Verdict:
    """A comment asks for updates in dist-git, and means this job."""
    assert job is not None
    commands = situation.asked.of(Verb.PROPOSE_UPDATE)
    if any(job.is_meant_by(command) for command in commands):
        return passed("a comment asks for it")
    return skipped("it is not what the comment names")
