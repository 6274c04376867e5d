"""What packit finds as ``fedpkg`` in the jail: the two sub-commands it needs, without network and tokens.

``fedpkg [options] clone [options] <package> <directory>`` clones the dist-git repository that lies in the jail, and
``fedpkg new-sources [--offline] <archive>...`` writes ``sources`` and ``.gitignore`` as the real one does, and lays the
archives aside: uploading them is for somebody with a token, outside. Nobody imports it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

REPOSITORY, ARCHIVES = Path("/work/dist-git.git"), Path("/work/archives")
#: Options of ``clone`` and of all commands that have a value.
_WITH_VALUE = ("--user", "--branch", "-b", "--path", "--name", "--namespace", "--release", "-C")


def main(arguments: list[str]) -> int:
    """Carry out one command line; returns the exit code."""
    options, words = _read(arguments)
    if words[:1] == ["clone"] and len(words) == 3:
        branch = options.get("--branch") or options.get("-b")
        chosen = ["--branch", branch] if branch else []
        os.execvp("git", ["git", "clone", "--quiet", *chosen, "--", str(REPOSITORY), words[2]])  # noqa: S606, S607 - in the jail, where nothing is to be gained
    if words[:1] == ["new-sources"]:
        new_sources([Path(word) for word in words[1:]])
        return 0
    print(f"fedpkg: {' '.join(arguments)!r} cannot be done here", file=sys.stderr)  # noqa: T201 - a program's voice
    return 2


def new_sources(archives: list[Path]) -> None:
    """Name the archives in ``sources`` (https://docs.fedoraproject.org/en-US/package-maintainers/Package_Maintenance_Guide)."""
    ARCHIVES.mkdir(exist_ok=True)
    lines = []
    for archive in archives:
        with archive.open("rb") as content:
            digest = hashlib.file_digest(content, "sha512").hexdigest()
        lines.append(f"SHA512 ({archive.name}) = {digest}\n")
        shutil.copyfile(archive, ARCHIVES / archive.name)
    Path("sources").write_text("".join(lines))
    ignored = Path(".gitignore")
    before = ignored.read_text().splitlines() if ignored.exists() else []
    new = [f"/{archive.name}" for archive in archives if f"/{archive.name}" not in before]
    ignored.write_text("".join(f"{line}\n" for line in [*before, *new]))
    os.execvp("git", ["git", "add", "--", "sources", ".gitignore"])  # noqa: S606, S607 - in the jail, where nothing is to be gained


def _read(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    words = []
    waiting = iter(arguments)
    for word in waiting:
        if word in _WITH_VALUE:
            options[word] = next(waiting, "")
        elif not word.startswith("-"):
            words.append(word)
    return options, words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
