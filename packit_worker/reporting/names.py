"""Names of the checks on a commit. They are for reading only: what a check is, its row in the journal knows."""

from __future__ import annotations

from dataclasses import dataclass

RPM_BUILD = "rpm-build"
TESTING_FARM = "testing-farm"
#: With Koji's name of the target: ``koji-build:f43``.
KOJI_BUILD = "koji-build"
#: With the branch of dist-git: ``propose-downstream:rawhide``.
PROPOSE_DOWNSTREAM = "propose-downstream"
#: With the branch of dist-git; on the commit there.
SYNC_FROM_DOWNSTREAM = "sync-from-downstream"
PACKAGE_CONFIG = "package-config"


@dataclass(frozen=True, kw_only=True)
class CheckId:
    """What a check stands for: its kind, the job (by key) and the target it reports on."""

    kind: str
    job: str
    target: str
    identifier: str | None = None

    @property
    def name(self) -> str:
        """``rpm-build:fedora-43-x86_64``, with the job's identifier behind it where there is one."""
        parts = [self.kind, self.target, self.identifier]
        return ":".join(part for part in parts if part)
