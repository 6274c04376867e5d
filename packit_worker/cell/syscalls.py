"""A filter for system calls: what would get around the limits or around the walls is answered with "no such call".

Used by ``jail`` alone. Not the wall itself (that is the namespaces), but it closes memory that belongs to no process
and is therefore not seen by the watcher (System V shared memory, memfd), the kernel's keyrings, which no namespace
separates and where Kerberos may keep tickets (https://man7.org/linux/man-pages/man7/keyrings.7.html), and three
interfaces whose bugs led out of jails before (bpf, userfaultfd, io_uring).
"""

from __future__ import annotations

import errno
import platform
import struct

#: Machine -> (AUDIT_ARCH of linux/audit.h, calls with their numbers); numbers of asm/unistd.h.
_CALLS: dict[str, tuple[int, str]] = {
    "x86_64": (
        0xC000003E,
        "shmget 29 msgget 68 add_key 248 request_key 249 keyctl 250 perf_event_open 298 memfd_create 319 bpf 321 "
        "userfaultfd 323 io_uring_setup 425 memfd_secret 447",
    ),
    "aarch64": (
        0xC00000B7,
        "shmget 194 msgget 186 add_key 217 request_key 218 keyctl 219 perf_event_open 241 memfd_create 279 bpf 280 "
        "userfaultfd 282 io_uring_setup 425 memfd_secret 447",
    ),
}

#: Of linux/bpf_common.h: load a word, jump if equal, jump if at least, return.
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
#: Of struct seccomp_data: where the number of the call and the architecture stand.
_NUMBER, _ARCHITECTURE = 0, 4
#: On x86_64, numbers from here on are those of the x32 interface.
_X32 = 0x40000000


def program(machine: str | None = None) -> bytes | None:
    """The filter for this kind of machine, as bubblewrap wants it; None for kinds whose numbers are not known here."""
    found = _CALLS.get(machine or platform.machine())
    if found is None:
        return None
    architecture, calls = found
    numbers = sorted(int(word) for word in calls.split() if word.isdecimal())
    # Last comes "allow", then "refuse"; a jump counts the instructions it leaps over.
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, len(numbers) + 3, architecture),
        (_LOAD, 0, 0, _NUMBER),
    ]
    lines.append((_AT_LEAST, len(numbers) + 1, 0, _X32))
    lines += [(_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
