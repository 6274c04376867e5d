"""Directories that a jail works in: made, handed over, removed with whatever was left there. The package uses it."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from packit_worker.cell import jail

log = logging.getLogger(__name__)


@contextlib.contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """A fresh directory that a jail can work in, removed afterwards with all that a jail left there."""
    folder = Path(tempfile.mkdtemp(prefix="packit-worker-cell-", dir=parent)).resolve()
    try:
        if os.geteuid() == 0:
            # The jail's user has to get to what lies below; others may not look around.
            folder.chmod(0o711)
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """rm, because it copes with any depth; chmod, because of directories that forbid their owner to look inside."""
    for command in (["chmod", "-R", "u+rwX", "--", str(folder)], ["rm", "-rf", "--", str(folder)]):
        # Of the system, whatever PATH says; the path is one of ours.
        done = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, check=False)  # noqa: S603
    if done.returncode != 0:
        log.error("%s could not be removed: %s", folder, done.stderr.decode(errors="replace").strip())


def hand_over(path: Path) -> None:
    """Give root's files to the user of the jail. Never follows a link; no jail is running on them."""
    if os.geteuid() != 0:
        return
    os.lchown(path, jail.NOBODY, jail.NOBODY)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.lchown(Path(folder, name), jail.NOBODY, jail.NOBODY)
