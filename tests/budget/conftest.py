"""The service under count. Counting takes a second or two, so all tests look at the same events."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from packit_worker.sandbox import Sandbox

# The counting is shared with the benchmarks, which are not installed.
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.counting import CountedService, Handled
from benchmarks.databases import database
from benchmarks.economy import FEW, MANY, handle_two

POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services("postgresql"))],
)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CountedService]:
    directory = tmp_path_factory.mktemp("budget")
    server = POSTGRESQL if request.param == "postgresql" else None
    with database(server, directory) as made, Sandbox(auto=False) as sandbox:
        counted = CountedService(sandbox, made.url, directory)
        yield counted
        counted.close()


@pytest.fixture(scope="module")
def handled(service: CountedService) -> dict[int, tuple[Handled, Handled]]:
    """Number of matching jobs -> the first and the second event of a repository."""
    return {jobs: handle_two(service, jobs) for jobs in (FEW, MANY)}
