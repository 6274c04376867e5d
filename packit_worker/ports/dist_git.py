"""Dist-git: the packages, and the archives that their sources are."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from packit_worker.ports.posted import Posted


class DistGit(Protocol):
    """Dist-git: packages on a Pagure, and the lookaside cache. Packages are named with namespace: ``rpms/hello``."""

    login: str

    def url_of(self, package: str) -> str:
        """Where git finds a package. No call."""

    def fork_url(self, package: str) -> str:
        """Where git finds our fork of a package. No call."""

    def commit_url(self, package: str, commit: str) -> str:
        """The page of a commit. No call."""

    def ensure_fork(self, package: str) -> None:
        """Have a fork of our own. Safe to repeat. Raises TemporaryError while it is being made."""

    def fork_branch(self, package: str, branch: str) -> str:
        """The commit of a branch of our fork; "" where there is none."""

    def find_pull_request(self, package: str, head: str, branch: str) -> Posted | None:
        """Our open pull request from the fork's ``head`` for ``branch``."""

    def create_pull_request(self, package: str, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for the fork's ``head`` to be merged into ``branch``. One call."""

    def upload(self, package: str, archive: Path) -> None:
        """Have an archive in the lookaside cache. Safe to repeat."""
