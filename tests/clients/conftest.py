"""One sandbox for all tests of clients, emptied before each; it moves only when told."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from packit_worker.sandbox import Sandbox

#: Seconds a client waits in these tests: faults of SLOW seconds are longer.
TIMEOUT = 1.0
SLOW = 1.6


@pytest.fixture(scope="session")
def servers() -> Iterator[Sandbox]:
    with Sandbox(auto=False) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(servers: Sandbox) -> Sandbox:
    servers.reset()
    return servers


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything is logged, so that tests can look for what must not be."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "github"):
        # A process that has set up the service's logs hears nothing of these.
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def calls(sandbox: Sandbox, server: str) -> list[str]:
    """The calls a server got, as ``METHOD /path``."""
    return [f"{call.method} {call.path}" for call in sandbox.calls(server)]
