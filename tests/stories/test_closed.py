"""A pull request is closed or merged while its build runs: it is told how that went all the same, and nothing pends.

Forges tell of it, which is ignored with the reason: closing brings no commits. What was ordered goes on to its end, as
the results are those of the commit, which may be merged by now.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from packit_worker.clients.pagure_flags import Heads
from packit_worker.sandbox import Sandbox

from .test_gitlab import PATH, known, project, statuses, tell
from .test_gitlab import opened as merge_request_opened
from .test_pagure import opened as pagure_opened
from .test_pagure import tell as tell_of
from .world import CONFIG, PAGURE_PROJECT, REPOSITORY, World


def finish(world: World, *, succeeded: bool = True) -> None:
    world.finish_builds(succeeded=succeeded)
    world.work()
    world.finish_tests()
    world.work()


@pytest.mark.parametrize("merged", [False, True])
def test_on_github(world: World, merged: bool) -> None:
    pull = world.repository(CONFIG)
    world.post(world.opened(pull))
    world.work()
    world.sandbox.github.close_pull_request(REPOSITORY, pull.number, merged=merged)
    delivery = world.sandbox.github.webhook(
        "pull_request", "closed", repository=REPOSITORY, pull_request=pull.number
    )
    world.post(delivery)
    world.work()
    assert world.delivery(delivery.id).state == "ignored"
    assert "closed brings no new commits" in (world.delivery(delivery.id).reason or "")
    assert [build.state for build in world.sandbox.copr.builds] != ["canceled"]
    finish(world)
    assert len(world.checks(pull.head_sha)) == 4
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_before_its_build_was_ordered(world: World) -> None:
    """Whoever closes at once gets the answer that was under way, and nothing that pends."""
    pull = world.repository(CONFIG)
    world.post(world.opened(pull))
    world.sandbox.github.close_pull_request(REPOSITORY, pull.number)
    world.post(
        world.sandbox.github.webhook(
            "pull_request", "closed", repository=REPOSITORY, pull_request=pull.number
        )
    )
    world.work()
    finish(world, succeeded=False)
    shown = world.checks(pull.head_sha)
    assert len(shown) == 4
    assert {check["status"] for check in shown.values()} == {"completed"}


def test_and_opened_again(world: World) -> None:
    """The same commit is built anew, and its checks tell of the newer build."""
    pull = world.repository(CONFIG)
    world.post(world.opened(pull))
    world.work()
    world.sandbox.github.close_pull_request(REPOSITORY, pull.number)
    world.sandbox.github.state.pull(REPOSITORY, pull.number).state = "open"
    world.post(
        world.sandbox.github.webhook(
            "pull_request", "reopened", repository=REPOSITORY, pull_request=pull.number
        )
    )
    world.work()
    assert len(world.sandbox.copr.builds) == 2
    finish(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


@pytest.mark.parametrize("action", ["close", "merge"])
def test_on_gitlab(make_world: Callable[..., World], action: str) -> None:
    world = known(make_world())
    project(world)
    found = merge_request_opened(world)
    state = {"close": "closed", "merge": "merged"}[action]
    world.sandbox.gitlab.close_merge_request(PATH, found.iid, state=state)
    answer = tell(world, "Merge Request Hook", merge_request=found.iid, action=action)
    assert answer.status_code == 202
    assert world.delivery(answer.json["delivery"]).state == "ignored"
    assert "pending" in statuses(world, found.sha).values()
    finish(world)
    assert len(statuses(world, found.sha)) == 4
    assert set(statuses(world, found.sha).values()) == {"success"}


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_on_pagure(make_world: Callable[..., World], sandbox: Sandbox, merged: bool, restarted: bool) -> None:
    """Also by a worker that has not seen it while it was open; the commit itself may be in the fork alone."""
    world = make_world()
    world.approve()
    pull = pagure_opened(world, CONFIG)
    tell_of(world, "pull-request.new", pull)
    assert set(world.flags(pull.id).values()) == {"pending"}
    sandbox.pagure.close_pull_request(PAGURE_PROJECT, pull.id, merged=merged)
    tell_of(world, "pull-request.closed", pull)
    assert [event.task for event in world.events()][1:] == []
    if restarted:
        world.shop.services.forge(sandbox.pagure.url).heads = Heads()  # type: ignore[attr-defined]
    finish(world)
    flags = world.flags(pull.id)
    assert len(flags) == 4
    assert set(flags.values()) == {"success"}
    assert world.flags(pull.commit_stop) == flags
