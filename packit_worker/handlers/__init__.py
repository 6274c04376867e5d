"""Handlers: one module per noun. Importing this package registers them all; the order is the order of runs."""

from packit_worker.handlers import copr, installation, testing_farm

__all__ = ["copr", "installation", "testing_farm"]
