"""The only place where a repository's code may run: packit's actions, ``rpmbuild -bs``, macros of a spec file.

Handlers may import it. It imports only the ground floor (``errors``, ``logs``), never a handler, a client or the
journal. ``cell.Cell`` runs one command in a jail, ``network`` lets chosen hosts through, ``git`` moves commits in and
out of it without running anything of theirs, ``packit`` runs the program packit. Modules of the package ``inside`` are
run in the jail by its Python and import the standard library alone.

The rule of the house: where no jail can be had, ``NoCell`` is raised and nothing runs. What a jail has touched is data
from then on: outside, git is never run in a directory that the jail could write to (its ``.git/config`` may name
programs), files are taken out with ``paths.take_out`` and commits as a bundle with ``git.take``.
"""

from __future__ import annotations

from packit_worker.cell.cell import Cell
from packit_worker.cell.limits import Finished, KilledBy, Limits
from packit_worker.cell.missing import NoCell
from packit_worker.cell.spaces import workspace

__all__ = ["Cell", "Finished", "KilledBy", "Limits", "NoCell", "workspace"]
