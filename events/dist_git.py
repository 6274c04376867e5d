"""What happens in Fedora's dist-git. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from events.families import Push


@dataclass(frozen=True, kw_only=True)
class DistGitCommitEvent(Push):
    """``git.receive`` of a package (namespace ``rpms``) in dist-git: what sync_from_downstream takes upstream.

    The bus tells of all packages, of which hardly any have a job for us.
    """

    task: ClassVar[str] = "task.process_dist_git_commit_event"
    forge: ClassVar[str | None] = "pagure"
    checks_account: ClassVar[bool] = False
    shows_bad_config: ClassVar[bool] = False

    @property
    def same_as(self) -> str | None:
        """The bus and a hook of the package may both tell of a push (see ``events.pagure``)."""
        return f"{self.subject}:{self.commit_sha_before}:{self.commit_sha}"
