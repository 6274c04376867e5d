"""Targets: what the names in a package configuration stand for. Pure; the aliases are data from outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from packit_worker.errors import UserError

ARCHITECTURES = ("aarch64", "armhfp", "i386", "i586", "ppc64le", "riscv64", "s390x", "x86_64")
DEFAULT_ARCHITECTURE = "x86_64"

#: What a job builds for when it does not say.
DEFAULT_TARGETS = ("fedora-stable",)

Expand = Callable[[str], "tuple[str, ...] | None"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def chroots(targets: Iterable[str], expand: Expand) -> tuple[str, ...]:
    """Names of Copr chroots for targets, in the targets' order, each once.

    ``expand`` says what an alias stands for (``fedora-stable`` -> ``("fedora-43", ...)``) and None for other names. A
    target is an alias or ``<name>-<version>``, with an architecture behind it where it is not x86_64. Raises
    ``UserError`` for what cannot be a target.
    """
    found: dict[str, None] = {}
    for target in targets:
        name, architecture = _split(target.strip())
        for distribution in expand(name) or (name,):
            found[_chroot(distribution, architecture, target)] = None
    return tuple(found)


def _split(target: str) -> tuple[str, str]:
    name, _, last = target.rpartition("-")
    if name and last in ARCHITECTURES:
        return name, last
    return target, DEFAULT_ARCHITECTURE


def _chroot(distribution: str, architecture: str, target: str) -> str:
    if not _NAME.fullmatch(distribution):
        raise UserError(
            f"{target!r} is not a target",
            next_step="Name targets as <distribution>-<version>, such as fedora-rawhide or epel-9-aarch64.",
        )
    if "-" not in distribution:
        if "rawhide" in distribution:
            distribution = "fedora-rawhide"
        else:
            raise UserError(
                f"the target {target!r} has no version and is no known alias",
                next_step=f"Write {target}-<version>, or an alias such as fedora-stable or fedora-all.",
            )
    return f"{distribution}-{architecture}"
