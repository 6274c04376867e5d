"""Several commands of the program packit upon the same copies of repositories. ``packit`` of this package uses it."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import time
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from packit_worker.cell import git, jail, paths
from packit_worker.cell.cell import Cell
from packit_worker.cell.limits import GIB, Finished, KilledBy, Limits
from packit_worker.cell.network import Resolve
from packit_worker.cell.program import Program
from packit_worker.cell.spaces import workspace
from packit_worker.errors import TemporaryError, UserError

#: Lines and characters of a failed program's output that users are shown.
_LINES, _CHARACTERS = 30, 3500
#: Bytes of a file that is taken out of a jail.
LARGEST = 2 * GIB
_SHA = re.compile(r"[0-9a-f]{40,64}")
#: What the copy of an upstream repository has checked out.
BRANCH = "packit-worker"


class PackitFailed(UserError):
    """packit, an action or rpmbuild failed; ``output`` is the end of what it said, without secrets."""

    def __init__(self, message: str, *, output: str, next_step: str) -> None:
        super().__init__(message, next_step=next_step)
        self.output = output


class Session(AbstractContextManager["Session"]):
    """One work directory, the copies in it, and one span of time for all commands."""

    def __init__(
        self,
        program: Program,
        files: Mapping[str, str],
        limits: Limits,
        allow: Sequence[str],
        resolve: Resolve,
        doing: str,
    ) -> None:
        self._program, self._files, self._limits = program, files, limits
        self._allow, self._resolve, self._doing = allow, resolve, doing
        self._deadline = time.monotonic() + limits.seconds
        self._space = workspace()

    def __enter__(self) -> Session:
        """Raises NoCell where the jail cannot get to the program."""
        self._program.check()
        self.work = self._space.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._space.__exit__(kind, error, trace)

    def bring(self, repository: Path, name: str, commit: str) -> None:
        """Copy a clone and check out a commit, in the jail: links are links there, and lead nowhere outside."""
        if not _SHA.fullmatch(commit):
            raise ValueError(f"{commit!r} is no commit")
        shutil.copytree(repository / ".git", self.work / name / ".git", symlinks=True)
        self.run(["git", "checkout", "--quiet", "--force", "-B", BRANCH, commit, "--"], name)

    def merge(self, name: str, ref: str) -> None:
        """Merge a ref into what is checked out. Raises UserError where they are in conflict."""
        command = ["git", "merge", "--quiet", "--no-edit", "--no-verify", ref]
        merged = self.run(command, name, fine=(0, 1))
        if not merged.well:
            raise UserError(
                f"It cannot be merged into its target without conflicts.\n\n{_block(merged.output)}",
                next_step="Bring it up to date with its target, or set merge_pr_in_ci: false to build it as it is.",
            )

    def bring_dist_git(self, repository: Path, branch: str) -> str:
        """Copy a dist-git clone to where packit fetches from and pushes to; returns the commit of the branch."""
        ref = git.full_ref(f"refs/remotes/origin/{branch}")
        shutil.copytree(repository / ".git", self.work / "dist-git.git", symlinks=True)
        self.run(["git", "config", "core.bare", "true"], "dist-git.git")
        self.run(["git", "update-ref", f"refs/heads/{branch}", ref], "dist-git.git")
        self.run(["git", "symbolic-ref", "HEAD", f"refs/heads/{branch}"], "dist-git.git")
        return self._commit("dist-git.git", f"refs/heads/{branch}")

    def bundle(self, name: str, ref: str, before: str, repository: Path) -> str | None:
        """Take the new commits of ``ref`` into ``repository``; returns the last one, None where there is none."""
        if self._commit(name, ref) == before:
            return None
        self.run(["git", "bundle", "create", "--quiet", f"{jail.WORK}/bundle", ref, f"^{before}"], name)
        with workspace() as place:
            file = paths.take_out(self.work, "bundle", place / "bundle", limit=LARGEST)
            return git.take(repository, file, ref)

    def names(self, folder: str, ending: str) -> list[str]:
        """Names of what lies in a directory of the work directory and ends so."""
        place = self.work / folder
        if place.is_symlink() or not place.is_dir():
            return []
        return sorted(name for name in os.listdir(place) if name.endswith(ending))

    def run(self, command: list[str], folder: str = ".", fine: Sequence[int] = (0,)) -> Finished:
        """Run a command in a jail; raises the error that follows from how it ended."""
        left = max(0.1, self._deadline - time.monotonic())
        cell = Cell(
            self.work,
            limits=dataclasses.replace(self._limits, seconds=left),
            allow=self._allow,
            read_only=self._program.needs,
            files=self._files,
            environment=self._program.environment(),
            resolve=self._resolve,
        )
        finished = cell.run(command, folder=folder)
        if finished.killed_by is KilledBy.FULL_DISK:
            raise TemporaryError("the disk of the worker is full", retry_after=300)
        if finished.timed_out:
            raise PackitFailed(
                f"{self._doing} timed out after {self._limits.seconds:.0f} s.\n\n{_block(finished.output)}",
                output=finished.output,
                next_step="Make it quicker, or ask the operators of this service for more time.",
            )
        if finished.killed_by is not None:
            raise PackitFailed(
                f"{self._doing} used too much: it was ended at the limit for {finished.killed_by}."
                f"\n\n{_block(finished.output)}",
                output=finished.output,
                next_step="Look at what the actions of the configuration and the spec file do.",
            )
        if finished.exit_code not in fine:
            raise PackitFailed(
                f"{self._doing} failed: {Path(command[0]).name} ended with exit code {finished.exit_code}."
                f"\n\n{_block(finished.output)}",
                output=finished.output,
                next_step="Correct what the last lines complain about and push again.",
            )
        return finished

    def _commit(self, name: str, ref: str) -> str:
        said = self.run(["git", "rev-parse", "--verify", "--end-of-options", ref], name).output.strip()
        if not _SHA.fullmatch(said):
            raise UserError(
                f"{ref} is no commit: {said[:100]!r}", next_step="Look whether the repository is in order."
            )
        return said


def _block(output: str) -> str:
    """The last lines as a block of code in Markdown; its fence is longer than any in it."""
    text = "\n".join(output.rstrip().splitlines()[-_LINES:])[-_CHARACTERS:]
    body = "".join(
        letter if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs") else " "
        for letter in text
    )
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
    return f"{fence}\n{body}\n{fence}"
