"""What Testing Farm tells. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from events.families import TestResult


@dataclass(frozen=True, kw_only=True)
class TestingFarmResultEvent(TestResult):
    """A request has news. Today's call-back names the request only; the result is fetched from the API.

    The form of 2020 carries the result itself: ``result`` is one of passed, failed, error, or the word it came with.
    """

    task: ClassVar[str] = "task.process_testing_farm_result_event"

    pipeline_id: str
    result: str | None = None
    message: str | None = None
    log_url: str | None = None
    copr_repo_name: str | None = None
    copr_chroot: str | None = None
    repo_namespace: str | None = None
    repo_name: str | None = None
    git_ref: str | None = None
    project_url: str | None = None
    commit_sha: str | None = None
    #: Names of the tests, comma-separated: a task's arguments are flat.
    tests: str | None = None

    @property
    def subject(self) -> str:
        return self.subject_of(self.pipeline_id)

    @staticmethod
    def subject_of(request_id: str) -> str:
        """The subject of all news about a request."""
        """The request."""
        return f"testing-farm:{request_id}"
