"""What Testing Farm is asked for: https://api.dev.testing-farm.io/redoc, POST /v0.1/requests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from events.families import ProjectEvent, PullRequest, PullRequestComment, Push, Release
from packit_worker.situation.job import Job

#: Parameters of Testing Farm that a package configuration may set. Whatever else the API has could reach secrets,
#: other people's machines or our call-back, and is left out.
HARMLESS_SETTINGS = ("pipeline",)
HARMLESS_ENVIRONMENT = ("hardware", "kickstart")


def request_body(
    event: ProjectEvent,
    job: Job,
    *,
    commit_sha: str,
    chroot: str,
    build_id: str | None,
    copr_project: str | None,
    variables: Mapping[str, str],
    compose: Mapping[str, str],
) -> dict[str, Any]:
    """The request for one chroot, without notification and marker, which the client adds.

    ``build_id`` and ``copr_project`` are None for tests without a build. ``variables`` come from a comment and beat
    those of the configuration. ``compose`` maps distributions (``epel-9``) to names of composes where the rule (see
    ``compose_of``) does not hold.
    """
    config = job.config
    distribution, _, arch = chroot.rpartition("-")
    ours = {
        "PACKIT_COMMIT_SHA": commit_sha,
        "PACKIT_TARGET_URL": event.project_url,
        **({"PACKIT_COPR_PROJECT": copr_project} if copr_project else {}),
        **_subject(event),
    }
    context = {"distro": distribution, "arch": arch, "trigger": "commit", "initiator": "packit"}
    environment: dict[str, Any] = {
        "arch": arch,
        "os": {"compose": compose_of(distribution, compose)},
        "tmt": {"context": context | _told_context(job)},
        "variables": {str(key): str(value) for key, value in config.env.items()} | dict(variables) | ours,
    }
    if build_id is not None:
        artifact: dict[str, Any] = {"type": "fedora-copr-build", "id": f"{build_id}:{chroot}"}
        if config.skip_install:
            artifact["install"] = False
        environment["artifacts"] = [artifact]
    if config.tf_post_install_script:
        environment["settings"] = {"provisioning": {"post_install_script": config.tf_post_install_script}}
    _add_harmless(environment, _first_environment(job), HARMLESS_ENVIRONMENT)
    body: dict[str, Any] = {"test": {"fmf": _fmf(event, job, commit_sha)}, "environments": [environment]}
    settings = config.tf_extra_params.get("settings")
    if isinstance(settings, Mapping):
        chosen: dict[str, Any] = {}
        _add_harmless(chosen, settings, HARMLESS_SETTINGS)
        _add_harmless(body, {"settings": chosen}, ("settings",))
    return body


def _subject(event: ProjectEvent) -> dict[str, str]:
    """What the tests are about, for them to know."""
    match event:
        case PullRequest() | PullRequestComment():
            return {"PACKIT_PR_ID": str(event.pr_id)}
        case Push():
            return {"PACKIT_BRANCH": event.branch}
        case Release():
            return {"PACKIT_TAG_NAME": event.tag_name}
        case _:
            return {}


def _first_environment(job: Job) -> Mapping[str, Any]:
    """The first of the environments that ``tf_extra_params`` describes: there is one per request."""
    given = job.config.tf_extra_params.get("environments")
    first = given[0] if isinstance(given, list | tuple) and given else {}
    return first if isinstance(first, Mapping) else {}


def _told_context(job: Job) -> dict[str, str]:
    """The tmt context of the configuration: ``tf_extra_params: {environments: [{tmt: {context: ...}}]}``."""
    tmt = _first_environment(job).get("tmt")
    context = tmt.get("context") if isinstance(tmt, Mapping) else None
    return {str(key): str(value) for key, value in context.items()} if isinstance(context, Mapping) else {}


def _add_harmless(into: dict[str, Any], given: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if given.get(name):
            into[name] = given[name]


def _fmf(event: ProjectEvent, job: Job, commit_sha: str) -> dict[str, Any]:
    config = job.config
    url = config.fmf_url or f"{event.project_url}.git"
    fmf: dict[str, Any] = {"url": url, "ref": config.fmf_ref or ("HEAD" if config.fmf_url else commit_sha)}
    if config.fmf_path:
        fmf["path"] = config.fmf_path
    if config.tmt_plan:
        fmf["name"] = config.tmt_plan
    return fmf


def compose_of(distribution: str, exceptions: Mapping[str, str]) -> str:
    """The compose of a distribution: ``fedora-43`` -> ``Fedora-43``, ``fedora-rawhide`` -> ``Fedora-Rawhide``.

    EPEL is tested on CentOS Stream of the same version. What follows no rule is in ``exceptions``.
    """
    if distribution in exceptions:
        return exceptions[distribution]
    name, _, version = distribution.rpartition("-")
    if name in ("epel", "centos-stream", "epel-next"):
        return f"CentOS-Stream-{version}"
    return "-".join(part.capitalize() for part in (name, version) if part)
