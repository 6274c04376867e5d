"""Git objects: how files and commits become bytes and get their ids. Used inside the sandbox only.

No git process is started. Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FILE, FOLDER, SUBMODULE = "100644", "40000", "160000"

Entries = Mapping[str, tuple[str, str]]
"""Path -> mode and id of a blob: all files of a tree and of the trees below it."""
Found = Iterator[tuple[str, str, bytes]]
"""Objects: id, kind, content."""


@dataclass(frozen=True)
class CommitText:
    """What stands in a commit. `seconds` is its time since the epoch; author and committer are one."""

    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    seconds: int
    message: str

    def encode(self) -> bytes:
        """The commit as git keeps it."""
        person = f"{_plain(self.author)} <{_plain(self.email)}> {self.seconds} +0000"
        lines = [f"tree {self.tree}", *(f"parent {parent}" for parent in self.parents)]
        lines += [f"author {person}", f"committer {person}", "", self.message.rstrip("\n") + "\n"]
        return "\n".join(lines).encode(errors="replace")

    @classmethod
    def decode(cls, content: bytes) -> "CommitText":
        """The commit in these bytes."""
        head, _, message = content.decode(errors="replace").partition("\n\n")
        tree, parents, author, email, seconds = "", [], "", "", 0
        for line in head.splitlines():
            key, _, value = line.partition(" ")
            if key == "tree":
                tree = value
            elif key == "parent":
                parents.append(value)
            elif key == "author":
                author, _, rest = value.partition(" <")
                email, _, when = rest.partition("> ")
                seconds = int(when.split(" ")[0])
        return cls(tree, tuple(parents), author, email, seconds, message)


def object_id(kind: str, content: bytes) -> str:
    """The id git gives to a ``blob``, ``tree`` or ``commit`` of this content."""
    return hashlib.sha1(header(kind, content) + content, usedforsecurity=False).hexdigest()


def header(kind: str, content: bytes) -> bytes:
    """What git puts in front of an object's content."""
    return f"{kind} {len(content)}\0".encode()


def trees(entries: Entries) -> Found:
    """The tree objects for these files, those of folders first; the last one is that of the top."""
    here: dict[str, tuple[str, str]] = {}
    below: dict[str, dict[str, tuple[str, str]]] = {}
    for path, entry in entries.items():
        first, slash, rest = path.partition("/")
        if slash:
            below.setdefault(first, {})[rest] = entry
        else:
            here[first] = entry
    for name, inside in below.items():
        for found in trees(inside):
            yield found
        here[name] = FOLDER, found[0]
    content = b"".join(
        f"{mode} {name}\0".encode(errors="replace") + bytes.fromhex(sha)
        for name, (mode, sha) in sorted(here.items(), key=_git_order)
    )
    yield object_id("tree", content), "tree", content


def blobs(files: Mapping[str, bytes]) -> dict[str, tuple[str, str]]:
    """The entries of ordinary files."""
    return {path: (FILE, object_id("blob", content)) for path, content in files.items()}


def tree_id(files: Mapping[str, bytes]) -> str:
    """The id of the tree with these files."""
    *_, (sha, _, _) = trees(blobs(files))
    return sha


def entries_of(tree: bytes) -> Iterator[tuple[str, str, str]]:
    """Mode, name and id of what is in a tree object."""
    at = 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        mode, _, name = tree[at:end].decode(errors="replace").partition(" ")
        yield mode, name, tree[end + 1 : end + 21].hex()
        at = end + 21


def _git_order(entry: tuple[str, tuple[str, str]]) -> bytes:
    """Git sorts a folder as if its name ended in a slash."""
    name, (mode, _) = entry
    return (f"{name}/" if mode == FOLDER else name).encode(errors="replace")


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter not in "<>\n\0") or "nobody"
