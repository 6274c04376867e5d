"""The repositories of the stand-in for GitHub over git's own protocol. Used inside the sandbox only.

``<address>/<owner>/<name>.git`` with ``refs/heads/*``, ``refs/tags/*``, ``refs/pull/N/head`` and ``refs/pull/N/merge``.
A bare repository is written out when somebody asks for it, and what is pushed is read in again.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from packit_worker.sandbox.clock import iso_from
from packit_worker.sandbox.git_http import is_push, refuse, repository_of, serve
from packit_worker.sandbox.git_objects import FILE, object_id
from packit_worker.sandbox.git_repository import HEADS, GitRepository, GitStore
from packit_worker.sandbox.github_commit import Commit, text_of
from packit_worker.sandbox.github_gate import Caller, Gate
from packit_worker.sandbox.github_state import (
    GitHubError,
    GitHubState,
    MovedRepository,
    PullRequest,
    Repository,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TAGS = "refs/tags/"
REFUSED_BY_GIT = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|\.lock(/|$)|//|/$|\.$")
WRITERS = ("admin", "maintain", "write")


Pushed = Callable[[Repository, dict[str, str]], None]
"""Called after a push, with the lock held: the repository, and its branches as they were before."""


class GitSide:
    """Serves the repositories of a GitHub to git."""

    def __init__(self, state: GitHubState, gate: Gate, pushed: Pushed) -> None:
        self._state = state
        self._gate = gate
        self._pushed = pushed
        self._store = GitStore()
        self._written: dict[int, tuple[GitRepository, set[str]]] = {}

    def clear(self) -> None:
        """Forget what was written out."""
        with self._state.lock:
            self._written.clear()
            self._store.clear()

    def in_front_of(self, wsgi: "WSGIApplication") -> "WSGIApplication":
        """`wsgi`, which then answers git clients too."""

        def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
            asked = repository_of(environ["PATH_INFO"])
            if asked is None or asked[0].count("/") != 1 or asked[0].startswith("repos/"):
                return wsgi(environ, start_response)
            return self._answer(environ, start_response, *asked)

        return answer

    def _answer(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", name: str, rest: str
    ) -> "Iterable[bytes]":
        push, caller = is_push(environ), self._caller(environ)
        with self._state.lock:
            try:
                found = self._state.repository(name)
            except MovedRepository as moved:
                new = [one for one in self._state.repositories.values() if one.id == moved.number]
                query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
                place = f"{environ.get('SCRIPT_NAME', '')}/{new[0].full_name}.git{rest}{query}"
                start_response("301 Moved Permanently", [("Location", place)])
                return [b""]
            except GitHubError:
                return self._stranger(start_response, caller)
            if not self._may(caller, found, write=push):
                if caller is None:
                    return self._stranger(start_response, caller)
                return refuse(start_response, "403 Forbidden", "Write access to repository not granted.")
            bare = self.write_out(found)
        body = serve(environ, start_response, bare.path, rest, caller.login if push and caller else "")
        if push and environ["REQUEST_METHOD"] == "POST":
            with self._state.lock:
                before = dict(found.branches)
                self._read_in(found, bare)
                self._pushed(found, before)
        return body

    def _stranger(self, start_response: "StartResponse", caller: Caller | None) -> list[bytes]:
        """GitHub asks for a password also where there is nothing, so as not to tell what there is."""
        status = "401 Unauthorized" if caller is None else "404 Not Found"
        return refuse(start_response, status, "Repository not found.")

    def _caller(self, environ: "WSGIEnvironment") -> Caller | None:
        try:
            return self._gate.identify(environ.get("HTTP_AUTHORIZATION", ""))
        except GitHubError:
            return None

    def _may(self, caller: Caller | None, repository: Repository, *, write: bool) -> bool:
        if not write and not repository.private:
            return True
        if caller is None or (write and repository.archived):
            return False
        if caller.reads_only:
            return not write and caller.reads_only == repository.name
        if caller.installation is not None:
            return caller.installation.id == repository.installation_id
        role = repository.permission(caller.login)
        return role in WRITERS if write else role != "none"

    def write_out(self, repository: Repository) -> GitRepository:
        """The bare repository with everything the sandbox knows now. Hold the state's lock."""
        if repository.id not in self._written:
            self._written[repository.id] = self._store.repository(str(repository.id)), set()
        bare, written = self._written[repository.id]
        bare.set_head(repository.default_branch)
        for sha, commit in repository.commits.items():
            if sha not in written:
                _write(bare, commit, with_tree=commit.tree not in written)
                written |= {sha, commit.tree}
        refs = {f"{HEADS}{branch}": sha for branch, sha in repository.branches.items()}
        refs |= {f"{TAGS}{tag}": sha for tag, sha in repository.tags.items()}
        for issue in repository.issues.values():
            if isinstance(issue, PullRequest):
                refs[f"refs/pull/{issue.number}/head"] = issue.head_sha
                if issue.merge_commit_sha and issue.state == "open":
                    refs[f"refs/pull/{issue.number}/merge"] = issue.merge_commit_sha
        bare.pack_refs({name: sha for name, sha in refs.items() if not REFUSED_BY_GIT.search(name)})
        for file in (bare.path / "refs").rglob("*"):
            if file.is_file():
                file.unlink()
        return bare

    def _read_in(self, repository: Repository, bare: GitRepository) -> None:
        """Take over the branches, tags and commits that were pushed."""
        refs = bare.refs()
        repository.branches = {
            name.removeprefix(HEADS): sha for name, sha in refs.items() if name.startswith(HEADS)
        }
        for name in [name for name in refs if name.startswith(TAGS)]:
            commit = bare.find(name)
            if commit is not None:
                repository.tags[name.removeprefix(TAGS)] = commit
        left = [*repository.branches.values(), *repository.tags.values()]
        while left:
            sha = left.pop()
            if sha in repository.commits or not bare.has(sha):
                continue
            text = bare.commit_text(sha)
            repository.commits[sha] = Commit(
                sha,
                bare.files(sha),
                text.message.rstrip("\n"),
                text.author,
                text.parents,
                iso_from(text.seconds),
                text.tree,
            )
            self._written[repository.id][1].add(sha)
            left.extend(text.parents)


def _write(bare: GitRepository, commit: Commit, *, with_tree: bool) -> None:
    if with_tree:
        entries = {path: (FILE, bare.write("blob", content)) for path, content in commit.files.items()}
        bare.write_trees(entries)
    content = text_of(commit).encode()
    # A commit that was pushed says more than the sandbox keeps of it: it is on disk already.
    if object_id("commit", content) == commit.sha:
        bare.write("commit", content, commit.sha)
