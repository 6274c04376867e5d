"""The world that stories happen in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packit_worker.sandbox import Sandbox

from .canaries import listening
from .world import World


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(auto=False) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    shared_sandbox.reset()
    shared_sandbox.testing_farm.notify_states = set()
    return shared_sandbox


@pytest.fixture
def make_world(sandbox: Sandbox, journal_url: str, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make a world with settings of the story's own. At the end no secret of it may be seen anywhere."""
    made: list[World] = []

    def make(**settings: Any) -> World:
        made.append(World(sandbox, journal_url, str(tmp_path), **settings))
        return made[-1]

    with listening() as canaries:
        yield make
    leaks = [leak for world in made for leak in canaries.leaks(world)]
    for world in made:
        world.close()
    assert leaks == []


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world in which acme is approved."""
    world = make_world()
    world.approve()
    return world
