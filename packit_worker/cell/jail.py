"""The walls: the command line of bubblewrap for one command. ``cell`` alone uses it.

What the jail sees: /usr, read-only; a few files of /etc, none of them secret; a /proc and /dev of its own; /tmp and the
home in memory; one directory it may write to, as /work; nothing else. Options: https://manpages.debian.org/bwrap.1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from packit_worker.cell import syscalls
from packit_worker.cell.limits import Limits

#: Where things are for the command. The same on every machine, so that no output tells of the worker's directories.
WORK, HOME, LAUNCHER, PROXY = "/work", "/home/cell", "/cell/launcher.py", "/cell/proxy"
PROXY_PORT = 3128
USER = 1000
#: Whom root lends to the jail: root itself would be bound by no RLIMIT_NPROC and own every file of the machine.
NOBODY = 65534

#: Of /etc, where it is there. Programs need them; keys and passwords stand elsewhere. No whole /etc/ssl or
#: /etc/pki/tls: private keys of servers lie in there.
_ETC = (
    *(
        "/etc/alternatives",
        "/etc/ld.so.cache",
        "/etc/rpm",
        "/etc/rpmrc",
        "/etc/mime.types",
        "/etc/crypto-policies",
    ),
    *(
        "/etc/ssl/certs",
        "/etc/ssl/openssl.cnf",
        "/etc/ca-certificates",
        "/etc/pki/ca-trust",
        "/etc/pki/tls/certs",
    ),
    *("/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/fedora-release", "/etc/system-release"),
    *("/etc/os-release", "/etc/localtime"),
)
_MADE = {
    "/etc/passwd": f"cell:x:{USER}:{USER}::{HOME}:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}::/:/bin/false\n",
    "/etc/group": f"cell:x:{USER}:\nnobody:x:{NOBODY}:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "/etc/machine-id": f"{'0' * 32}\n",
}
#: What a command finds in its environment, besides what it is given by name.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin", "HOME": HOME, "LANG": "C.UTF-8"}
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What one jail is furnished with. ``files``: path inside -> text. ``read_only``: seen at the same path inside."""

    work: Path
    limits: Limits
    read_only: Sequence[Path] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    proxy: Path | None = None


def python() -> str | None:
    """A Python that the jail sees, or None."""
    for path in ("/usr/bin/python3", "/usr/local/bin/python3"):
        if os.access(path, os.X_OK):
            return path
    return None


def environment(inside: Inside) -> dict[str, str]:
    """The whole environment of the command."""
    made = {**_ENVIRONMENT, **inside.environment}
    if inside.proxy is not None:
        made |= dict.fromkeys(_PROXY_VARIABLES, f"http://127.0.0.1:{PROXY_PORT}")
    return made


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """How bubblewrap is called. ``numbers`` are the open files it needs, by the numbers they have here."""

    arguments: tuple[str, ...]
    numbers: tuple[int, ...]


def command_line(
    bwrap: str,
    inside: Inside,
    command: Sequence[str],
    folder: str,
    *,
    told: int,
    status: int,
    keep: ExitStack,
) -> CommandLine:
    """The command line of bubblewrap, which reads some files by number; they stay open until ``keep`` is closed.

    ``told`` and ``status`` are pipes on which bubblewrap and the launcher say how far they are.
    """
    files = _Files(keep)
    filter_ = syscalls.program()
    arguments = (
        bwrap,
        # Each by name: --unshare-all would go on without a user namespace where there is none.
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"),
        *("--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session"),
        *("--cap-drop", "ALL", "--uid", str(USER), "--gid", str(USER), "--hostname", "cell"),
        # The launcher is process 1, for which bubblewrap waits. Of its own process 1 it leaves a zombie to whatever
        # is process 1 of the container, and there that is often a worker, which does not look after it.
        *("--as-pid-1", "--json-status-fd", str(told)),
        *(("--seccomp", files.number(filter_)) if filter_ is not None else ()),
        *_system(inside.limits),
        *_furniture(inside, files),
        # Last, because everything above needed places to be put in. Without it, / and /dev were memory without bounds.
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *("--chdir", WORK if folder == "." else f"{WORK}/{folder}"),
        "--",
        *_launched(inside, command, status),
    )
    return CommandLine(arguments=arguments, numbers=(told, status, *files.numbers))


class _Files:
    """Contents that bubblewrap reads from open files."""

    def __init__(self, keep: ExitStack) -> None:
        self._keep = keep
        self.numbers: list[int] = []

    def number(self, content: bytes) -> str:
        """The number of an open file with this content."""
        number = os.memfd_create("cell", 0)
        self._keep.callback(os.close, number)
        os.write(number, content)
        os.lseek(number, 0, os.SEEK_SET)
        self.numbers.append(number)
        return str(number)


def _system(limits: Limits) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        top = Path("/", name)
        if top.is_symlink():
            yield from ("--symlink", os.readlink(top), str(top))
        elif top.is_dir():
            yield from ("--ro-bind", str(top), str(top))
    for path in _ETC:
        yield from ("--ro-bind-try", path, path)
    yield from ("--proc", "/proc", "--dev", "/dev", "--dir", "/cell", "--dir", "/var")
    yield from ("--symlink", "../tmp", "/var/tmp")  # noqa: S108 - inside
    for place in ("/dev/shm", "/tmp", HOME):  # noqa: S108 - inside
        yield from ("--perms", "1777", "--size", str(limits.tmp), "--tmpfs", place)


def _furniture(inside: Inside, files: _Files) -> Iterator[str]:
    launcher = (resources.files("packit_worker.cell") / "inside" / "launcher.py").read_text("utf-8")
    for place, text in {**_MADE, LAUNCHER: launcher, **inside.files}.items():
        yield from ("--perms", "0555" if text.startswith("#!") else "0444")
        yield from ("--ro-bind-data", files.number(text.encode()), place)
    for path in inside.read_only:
        yield from ("--ro-bind", str(path), str(path))
    if inside.proxy is not None:
        yield from ("--bind", str(inside.proxy), PROXY)
    yield from ("--bind", str(inside.work), WORK)


def _launched(inside: Inside, command: Sequence[str], status: int) -> Iterator[str]:
    limits = inside.limits
    settings = {
        "limits": {
            "DATA": limits.memory,
            "CPU": limits.cpu_seconds + 5,
            "NPROC": limits.processes,
            "NOFILE": limits.open_files,
            "FSIZE": limits.file_size,
            "CORE": 0,
            "MSGQUEUE": 65536,
        },
        "proxy": PROXY if inside.proxy is not None else None,
        "port": PROXY_PORT,
        "status": status,
    }
    found = python()
    assert found is not None, "asked for before"
    # Isolated: neither the work directory nor the environment can put modules in the launcher's way.
    yield from (found, "-I", "-S", LAUNCHER, json.dumps(settings))
    yield from command
