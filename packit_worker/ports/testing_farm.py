"""Testing Farm: requests and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class TestRequest:
    """Tests to be run in Testing Farm for one chroot. ``body`` is the API's request without its notification."""

    __test__ = False

    body: Mapping[str, object]
    #: Kept by Testing Farm in the environment's variables; by it the request is found again.
    marker: str


class TestState(StrEnum):
    """How far a request is, in the words of Testing Farm."""

    __test__ = False

    NEW = "new"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELED = "canceled"
    CANCEL_REQUESTED = "cancel-requested"

    @property
    def is_final(self) -> bool:
        return self in (TestState.COMPLETE, TestState.ERROR, TestState.CANCELED)


@dataclass(frozen=True, kw_only=True)
class TestRun:
    """A request as Testing Farm has it. ``overall`` is passed, failed, error, skipped, unknown... or None."""

    __test__ = False

    id: str
    state: TestState
    overall: str | None = None
    summary: str | None = None
    url: str | None = None


class TestingFarm(Protocol):
    """Testing Farm v0.1: https://api.dev.testing-farm.io/redoc."""

    def request(self, request: TestRequest) -> TestRun:
        """Ask for tests; news of them is sent to our call-back. One call."""

    def find_request(self, request: TestRequest) -> TestRun | None:
        """The request that was made with this marker, if Testing Farm has it."""

    def get_request(self, request_id: str) -> TestRun:
        """A request with its result. One call. Raises NotFound."""

    def cancel_request(self, request_id: str) -> None:
        """Cancel a request that is not final."""
