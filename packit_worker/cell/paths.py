"""Paths that somebody else wrote: kept inside a directory, and files taken out of it. Anybody may import it."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from packit_worker.errors import UserError

_LONGEST = 1000


def inside(root: Path, path: str) -> Path:
    """The place below ``root`` that a path from a configuration means. It need not exist.

    Raises UserError for an absolute path, for ``..``, for git's own directory and where a link leads out of ``root``.
    """
    parts = PurePosixPath(path).parts
    if not path or len(path) > _LONGEST or any(ord(character) < 32 for character in path):
        raise _refused(path, "is no path")
    if path.startswith(("/", "~")) or ".." in parts:
        raise _refused(path, "leads out of the repository")
    if any(part.lower().rstrip(". ") == ".git" for part in parts):
        raise _refused(path, "leads into git's own directory")
    base = root.resolve(strict=True)
    try:
        found = (base / path).resolve()
    except (OSError, RuntimeError) as error:
        raise _refused(path, "has links that lead nowhere") from error
    if not found.is_relative_to(base):
        raise _refused(path, "is a link that leads out of the repository")
    return found


def take_out(root: Path, path: str, to: Path, *, limit: int) -> Path:
    """Copy a file that a jail made to ``to``, which must not be there yet. No jail may be running on ``root``.

    Only a plain file reached without any link is taken, and at most ``limit`` bytes: a link would fetch what the
    worker can read and the jail cannot. Raises UserError for anything else.
    """
    parts = PurePosixPath(path).parts
    inside(root, path)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for number, part in enumerate(parts, 1):
            # A named pipe would keep us waiting without O_NONBLOCK.
            kind = os.O_DIRECTORY if number < len(parts) else os.O_NONBLOCK
            following = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | kind, dir_fd=folder)
            os.close(folder)
            folder = following
        found = os.fstat(folder)
        if not stat.S_ISREG(found.st_mode):
            raise _refused(path, "is no plain file")
        if found.st_size > limit:
            raise _refused(path, f"is larger than {limit} bytes")
        with open(to, "xb") as target:
            while data := os.read(folder, 1 << 20):
                target.write(data)
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from error
    finally:
        os.close(folder)
    return to


def _refused(path: str, reason: str) -> UserError:
    return UserError(
        f"The path {path[:200]!r} {reason}.",
        next_step="Correct the path: it has to lie inside the repository.",
    )
