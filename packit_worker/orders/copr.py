"""What is ordered in Copr for a job: the project it is built in, and the script that makes its source package. Pure."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from events.families import ProjectEvent, PullRequest, PullRequestComment, Push, Release
from packit_worker.orders.koji import target_ref
from packit_worker.ports import CoprOrder, CoprProject
from packit_worker.situation.job import Job

#: Copr takes letters, digits, dash, underscore, plus and dot in a project's name.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.+-]+")
#: What a target may hold that Copr keeps with a chroot.
_OF_CHROOTS = frozenset(
    {"additional_packages", "additional_repos", "additional_modules", "with_opts", "without_opts"}
)
_SHA = re.compile(r"[0-9a-f]{7,64}")


def copr_project(
    event: ProjectEvent,
    job: Job,
    chroots: tuple[str, ...],
    *,
    account: str,
    deployment: str,
    named: Callable[[tuple[str, ...]], tuple[str, ...]],
) -> CoprProject:
    """The Copr project a job builds in: the configured one, or one per pull request, branch or release."""
    config = job.config
    return CoprProject(
        owner=config.owner or account,
        name=config.project or default_name(event, job, deployment),
        chroots=chroots,
        description=f"Builds of {event.subject}, made by packit_worker.",
        instructions=f"These packages come from {event.subject}; they are for trying out, not for production.",
        additional_repos=tuple(config.additional_repos or ()),
        unlisted_on_hp=not config.list_on_homepage,
        delete_after_days=None if config.preserve_project else 60,
        enable_net=bool(config.enable_net),
        bootstrap=config.bootstrap,
        module_hotfixes=config.module_hotfixes,
        chroot_settings=chroot_settings(job, chroots, named),
    )


def chroot_settings(
    job: Job, chroots: tuple[str, ...], named: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """What the configuration says of some chroots: for all, and below a target or alias, which ``named`` resolves.

    https://packit.dev/docs/configuration/upstream/copr_build. Chroots that nothing is said of are left out.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {chroot: {} for chroot in chroots}

    def add(chroot: str, name: str, values: Iterable[object]) -> None:
        if chroot in found:
            before = found[chroot].get(name, ())
            found[chroot][name] = tuple(dict.fromkeys([*before, *map(str, values)]))

    if job.config.additional_packages:
        for chroot in chroots:
            add(chroot, "additional_packages", job.config.additional_packages)
    for target, settings in job.config.target_settings.items():
        for name in _OF_CHROOTS & settings.keys():
            value = settings[name]
            # Modules are written as one text.
            values = value.split(",") if isinstance(value, str) else value
            if isinstance(values, list):
                for chroot in named((target,)):
                    add(chroot, name, (one.strip() if isinstance(one, str) else one for one in values))
    return {chroot: settings for chroot, settings in found.items() if settings}


def default_name(event: ProjectEvent, job: Job, deployment: str) -> str:
    """``[<host>-]<namespace>-<repository>-<pull request, branch or tag>[-<identifier>][-<deployment>]``.

    The host is left out for GitHub, the deployment for production. Two subjects whose names differ only in
    characters that Copr refuses get names that differ by a piece of checksum.
    """
    parts = urlsplit(event.project_url)
    namespace, _, repository = parts.path.strip("/").rpartition("/")
    host = "" if event.forge == "github" else (parts.hostname or "")
    subject = subject_of(event)
    suffix = "" if deployment == "prod" else deployment
    raw = "-".join(part for part in (host, namespace.replace("/", "-"), repository, subject) if part)
    raw = "-".join(part for part in (raw, job.identifier or "", suffix) if part)
    clean = _NOT_IN_NAMES.sub("-", raw)
    return clean if clean == raw else f"{clean}-{hashlib.sha256(raw.encode()).hexdigest()[:6]}"


