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

#: Names of branches that stand for nothing but themselves.
_BRANCH = re.compile(r"rawhide|main|master|eln|(f|el|epel)\d[\d.]*|c\d+s?")
_BRANCHES = {"fedora": "f{}", "epel": "epel{}", "centos-stream": "c{}s"}

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


def branches(names: Iterable[str], expand: Expand) -> tuple[str, ...]:
    """Branches of dist-git for names, in their order, each once: ``fedora-all`` -> ``("rawhide", "f44", ...)``.

    A name is a branch, a distribution (``fedora-43``) or an alias. Raises ``UserError`` for what cannot be a branch.
    """
    found: dict[str, None] = {}
    for name in (name.strip() for name in names):
        # Nobody is asked what a branch stands for.
        for distribution in (name,) if _BRANCH.fullmatch(name) else expand(name) or (name,):
            found[_branch(distribution, name)] = None
    return tuple(found)


def _branch(distribution: str, name: str) -> str:
    if not _NAME.fullmatch(distribution) or ".." in distribution or distribution.endswith((".", ".lock")):
        raise UserError(
            f"{name!r} is not a branch of dist-git",
            next_step="Name branches such as rawhide, f43 or epel9, or an alias such as fedora-all.",
        )
    distribution = _split(distribution)[0]
    if distribution == "fedora-rawhide":
        return "rawhide"
    kind, _, version = distribution.rpartition("-")
    if kind in _BRANCHES and version[:1].isdigit():
        return _BRANCHES[kind].format(version)
    return distribution


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
