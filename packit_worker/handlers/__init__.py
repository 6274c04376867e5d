"""Handlers: one module per noun. Importing this package registers them all; the order is the order of runs."""

from packit_worker.handlers import (
    access,
    copr,
    dist_git,
    downstream,
    help,
    installation,
    koji,
    rerun,
    superseding,
    testing_farm,
)

__all__ = [
    "access",
    "copr",
    "dist_git",
    "downstream",
    "help",
    "installation",
    "koji",
    "rerun",
    "superseding",
    "testing_farm",
]
