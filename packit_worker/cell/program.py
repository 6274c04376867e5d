"""The program packit: where it is, and what it finds in the jail. ``packit`` of this package uses it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from packit_worker.cell import jail
from packit_worker.cell.missing import NoCell

#: Inside.
TOOLS = "/cell/bin"
DIST_GIT = f"{TOOLS}/dist_git.py"
#: Modules that come before packit's own libraries.
_MODULES = "/cell/modules"
#: Where packit looks for the bug that release monitoring opens about a new version.
_BUGZILLA = "bugzilla.redhat.com"
#: Where ``inside/dist_git.py`` answers. By name, because curl and requests agree only on that in no_proxy.
_DIST_GIT_URL = "http://localhost:3129"


@dataclass(frozen=True)
class Program:
    """An installed packit: the program itself, and the directories outside of /usr that it needs."""

    path: Path
    needs: tuple[Path, ...]

    def environment(self) -> Mapping[str, str]:
        """What it finds in its environment: our tools first, then those it was installed with."""
        return {
            "PATH": f"{TOOLS}:{self.path.parent}:/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin",
            # https://packit.dev/docs/configuration: where no dist_git_base_url is configured.
            "DISTGIT_URL": f"{_DIST_GIT_URL}/",
            "DISTGIT_NAMESPACE": "rpms",
            "no_proxy": "localhost",
            "PYTHONPATH": _MODULES,
            "GIT_TERMINAL_PROMPT": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def check(self) -> None:
        """Raises NoCell where the user of the jail, whom root lends to it, cannot get to what is needed."""
        for place in self.needs if os.geteuid() == 0 else ():
            if not all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents)):
                raise NoCell(
                    f"This service cannot prepare sources at the moment: other users may not look into {place}.",
                    next_step="Whoever operates the service: install packit where the user of the jail can read it, "
                    "with a Python that it can read, for instance /usr/bin/python3.",
                )


def find(configured: str | Path | None = None) -> Program:
    """The packit that is configured, or the one in PATH. Raises NoCell where there is none that a jail could run."""
    found = shutil.which(configured or "packit")
    if found is None:
        raise NoCell(
            "This service cannot prepare sources at the moment: "
            f"the program {str(configured or 'packit')!r} is not installed.",
            next_step="Whoever operates the service: install packit and rpm-build, or correct where packit is.",
        )
    # Not resolved: a virtual environment is known by the link in it.
    path = Path(found).absolute()
    root = path.parent.parent
    if path.is_relative_to("/usr"):
        return Program(path, ())
    if not (root / "pyvenv.cfg").exists():
        return Program(path, (path.parent,))
    interpreter = (root / "bin" / "python").resolve()
    own = () if interpreter.is_relative_to("/usr") else (interpreter.parent.parent,)
    return Program(path, (root, *own))


def files(author: str, email: str, allow: Sequence[str] = ()) -> dict[str, str]:
    """The files that packit, git and the lookaside cache's client look for: path inside -> text. No token in any.

    ``allow`` are the hosts that may be talked to: where Bugzilla is not among them, no bug is found.
    """
    inside = resources.files("packit_worker.cell") / "inside"
    quoted_author, quoted_email = json.dumps(author), json.dumps(email)
    asks_bugzilla = any(host in (_BUGZILLA, f"{_BUGZILLA}:443") for host in allow)
    return {
        **({} if asks_bugzilla else {f"{_MODULES}/bugzilla.py": (inside / "bugzilla.py").read_text("utf-8")}),
        f"{jail.HOME}/.config/packit.yaml": (
            f"command_handler: local\nauthentication:\n  pagure:\n    instance_url: {_DIST_GIT_URL}\n"
        ),
        f"{jail.HOME}/.gitconfig": (
            f"[user]\n\tname = {quoted_author}\n\temail = {quoted_email}\n"
            "[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"
        ),
        # What fedora-distro-aliases falls back upon: no release. Branches are named one by one here, never by an alias.
        f"{jail.HOME}/.cache/fedora-distro-aliases/cache.json": '{"data": [], "timestamp": 0}',
        "/etc/rpkg/fedpkg.conf": (
            f"[fedpkg]\nlookaside = {_DIST_GIT_URL}/repo/pkgs\nlookasidehash = sha512\nlookaside_namespaced = True\n"
            f"lookaside_cgi = {_DIST_GIT_URL}/repo/pkgs/upload.cgi\n"
        ),
        f"{TOOLS}/fedpkg": f"#!{jail.python()} -IS\n" + (inside / "fedpkg.py").read_text("utf-8"),
        DIST_GIT: (inside / "dist_git.py").read_text("utf-8"),
    }
