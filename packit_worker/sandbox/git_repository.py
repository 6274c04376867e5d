"""Bare git repositories on disk, read and written without git. Used inside the sandbox only.

Only loose objects are read: the repositories are set up so that git keeps what is pushed in no packs.
"""

import shutil
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packit_worker.sandbox.git_objects import (
    FILE,
    FOLDER,
    SUBMODULE,
    CommitText,
    Entries,
    entries_of,
    header,
    object_id,
    trees,
)

CONFIG = """[core]
\trepositoryformatversion = 0
\tbare = true
[gc]
\tauto = 0
[receive]
\tunpackLimit = 1000000
\tautogc = false
\tadvertisePushOptions = true
[transfer]
\tunpackLimit = 1000000
[uploadpack]
\tallowAnySHA1InWant = true
[http]
\treceivepack = true
"""
HEADS = "refs/heads/"


@dataclass(frozen=True)
class LoggedCommit:
    """A commit as `GitRepository.log` lists it; `at` in seconds since the epoch."""

    sha: str
    message: str
    author: str
    email: str
    at: int
    parents: tuple[str, ...]


class GitRepository:
    """One bare repository. Safe to use from any thread as long as nobody pushes to the same branch."""

    def __init__(self, path: Path, default_branch: str = "main") -> None:
        self.path = path
        self._kept: set[str] = set()
        if not path.exists():
            for name in ("objects", "refs/heads", "refs/tags"):
                (path / name).mkdir(parents=True)
            (path / "config").write_text(CONFIG)
            self.set_head(default_branch)

    @property
    def default_branch(self) -> str:
        """The branch HEAD names."""
        return (self.path / "HEAD").read_text().strip().removeprefix(f"ref: {HEADS}")

    def set_head(self, branch: str) -> None:
        """Make a branch the default one."""
        (self.path / "HEAD").write_text(f"ref: {HEADS}{branch}\n")

    # objects

    def _loose(self, sha: str) -> Path:
        return self.path / "objects" / sha[:2] / sha[2:]

    def has(self, sha: str) -> bool:
        """Whether there is an object of this id."""
        return len(sha) == 40 and self._loose(sha).exists()

    def write(self, kind: str, content: bytes, sha: str | None = None) -> str:
        """Keep an object; its id."""
        sha = sha or object_id(kind, content)
        if sha in self._kept:
            return sha
        self._kept.add(sha)
        place = self._loose(sha)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            fresh = place.with_name(f"tmp_{threading.get_ident()}_{place.name}")
            fresh.write_bytes(zlib.compress(header(kind, content) + content, 1))
            fresh.replace(place)
        return sha

    def read(self, sha: str) -> tuple[str, bytes]:
        """Kind and content of an object. Raises KeyError."""
        try:
            raw = zlib.decompress(self._loose(sha).read_bytes())
        except OSError:
            raise KeyError(f"No object {sha} in {self.path.name}") from None
        head, _, content = raw.partition(b"\0")
        return head.split(b" ")[0].decode(), content

    # refs

    def refs(self) -> dict[str, str]:
        """All refs with full names, sorted: the id each has."""
        found = {}
        packed = self.path / "packed-refs"
        if packed.exists():
            for line in packed.read_text().splitlines():
                sha, _, name = line.partition(" ")
                if name and len(sha) == 40:
                    found[name] = sha
        for file in (self.path / "refs").rglob("*"):
            if file.is_file() and not file.name.endswith(".lock"):
                found[str(file.relative_to(self.path))] = file.read_text().strip()
        return dict(sorted(found.items()))

    def set_ref(self, name: str, sha: str) -> None:
        """Let a ref (full name) be this commit."""
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f"{place.name}.{threading.get_ident()}.lock")
        fresh.write_text(f"{sha}\n")
        fresh.replace(place)

    def pack_refs(self, refs: Mapping[str, str]) -> None:
        """Let these be all refs that are kept in one file."""
        lines = [f"{sha} {name}\n" for name, sha in sorted(refs.items())]
        fresh = self.path / f"packed-refs.{threading.get_ident()}.new"
        fresh.write_text("# pack-refs with: sorted \n" + "".join(lines))
        fresh.replace(self.path / "packed-refs")

    def branches(self) -> dict[str, str]:
        """The branches: the id of the last commit of each."""
        return {name.removeprefix(HEADS): sha for name, sha in self.refs().items() if name.startswith(HEADS)}

    def find(self, ref: str) -> str | None:
        """The commit of a branch, a tag, a full ref, HEAD or an id (seven characters at least)."""
        refs = self.refs()
        names = [ref, f"{HEADS}{ref}", f"refs/tags/{ref}"]
        if ref == "HEAD":
            names = [f"{HEADS}{self.default_branch}"]
        sha = next((refs[name] for name in names if name in refs), None)
        if sha is None and len(ref) >= 7 and all(letter in "0123456789abcdef" for letter in ref):
            sha = next((f"{ref[:2]}{file.name}" for file in self._objects_like(ref)), None)
        if sha is None:
            return None
        kind, content = self.read(sha)
        if kind == "tag":  # an annotated one names its commit in its first line
            return content.split(b"\n", 1)[0].decode().removeprefix("object ")
        return sha if kind == "commit" else None

    def _objects_like(self, start: str) -> Iterator[Path]:
        return (self.path / "objects" / start[:2]).glob(f"{start[2:]}*")

    # commits

    def commit_text(self, sha: str) -> CommitText:
        """What stands in a commit. Raises KeyError."""
        return CommitText.decode(self.read(sha)[1])

    def entries(self, ref: str) -> dict[str, tuple[str, str]]:
        """All files at a ref: mode and id. Raises KeyError."""
        sha = self.find(ref)
        if sha is None:
            raise KeyError(f"No {ref} in {self.path.name}")
        return dict(self._walk(self.commit_text(sha).tree, ""))

    def _walk(self, tree: str, prefix: str) -> Iterator[tuple[str, tuple[str, str]]]:
        for mode, name, sha in entries_of(self.read(tree)[1]):
            if mode == FOLDER:
                yield from self._walk(sha, f"{prefix}{name}/")
            elif mode != SUBMODULE:
                yield f"{prefix}{name}", (mode, sha)

    def files(self, ref: str) -> dict[str, bytes]:
        """All files at a ref. Raises KeyError."""
        return {path: self.read(sha)[1] for path, (_, sha) in self.entries(ref).items()}

    def log(self, ref: str) -> list[LoggedCommit]:
        """The commits of a ref, newest first, along first parents. Raises KeyError."""
        sha = self.find(ref)
        if sha is None:
            raise KeyError(f"No {ref} in {self.path.name}")
        found = []
        while sha is not None:
            text = self.commit_text(sha)
            found.append(
                LoggedCommit(sha, text.message.strip(), text.author, text.email, text.seconds, text.parents)
            )
            sha = text.parents[0] if text.parents else None
        return found

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit comes before another, or is the same."""
        return older in self.reachable(newer)

    def reachable(self, sha: str) -> set[str]:
        """The commits that come before one, with itself."""
        found, left = set(), [sha]
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left.extend(self.commit_text(one).parents)
        return found

    def commit(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        *,
        message: str,
        author: str = "nobody",
        email: str | None = None,
        parent: str | None = None,
        seconds: int | None = None,
    ) -> str:
        """Commit to a branch on top of it or of `parent`; a content of None removes the file. The new id."""
        on = parent or self.branches().get(branch)
        entries = dict(self._walk(self.commit_text(on).tree, "")) if on else {}
        for path, content in files.items():
            if content is None:
                entries.pop(path, None)
            else:
                data = content.encode() if isinstance(content, str) else content
                entries[path] = entries.get(path, (FILE, ""))[0], self.write("blob", data)
        text = CommitText(
            self.write_trees(entries),
            (on,) if on else (),
            author,
            email or f"{author}@users.noreply.example.com",
            int(time.time()) if seconds is None else seconds,
            message,
        )
        sha = self.write("commit", text.encode())
        self.set_ref(f"{HEADS}{branch}", sha)
        return sha

    def write_trees(self, entries: Entries) -> str:
        """Keep the trees of these files; the id of the top one."""
        top = ""
        for top, kind, content in trees(entries):
            self.write(kind, content, top)
        return top

    def take(self, other: "GitRepository") -> None:
        """Copy all objects of another repository that are missing here."""
        for file in (other.path / "objects").glob("??/*"):
            place = self.path / "objects" / file.parent.name / file.name
            if not place.exists() and len(file.name) == 38:
                place.parent.mkdir(exist_ok=True)
                shutil.copyfile(file, place)


class GitStore:
    """Bare repositories in one directory, which is made when first needed and gone with the store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: Path | None = None
        self._remove: weakref.finalize[..., GitStore] | None = None

    @property
    def root(self) -> Path:
        """The directory."""
        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="packit-sandbox-git-"))
                self._remove = weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)
            return self._root

    def repository(self, name: str, default_branch: str = "main") -> GitRepository:
        """The repository in ``<name>.git``, made if there is none."""
        return GitRepository(self.root / f"{name}.git", default_branch)

    def clear(self) -> None:
        """No more repositories."""
        with self._lock:
            if self._remove is not None:
                self._remove()
            self._root = self._remove = None
