"""What a command in a jail may use, and how it ended. Values alone; anybody may import it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds for one command and everything it starts. Sizes in bytes, times in seconds.

    ``memory`` bounds one process (RLIMIT_DATA, which reservations without pages do not count for: node and Go reserve
    far more than they use) and the sum of all (measured). ``tmp`` comes on top of it: /tmp, the home and /dev/shm lie
    in memory too, each with this size. ``disk`` and ``files`` bound what lies in the work directory, including what
    was there before. ``free_disk`` is what has to stay free where that directory lies: when less is left the command
    is ended, whoever used it up.
    """

    seconds: float = 600
    cpu_seconds: int = 1200
    memory: int = 2 * GIB
    processes: int = 512
    open_files: int = 1024
    file_size: int = GIB
    disk: int = 4 * GIB
    files: int = 200_000
    free_disk: int = 256 * MIB
    tmp: int = 256 * MIB
    output_kept: int = 64 * KIB
    output_total: int = 64 * MIB


class KilledBy(StrEnum):
    """The limit a command was ended for."""

    TIME = "time"
    CPU = "cpu"
    MEMORY = "memory"
    PROCESSES = "processes"
    FILE_SIZE = "file size"
    DISK = "disk"
    FILES = "files"
    OUTPUT = "output"
    #: The machine's disk is full, which need not be this command's doing.
    FULL_DISK = "full disk"


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a command ended.

    ``exit_code`` is 128 + the signal where a signal ended it, as in a shell, and None where one of our limits did.
    ``output`` is the end of stdout and stderr together, without secrets. ``seconds`` by the wall clock.
    """

    exit_code: int | None
    output: str
    seconds: float
    killed_by: KilledBy | None = None

    @property
    def timed_out(self) -> bool:
        return self.killed_by is KilledBy.TIME

    @property
    def well(self) -> bool:
        return self.exit_code == 0
