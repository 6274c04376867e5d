"""Row 19: an account that floods the service makes itself wait, and not the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from stories.world import ONE_BUILD, SPEC, World

from packit_worker.broker.embedded import EmbeddedBroker, redis_program
from packit_worker.broker.hints import COUNTED, LAST, priority_of, scope_of
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.events import EventRow
from packit_worker.sandbox import Sandbox

FLOOD = 30
needs_redis = pytest.mark.skipif(redis_program() is None, reason="there is no redis-server here")


@pytest.fixture
def world(shared_sandbox: Sandbox, sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """A world whose broker is Redis, which has priorities."""
    shared_sandbox.reset()
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = World(shared_sandbox, sqlite_url, str(tmp_path), broker_url=broker.url)
        made.approve()
        made.approve("beta")
        yield made
        made.close()


def opened(world: World, repository: str) -> Any:
    """A pull request of its own, and the webhook that tells of it."""
    owner = repository.partition("/")[0]
    world.sandbox.github.add_repository(
        repository, permissions={"alice": "admin"}, installation_id=1001 if owner == "acme" else 1002
    )
    pull = world.sandbox.github.open_pull_request(
        repository, author="alice", files={".packit.yaml": ONE_BUILD, "hello.spec": SPEC}
    )
    return world.sandbox.github.webhook(
        "pull_request", "opened", repository=repository, pull_request=pull.number
    )


def shown(world: World, owner: str) -> int:
    """How many checks of an account's projects the forge shows."""
    with world.journal.read() as session:
        return session.execute(
            select(func.count())
            .select_from(CheckRow)
            .where(CheckRow.project_url.contains(f"/{owner}/"), CheckRow.shown_version > 0)
        ).scalar_one()


def begun(world: World, owner: str) -> int:
    with world.journal.read() as session:
        return session.execute(
            select(func.count())
            .select_from(EventRow)
            .where(EventRow.subject.contains(f"/{owner}/"), EventRow.claim > 0)
        ).scalar_one()


@needs_redis
@pytest.mark.slow
def test_the_first_check_of_somebody_else(world: World) -> None:
    for number in range(FLOOD):
        world.post(opened(world, f"acme/hello{number}"))
    world.post(opened(world, "beta/hello"))
    # Reading takes hundredths of a second each, work on an event tenths, a check on GitHub a second.
    world.work(lanes=["parse"])
    steps = 0
    while not shown(world, "beta"):
        steps += 1
        assert steps < 10, "it waits behind the others"
        world.step("short-running")
        world.step("long-running")
        world.step("report")
    # Those of the flood that came while there was none, and whatever runs at the moment.
    assert begun(world, "acme") < 12
    assert begun(world, "beta") == 1
    world.work()
    assert begun(world, "acme") == FLOOD and shown(world, "acme") == FLOOD


@needs_redis
def test_what_the_sweeper_sends_again_keeps_its_place(world: World) -> None:
    for number in range(20):
        world.post(opened(world, f"acme/hello{number}"))
    world.post(opened(world, "beta/hello"))
    world.work(lanes=["parse"])
    with world.app.connection_for_write() as connection:
        for lane in ("short-running", "long-running"):
            world.app.amqp.queues[lane](connection.default_channel).purge()
    world.time_passes(minutes=1)
    assert world.sweep() == 21
    for _ in range(3):
        world.step("short-running")
        world.step("long-running")
    assert begun(world, "beta") == 1


def test_priorities() -> None:
    assert [priority_of(waiting) for waiting in (0, 3, 4, 15, 16, 63, 64, COUNTED)] == [
        *(0, 0, 3, 3, 6, 6, LAST, LAST)
    ]
    assert scope_of("https://gitlab.com/a/b/c") == "https://gitlab.com/a/"
    for nobody in (None, 7, "copr:7", "https://host"):
        assert scope_of(nobody) is None
