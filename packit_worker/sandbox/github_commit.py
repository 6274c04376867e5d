"""A commit of the stand-in for GitHub, and what git makes of it. Used inside the sandbox only."""

from collections.abc import Mapping
from dataclasses import dataclass

from packit_worker.sandbox.clock import seconds_from
from packit_worker.sandbox.git_objects import CommitText


@dataclass(frozen=True)
class Commit:
    """A commit with all files of its tree: path -> content. `sha` and `tree` are the ids git gives to them."""

    sha: str
    files: Mapping[str, bytes]
    message: str
    author: str | None
    parents: tuple[str, ...]
    at: str
    tree: str


def text_of(commit: Commit) -> CommitText:
    """The commit in git's terms."""
    name = commit.author or "ghost"
    email = f"{name}@users.noreply.example.com"
    return CommitText(commit.tree, commit.parents, name, email, seconds_from(commit.at), commit.message)
