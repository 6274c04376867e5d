"""Is a push to dist-git for this job?"""

from __future__ import annotations

from events.dist_git import DistGitCommitEvent
from packit_worker.checks.verdict import Verdict, passed, skipped
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation


def is_for_this_package(situation: Situation, job: Job | None) -> Verdict:
    """The job is about the package that was pushed to; a configuration that came from upstream may know others."""
    assert job is not None and isinstance(situation.event, DistGitCommitEvent)
    package = job.config.downstream_package_name
    if package != situation.event.repo_name:
        return skipped(f"the job is for the package {package}")
    return passed(f"it is the package {package}")


def is_for_this_branch(situation: Situation, job: Job | None) -> Verdict:
    """The job names the branch of dist-git, in ``dist_git_branches``."""
    assert job is not None and isinstance(situation.event, DistGitCommitEvent)
    branches = situation.branches(job)
    if situation.event.branch not in branches:
        return skipped(f"it is for {', '.join(branches)}")
    return passed(f"{situation.event.branch} is one of the branches to be synchronised")
