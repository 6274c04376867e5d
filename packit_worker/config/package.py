"""The package configuration (`.packit.yaml`) of a repository: text in, `PackageConfig` or `PackageConfigError` out.

Any module of the worker may import this one; the modules it draws on are its own.
"""

from __future__ import annotations

import logging

from packit_worker.config import legacy, loading, present
from packit_worker.config.jobs import (
    Generation,
    JobConfig,
    JobTrigger,
    JobType,
    PackageConfig,
    PackageSettings,
    SyncFile,
)
from packit_worker.config.layers import Names
from packit_worker.config.problems import PackageConfigError, Problem, Problems

__all__ = [
    "FILE_NAMES",
    "Generation",
    "JobConfig",
    "JobTrigger",
    "JobType",
    "PackageConfig",
    "PackageConfigError",
    "PackageSettings",
    "Problem",
    "SyncFile",
    "load",
]

logger = logging.getLogger(__name__)

# Where a configuration may stand, at the root of a repository. The first that exists counts: those with a dot before
# those without, and the two names that only old files have last.
FILE_NAMES = (".packit.yaml", ".packit.yml", "packit.yaml", "packit.yml", ".packit.json", "packit.json")


def load(text: str, *, path: str, repo_name: str, spec_files: list[str] | None = None) -> PackageConfig:
    """Read the package configuration ``text``.

    ``path`` is the name of the file, ``repo_name`` the repository's short name (the default of both package names),
    and ``spec_files`` the spec files at the top level of the repository in its own order: the first is taken where the
    file names none. A file is read in today's form, else in that of October 2020. Raises PackageConfigError and nothing
    else, whatever the text.
    """
    try:
        return _load(text, Names(path, repo_name, tuple(spec_files or ())))
    except PackageConfigError:
        raise
    except Exception as error:
        # A stranger's file must not bring down what reads it, and with it others' events; the log tells us of the bug
        logger.exception(
            "bug while reading a package configuration", extra={"path": path, "repo_name": repo_name}
        )
        raise PackageConfigError(
            path, [Problem("", "the file cannot be read, through a fault of ours")]
        ) from error


def _load(text: str, names: Names) -> PackageConfig:
    try:
        document = loading.read(text)
    except loading.DocumentError as error:
        raise PackageConfigError(
            names.path, [Problem("", error.message, error.line, error.column)]
        ) from error
    problems = Problems(document)
    config = present.read(document.data, names, problems)
    if config is not None:
        return config
    old_problems = Problems(document)
    config = legacy.read(document.data, names, old_problems)
    if config is not None:
        return config
    told = old_problems if legacy.is_old_style(document.data) else problems
    raise PackageConfigError(names.path, told.sorted())
