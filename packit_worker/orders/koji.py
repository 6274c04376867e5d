"""What is ordered in Koji for a job: for which targets, and from which ref the source package is made. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from events.families import ProjectEvent, PullRequest, PullRequestComment, Push, Release
from events.koji import KojiBuildEvent
from packit_worker.commands import Verb
from packit_worker.situation import wanted
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation
from packit_worker.targets import ARCHITECTURES

_VERSIONED = re.compile(r"(fedora|epel)-([0-9]+)")
_BY_NAME = {"fedora-rawhide": "rawhide", "fedora-eln": "eln"}
_LETTERS = {"fedora": "f", "epel": "epel"}


def koji_target(chroot: str) -> str:
    """Koji's target for a chroot: ``fedora-43-x86_64`` -> ``f43``, ``epel-9-aarch64`` -> ``epel9``.

    A target builds for all its architectures. A distribution without any keeps its name, so that it can be told of.
    """
    name, _, last = chroot.rpartition("-")
    distribution = name if last in ARCHITECTURES else chroot
    versioned = _VERSIONED.fullmatch(distribution)
    if versioned:
        return _LETTERS[versioned[1]] + versioned[2]
    return _BY_NAME.get(distribution, distribution)


def koji_targets(chroots: Iterable[str]) -> tuple[str, ...]:
    """The targets for these chroots, in their order, each once."""
    return tuple(dict.fromkeys(map(koji_target, chroots)))


def is_scratch(event: ProjectEvent, job: Job) -> bool:
    """Whether nothing of a build is kept: always of a pull request, else as the job says."""
    return isinstance(event, PullRequest | PullRequestComment) or bool(job.config.scratch)


def asked_for(situation: Situation, job: Job) -> tuple[str, ...]:
    """The targets of a job that the commands of a comment want built in Koji: told so, or failed before."""
    return koji_targets(
        chroot
        for chroot in situation.chroots(job)
        if any(
            situation.means(command, job, chroot)
            and (
                command.verb != Verb.REBUILD_FAILED or wanted.has_failed(situation, job, koji_target(chroot))
            )
            for command in situation.asked.of(Verb.PRODUCTION_BUILD, Verb.REBUILD_FAILED)
        )
    )


def ref_of(event: ProjectEvent) -> str:
    """The full name of the ref on the forge that leads to the commit an event is about."""
    match event:
        case PullRequest() | PullRequestComment():
            return event.head_ref
        case Push():
            return f"refs/heads/{event.branch}"
        case Release():
            return f"refs/tags/{event.tag_name}"
        case _:
            raise ValueError(f"nothing is built for a {type(event).__name__}")


def target_ref(event: ProjectEvent, job: Job) -> str | None:
    """The full name of the branch that a pull request is merged with before it is built (merge_pr_in_ci)."""
    match event:
        case PullRequest() | PullRequestComment() if job.config.merge_pr_in_ci and event.target_branch:
            return f"refs/heads/{event.target_branch}"
        case _:
            return None


def address_of(project_url: str) -> str:
    """``host:port`` of a project's forge, which the operator has chosen whatever its address is."""
    parts = urlsplit(project_url)
    return f"{parts.hostname}:{parts.port or {'https': 443, 'http': 80}.get(parts.scheme, 443)}"


def subject_of(task_id: str) -> str:
    """The subject of all news about a task."""
    return KojiBuildEvent(task_id=int(task_id), state="FREE").subject
