"""Shows our reading of a package configuration to a checker of corpora: `load` returns plain data to be compared."""

from __future__ import annotations

from typing import Any

from packit_worker.config.package import JobConfig, PackageConfigError
from packit_worker.config.package import load as load_config

EXPECTED_ERRORS = (PackageConfigError,)

_OF_PACKAGE = ("specfile_path", "upstream_package_name", "downstream_package_name", "upstream_tag_template")
_OF_JOB = (
    "type",
    "trigger",
    "targets",
    "packages",
    "branch",
    "identifier",
    "scratch",
    "owner",
    "project",
    "labels",
    "manual_trigger",
    "skip_build",
    "tmt_plan",
    "fmf_path",
)


def load(text: str, path: str, repo_name: str, spec_files: list[str] | None = None) -> dict[str, Any]:
    """The reading of ``text``, a monorepo's jobs once for each package. Raises PackageConfigError if it is invalid."""
    config = load_config(text, path=path, repo_name=repo_name, spec_files=spec_files)
    reading: dict[str, Any] = {"valid": True, "jobs": [_job(job) for job in config.views()]}
    reading |= {name: getattr(config, name) for name in _OF_PACKAGE}
    if config.is_monorepo:
        reading["packages"] = {
            key: {name: getattr(settings, name) for name in _OF_PACKAGE}
            for key, settings in config.packages.items()
        }
    return reading


def _job(job: JobConfig) -> dict[str, Any]:
    branches: object = list(job.dist_git_branches)
    if job.fast_forward:
        branches = {
            name: {"fast_forward_merge_into": list(job.fast_forward.get(name, ()))}
            for name in job.dist_git_branches
        }
    return {name: getattr(job, name) for name in _OF_JOB} | {"dist_git_branches": branches}
