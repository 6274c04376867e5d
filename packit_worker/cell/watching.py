"""What the processes of a jail and its files use, measured from outside. ``cell`` and ``git`` use it.

No cgroups: a worker in a pod has none of its own to make. The figures come from /proc, whose fields
https://man7.org/linux/man-pages/man5/proc.5.html explains.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Fields of /proc/<pid>/stat, counted from the one behind the command's name.
_PARENT, _TIMES, _RESIDENT = 1, slice(11, 15), 21
#: What belongs to processes alone. Pages of files are left out: the kernel takes them back when it needs them.
_OWN_MEMORY = ("RssAnon:", "RssShmem:", "VmSwap:")


@dataclass(frozen=True, kw_only=True)
class Used:
    """What a tree of processes uses: their number, bytes of memory, seconds of CPU since its start."""

    processes: int
    memory: int
    cpu_seconds: float
    pids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What lies in a directory: bytes on the disk and number of entries."""

    size: int
    files: int


def used(root: int) -> Used:
    """What the process ``root`` and its descendants use; orphans in a jail are children of its first process."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    figures: dict[int, tuple[float, int]] = {}
    for pid in _pids():
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            # The command's name stands in brackets and may hold anything, brackets too.
            fields = text.rpartition(")")[2].split()
            children[int(fields[_PARENT])].append(pid)
            figures[pid] = (sum(map(int, fields[_TIMES])) / _TICKS, int(fields[_RESIDENT]) * _PAGE)
    tree = [root] if root in figures else []
    for pid in tree:
        tree.extend(children[pid])
    return Used(
        processes=len(tree),
        memory=sum(figures[pid][1] for pid in tree),
        cpu_seconds=sum(figures[pid][0] for pid in tree),
        pids=tuple(tree),
    )


def own_memory(pids: tuple[int, ...]) -> int:
    """Bytes that these processes hold without pages of files; slower to find out than ``Used.memory``."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines():
                if line.startswith(_OWN_MEMORY):
                    total += int(line.split()[1]) * 1024
    return total


def deleted_files(pids: tuple[int, ...]) -> int:
    """Bytes of files that these processes hold open and that no directory shows any more."""
    seen: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    found = entry.stat()
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def stored(folder: Path, *, most_files: int) -> Stored:
    """What lies in the directory. Stops counting behind ``most_files`` entries.

    A path that is too long to be walked counts as too many files: only somebody with bad intentions makes one.
    """
    size = files = 0
    waiting = [os.fspath(folder)]
    while waiting and files <= most_files:
        # What vanishes meanwhile, or may not be looked into, is passed over; see Limits.free_disk.
        with contextlib.suppress(FileNotFoundError, PermissionError, NotADirectoryError):
            for entry in list(_entries(waiting.pop(), most_files - files)):
                files += 1
                try:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                except OSError as error:
                    if error.errno == errno.ENAMETOOLONG:
                        return Stored(size=size, files=most_files + 1)
    return Stored(size=size, files=files)


def free(folder: Path) -> int:
    """Bytes that are free for ordinary users on the disk of this directory."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _entries(folder: str, most: int) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            yield entry
            if number > most:
                return


def _pids() -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdecimal():
            yield int(name)