def subject_of(event: ProjectEvent) -> str:
    """The pull request's number, the branch or the tag."""
    match event:
        case PullRequest() | PullRequestComment():
            return str(event.pr_id)
        case Push():
            return event.branch
        case Release():
            return event.tag_name
        case _:
            raise ValueError(f"nothing is built for a {type(event).__name__}")


def build_order(
    event: ProjectEvent, job: Job, project: CoprProject, *, marker: str, srpm_chroot: str
) -> CoprOrder:
    """The build to be ordered. Its script runs in a Copr builder, as a user without secrets."""
    dependencies = ("git-core", "packit", *(job.config.srpm_build_deps or ()))
    return CoprOrder(
        owner=project.owner,
        project=project.name,
        chroots=project.chroots,
        script=srpm_script(event, job, marker),
        script_chroot=srpm_chroot,
        script_builddeps=tuple(dict.fromkeys(dependencies)),
        marker=marker_line(marker),
        enable_net=project.enable_net,
        timeout=job.config.timeout,
    )


def marker_line(marker: str) -> str:
    """The line of the script by which a build is found again."""
    return f"# packit_worker order {hashlib.sha256(marker.encode()).hexdigest()}"


def srpm_script(event: ProjectEvent, job: Job, marker: str) -> str:
    """The script for Copr's source method "custom" (https://docs.copr.fedorainfracloud.org/custom_source_method.html).

    The program ``packit`` prepares the sources in the directory where Copr looks for them. Every word from outside is
    quoted; git gets full names of refs, which no branch name can turn into an option.
    """
    options: list[str] = []
    if job.package is not None:
        options += ["--package", job.package]
    if not job.implied:
        options += ["--job-config-index", str(job.config.index)]
    lines = [
        "#!/bin/sh",
        marker_line(marker),
        "set -eu",
        "resultdir=$PWD",
        "work=$(mktemp -d)",
        'git init --quiet "$work"',
        'cd "$work"',
        f"git remote add origin {_q(event.project_url + '.git')}",
        *_fetch(event),
        *_merge(event, job),
        " ".join(["packit -d prepare-sources", *map(_q, options), '--result-dir "$resultdir" .']),
    ]
    return "\n".join(lines) + "\n"


def _fetch(event: ProjectEvent) -> list[str]:
    match event:
        case PullRequest() | PullRequestComment():
            # The head that the event was about; when more was pushed since, that has its own event.
            return [
                "git fetch --quiet --tags origin "
                + " ".join(
                    _q(ref)
                    for ref in (
                        f"+{event.head_ref}:refs/heads/pull-request",
                        *(
                            [f"+refs/heads/{event.target_branch}:refs/heads/target"]
                            if event.target_branch
                            else []
                        ),
                    )
                ),
                f"git checkout --quiet --detach {_q(_sha(event.commit_sha))}",
            ]
        case Push():
            return [
                f"git fetch --quiet --tags origin {_q(f'+refs/heads/{event.branch}:refs/heads/pushed')}",
                f"git checkout --quiet --detach {_q(_sha(event.commit_sha))}",
            ]
        case Release():
            return [
                f"git fetch --quiet --tags origin {_q(f'+refs/tags/{event.tag_name}:refs/tags/{event.tag_name}')}",
                f"git checkout --quiet --detach {_q(f'refs/tags/{event.tag_name}')}",
            ]
        case _:
            raise ValueError(f"nothing is built for a {type(event).__name__}")


def _merge(event: ProjectEvent, job: Job) -> list[str]:
    """What is built of a pull request is what merging it would give, unless the configuration wants its head."""
    if target_ref(event, job) is None:
        return []
    return [
        "git -c user.name=packit_worker -c user.email=packit-worker@localhost merge --quiet --no-edit --no-verify "
        "refs/heads/target"
    ]


def _sha(commit: str | None) -> str:
    if commit is None or not _SHA.fullmatch(commit):
        raise ValueError(f"{commit!r} is no commit")
    return commit


_q = shlex.quote
