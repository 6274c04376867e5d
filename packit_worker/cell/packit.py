"""What the program packit does for us, each time in a fresh jail and without tokens. Handlers use it.

A clone that is handed in (made with ``git.clone``) is copied and never written to by a jail, so that it stays fit for
``git.push``. What comes back is files and commits; uploading, pushing and pull requests are the caller's, outside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packit_worker.cell import git, jail, paths
from packit_worker.cell import program as programs
from packit_worker.cell.limits import Limits
from packit_worker.cell.network import Resolve, resolve
from packit_worker.cell.session import BRANCH, LARGEST, PackitFailed, Session
from packit_worker.errors import UserError

_SRPM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^%-]*\.src\.rpm")
#: Stands in front of what is asked for in the output of a command.
_MARK = "packit-worker: "
_ARCHIVE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^%@-]*")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A commit that packit made, now in the clone it is for. ``archives`` are new sources, to be uploaded first."""

    commit: str
    archives: tuple[Path, ...] = ()


class Packit:
    """The program packit in jails with these limits, which hold for one call of a method altogether.

    ``program`` is its path (None: the one in PATH). ``allow`` names the hosts that sources are downloaded from, as in
    ``Cell``. ``author`` and ``email`` stand in the commits it makes.
    """

    def __init__(
        self,
        program: str | Path | None = None,
        *,
        limits: Limits | None = None,
        allow: Sequence[str] = (),
        author: str = "packit_worker",
        email: str = "packit-worker@localhost",
        resolve: Resolve = resolve,
    ) -> None:
        self.program = programs.find(program)
        self.limits = limits or Limits()
        self.allow = tuple(allow)
        self.resolve = resolve
        self.files = programs.files(author, email, allow)

    def srpm(
        self,
        repository: Path,
        commit: str,
        into: Path,
        *,
        package: str | None = None,
        job_index: int | None = None,
        release_suffix: str | None = None,
        merge: str | None = None,
    ) -> Path:
        """Make the source package of a commit and put it into the directory ``into``; returns its path there.

        ``merge`` is a ref of the repository that is merged into the commit before, as a forge would merge it. Raises
        PackitFailed, UserError (conflicts, time-out, limits), NoCell, TemporaryError.
        """
        options: list[str] = []
        if package is not None:
            options += [f"--package={package}"]
        if job_index is not None:
            options += ["--job-config-index", str(job_index)]
        if release_suffix is not None:
            options += [f"--release-suffix={release_suffix}"]
        with self._session("making the source package") as session:
            session.bring(repository, "upstream", commit)
            if merge is not None:
                session.merge("upstream", git.full_ref(merge))
            session.run(
                [*self._packit, "prepare-sources", *options, "--result-dir", f"{jail.WORK}/sources", "."],
                "upstream",
            )
            specs = session.names("sources", ".spec")
            if len(specs) != 1:
                raise PackitFailed(
                    f"packit prepared {len(specs)} spec files; a source package is made of one.",
                    output="\n".join(specs),
                    next_step="Say in the configuration which package is meant (specfile_path, packages).",
                )
            session.run(_rpmbuild(specs[0]), "sources")
            made = session.names("result", ".src.rpm")
            if len(made) != 1 or not _SRPM.fullmatch(made[0]):
                raise PackitFailed(
                    "rpmbuild made no source package.",
                    output="\n".join(made),
                    next_step="Look at the spec file: rpmbuild -bs has to make one source package.",
                )
            return paths.take_out(session.work, f"result/{made[0]}", into / made[0], limit=LARGEST)

    def propose_downstream(
        self,
        upstream: Path,
        commit: str,
        dist_git: Path,
        branch: str,
        version: str,
        into: Path,
        *,
        package: str | None = None,
        bugs: Sequence[str] = (),
    ) -> Proposal | None:
        """Update a dist-git branch to a release. Returns the commit, now in ``dist_git``; None where nothing changed.

        ``dist_git`` is a clone with ``refs/remotes/origin/<branch>``; new archives are put into ``into``. packit checks
        out the release's tag itself. Where no ``bugs`` are given it looks for one in Bugzilla, if
        ``bugzilla.redhat.com`` is allowed. Raises like ``srpm``.
        """
        options = [f"--package={package}"] if package is not None else []
        options += [f"--resolve-bug={bug}" for bug in bugs]
        _word(version, "version")
        with self._session(f"updating {branch} to {version}") as session:
            session.bring(upstream, "upstream", commit)
            before = session.bring_dist_git(dist_git, branch)
            session.run(["git", "clone", "--quiet", "--branch", branch, "--", "dist-git.git", "dist-git"])
            session.run(
                [
                    *self._with_dist_git(branch),
                    *("propose-downstream", "--no-pr", "--dist-git-path", f"{jail.WORK}/dist-git"),
                    *("--dist-git-branch", branch, *options, ".", version),
                ],
                "upstream",
            )
            made = session.bundle("dist-git.git", f"refs/heads/{branch}", before, dist_git)
            if made is None:
                return None
            archives = []
            for name in session.names("archives", ""):
                if not _ARCHIVE.fullmatch(name):
                    raise UserError(
                        f"An archive has a strange name: {name!r}.", next_step="Rename it in the spec file."
                    )
                archives.append(paths.take_out(session.work, f"archives/{name}", into / name, limit=LARGEST))
            return Proposal(commit=made, archives=tuple(archives))

    def sync_from_downstream(
        self,
        upstream: Path,
        commit: str,
        dist_git: Path,
        branch: str,
        message: str,
        *,
        package: str | None = None,
    ) -> Proposal | None:
        """Bring the synchronised files of a dist-git branch back.

        Returns a commit upon ``commit``, now in ``upstream``; None where the files are the same. Raises like ``srpm``.
        """
        options = [f"--package={package}"] if package is not None else []
        with self._session(f"synchronising from {branch}") as session:
            session.bring(upstream, "upstream", commit)
            session.bring_dist_git(dist_git, branch)
            session.run(
                [
                    *self._with_dist_git(branch),
                    *("sync-from-downstream", "--no-pr", "--dist-git-branch", branch),
                    *("--upstream-branch", BRANCH, *options, "."),
                ],
                "upstream",
            )
            session.run(["git", "add", "--all"], "upstream")
            if session.run(["git", "diff", "--cached", "--quiet"], "upstream", fine=(0, 1)).well:
                return None
            session.run(["git", "commit", "--quiet", "--no-verify", f"--message={message}"], "upstream")
            made = session.bundle("upstream", f"refs/heads/{BRANCH}", commit, upstream)
            return None if made is None else Proposal(commit=made)

    def url_of(self, dist_git: Path, commit: str, spec: str) -> str:
        """What the URL tag of a spec file (its name in the top directory) comes to. Raises like ``srpm``."""
        _word(spec, "name of a spec file")
        with self._session(f"reading the URL in {spec}") as session:
            session.bring(dist_git, "dist-git", commit)
            query = ["--query", "--srpm", "--queryformat", f"{_MARK}%{{URL}}\\n"]
            said = session.run(["rpmspec", *query, f"./{spec}"], "dist-git")
        # RPM's warnings come on the same way.
        found = [line.removeprefix(_MARK) for line in said.output.splitlines() if line.startswith(_MARK)]
        if not found or "%" in found[-1]:
            raise PackitFailed(
                f"RPM does not know what the URL in {spec} is.",
                output=said.output,
                next_step="Write it without macros.",
            )
        return found[-1]

    def _session(self, doing: str) -> Session:
        return Session(self.program, self.files, self.limits, self.allow, self.resolve, doing)

    @property
    def _packit(self) -> list[str]:
        return [str(self.program.path), "--debug"]

    def _with_dist_git(self, branch: str) -> list[str]:
        git.full_ref(f"refs/heads/{branch}")
        _word(branch, "branch")
        return [str(jail.python()), "-I", "-S", programs.DIST_GIT, branch, *self._packit]


def _rpmbuild(spec: str) -> list[str]:
    """The command that makes a source package: https://rpm-software-management.github.io/rpm/man/rpmbuild.8"""
    places = {"_topdir": "rpm", "_sourcedir": "sources", "_specdir": "sources", "_srcrpmdir": "result"}
    defines = [word for name, place in places.items() for word in ("--define", f"{name} {jail.WORK}/{place}")]
    return ["rpmbuild", "-bs", *defines, f"./{spec}"]


def _word(text: str, what: str) -> None:
    if not text or text.startswith("-") or any(ord(character) <= 32 for character in text):
        raise UserError(f"{text[:100]!r} is no {what}.", next_step=f"Correct the {what}.")
