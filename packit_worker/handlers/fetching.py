"""Fetching a project's commits for packit to work on: outside of the jail, where a token is safe from its code."""

from __future__ import annotations

from pathlib import Path

from packit_worker.cell import git
from packit_worker.orders.koji import address_of
from packit_worker.ports import ForgeProject


def fetch(project: ForgeProject, ref: str, into: Path, *, tags: bool = True, also: str | None = None) -> str:
    """Fetch ``ref`` (a full name) of a project into the new directory ``into``, as ``git.clone`` does.

    What the world cannot read is read with our account there. Calls as ``read_access`` makes, and git's own. Raises
    UserError, Refused, NotFound, TemporaryError.
    """
    return git.clone(
        f"{project.url}.git",
        ref,
        into,
        tags=tags,
        also=also,
        login=project.read_access(),
        allow=[address_of(project.url)],
    )
