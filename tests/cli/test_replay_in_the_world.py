"""What a replay does to the service: the pipeline for real, against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stories.conftest import make_world, sandbox, shared_sandbox, world
from stories.world import ONE_BUILD, World

from packit_worker.journal.base import State
from packit_worker.replaying import replay

__all__ = ["make_world", "sandbox", "shared_sandbox", "world"]

CHECK = "rpm-build:fedora-43-x86_64"


def test_what_was_given_up_is_done_in_the_end(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    path = r"/api_3/build/create"
    world.sandbox.faults.add("copr", method="POST", path=path, kind="status", status=503, times=99)
    delivery = world.opened(pull)
    world.post(delivery)
    for _ in range(world.settings.limits.max_attempts):
        world.work()
        world.time_passes(seconds=1000)
        world.sweep()
    world.work()
    assert world.conclusions(pull.head_sha) == {CHECK: "failure"}
    world.sandbox.faults.clear()

    replay(world.journal, world.shop.hints, delivery.id, dry_run=False)
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    world.finish_builds()
    world.work()
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}


def test_what_was_done_is_not_done_twice_and_its_checks_stay(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    for event in world.events():
        replay(world.journal, world.shop.hints, event.id, dry_run=False)
    world.work()
    assert {event.state for event in world.events()} <= {State.DONE, State.IGNORED}
    assert len(world.sandbox.copr.builds) == 1
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}


def test_who_was_refused_and_is_approved_now_is_served(
    make_world: Callable[..., World],
) -> None:
    world: Any = make_world()
    pull = world.repository(ONE_BUILD)
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    assert world.sandbox.copr.builds == []
    world.approve()
    replay(world.journal, world.shop.hints, delivery.id, dry_run=False)
    world.work()
    world.finish_builds()
    world.work()
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}
