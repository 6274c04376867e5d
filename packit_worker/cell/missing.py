"""The error for a machine that cannot run a repository's code safely. Anybody may import it."""

from __future__ import annotations

from packit_worker.errors import UserError


class NoCell(UserError):
    """Nothing was run, because the machine has no jail (or no program) to run it with.

    Users can only wait: ``next_step`` is for whoever operates the service.
    """


def no_cell(reason: str) -> NoCell:
    """The error for this reason, with what an operator can do about it."""
    return NoCell(
        f"This service cannot run code of a repository at the moment: {reason}",
        next_step=(
            "Whoever operates the service: install bubblewrap (0.8 or newer) and let unprivileged users make user "
            "namespaces (sysctl user.max_user_namespaces and, where they exist, kernel.unprivileged_userns_clone=1, "
            "kernel.apparmor_restrict_unprivileged_userns=0; in a container also an unmasked /proc). "
            "Nothing was run."
        ),
    )
