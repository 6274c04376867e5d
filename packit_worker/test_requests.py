"""What Testing Farm is asked for: https://api.dev.testing-farm.io/redoc, POST /v0.1/requests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events.families import ProjectEvent, PullRequest
from packit_worker.situation import Job


def request_body(
    event: ProjectEvent,
    job: Job,
    *,
    build_id: str,
    chroot: str,
    copr_project: str,
    compose: Mapping[str, str],
) -> dict[str, Any]:
    """The request for one chroot of one build, without notification and marker, which the client adds.

    ``compose`` maps distributions (``epel-9``) to names of composes where the rule (see ``compose_of``) does not hold.
    """
    config = job.config
    distribution, _, arch = chroot.rpartition("-")
    environment: dict[str, Any] = {
        "arch": arch,
        "os": {"compose": compose_of(distribution, compose)},
        "artifacts": [{"type": "fedora-copr-build", "id": f"{build_id}:{chroot}"}],
        "tmt": {"context": {"distro": distribution, "arch": arch, "trigger": "commit", "initiator": "packit"}},
        "variables": {
            "PACKIT_COMMIT_SHA": getattr(event, "commit_sha", ""),
            "PACKIT_COPR_PROJECT": copr_project,
            "PACKIT_TARGET_URL": event.project_url,
            **({"PACKIT_PR_ID": str(event.pr_id)} if isinstance(event, PullRequest) else {}),
            **{key: str(value) for key, value in (config.env or {}).items()},
        },
    }
    return {"test": {"fmf": _fmf(event, job)}, "environments": [environment]}


def _fmf(event: ProjectEvent, job: Job) -> dict[str, Any]:
    config = job.config
    url = config.fmf_url or f"{event.project_url}.git"
    ref = config.fmf_ref or (getattr(event, "commit_sha", None) if not config.fmf_url else None) or "HEAD"
    fmf: dict[str, Any] = {"url": url, "ref": ref}
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

