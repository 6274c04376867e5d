"""Package configurations of projects: read once per commit, kept in the journal, understood by ``config.package``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy.orm import Session

from packit_worker.config.package import FILE_NAMES, PackageConfig, load
from packit_worker.journal import projects
from packit_worker.ports import ForgeProject


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was found at a commit: path and text of the configuration (None: there is none), and the spec files."""

    path: str | None
    text: str | None
    spec_files: tuple[str, ...]


def kept(session: Session, project_url: str, commit_sha: str) -> Reading | None:
    """What an earlier event read at this commit."""
    row = projects.config_at(session, project_url, commit_sha)
    return None if row is None else Reading(path=row.path, text=row.text, spec_files=tuple(row.spec_files))


def read(project: ForgeProject, ref: str) -> Reading:
    """Read the configuration at a commit, branch or tag: two calls, one where there is none.

    Raises NotFound when the forge does not know the commit, TemporaryError.
    """
    files = project.top_files(ref)
    path = next((name for name in FILE_NAMES if name in files), None)
    text = project.file(path, ref) if path is not None else None
    return Reading(path=path, text=text, spec_files=tuple(name for name in files if name.endswith(".spec")))


@lru_cache(maxsize=256)
def understand(reading: Reading, project_url: str) -> PackageConfig:
    """The configuration that was read. Raises PackageConfigError."""
    assert reading.path is not None and reading.text is not None
    repo_name = project_url.rstrip("/").rpartition("/")[2]
    return load(reading.text, path=reading.path, repo_name=repo_name, spec_files=list(reading.spec_files))
