"""GitHub wants no more calls: all workers know it, what waits says so, and the first words come all the same."""

from __future__ import annotations

import re

import pytest

from packit_worker.journal import story

from .world import ONE_BUILD, REPOSITORY, World

WAITS = r"waits until \d\d:\d\d UTC for GitHub's rate limit of installation 1001"


def told(world: World, delivery_id: str) -> list[str]:
    """The story of a delivery, as ``explain`` tells it."""
    with world.journal.read() as session:
        found = story.of_delivery(session, delivery_id)
    assert found is not None
    return [f"{entry.kind} {entry.title} {entry.text}" for entry in found.entries]


@pytest.mark.parametrize("kind", ["rate_limit", "secondary_limit"])
def test_one_worker_is_told_and_the_other_asks_no_more(world: World, kind: str) -> None:
    first = world.repository(ONE_BUILD)
    second = world.sandbox.github.open_pull_request(
        REPOSITORY, author="alice", files={".packit.yaml": ONE_BUILD, "hello.spec": "Name: hello\n"}
    )
    world.sandbox.faults.add("github", method="GET", path="/repos/", kind=kind, reset_seconds=600, times=None)
    world.post(world.opened(first))
    world.work()
    assert len(world.sandbox.calls("github")) == 2, "the token, and the call that was refused"

    world.hand_over()
    delivery = world.opened(second)
    world.post(delivery)
    world.work()
    assert len(world.sandbox.calls("github")) == 2, "another process has not asked"
    decided = [(entry.title, entry.text) for entry in world.decisions(delivery.id)]
    assert any(title == "rate limit: waits" and re.fullmatch(WAITS, text) for title, text in decided)
    lines = told(world, delivery.id)
    assert any(re.fullmatch(rf"retry task\.\w+ comes again: {WAITS}", line) for line in lines), lines

    world.sandbox.faults.clear()
    world.hand_over()
    world.time_passes(minutes=11)
    world.sweep()
    world.work()
    assert [event.attempts for event in world.events()] == [1, 1], "waiting is no failed attempt"
    for pull in (first, second):
        assert set(world.checks(pull.head_sha)) == {"rpm-build:fedora-43-x86_64"}
    assert len(world.sandbox.copr.builds) == 2


def test_the_last_calls_are_for_the_first_statuses(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    world.sandbox.github.rate_limit_remaining = 30
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    (check,) = world.checks(pull.head_sha).values()
    assert check["status"] == "in_progress", (
        "queued until its build was ordered, which it was before it was shown"
    )
    assert len(world.sandbox.copr.builds) == 1
    left = world.sandbox.github.rate_limit_remaining

    # A later word waits, and says so.
    world.finish_builds()
    world.work()
    assert world.checks(pull.head_sha)["rpm-build:fedora-43-x86_64"]["status"] == "in_progress"
    assert world.sandbox.github.rate_limit_remaining == left
    assert any(
        re.search(rf"rpm-build:fedora-43-x86_64 not shown yet: {WAITS}", line)
        for line in told(world, delivery.id)
    )

    world.sandbox.github.rate_limit_remaining = 5000
    world.hand_over()
    world.time_passes(minutes=62)
    world.sweep()
    world.work()
    assert world.conclusions(pull.head_sha) == {"rpm-build:fedora-43-x86_64": "success"}


@pytest.mark.parametrize(
    ("system", "path", "name"),
    [("copr", "/api_3/", "Copr"), ("testing_farm", "/v0.1/requests", "Testing Farm")],
)
def test_the_limits_of_others_are_shared_too(world: World, system: str, path: str, name: str) -> None:
    pull = world.repository(
        "specfile_path: hello.spec\njobs:\n"
        "  - {job: copr_build, trigger: pull_request, targets: [fedora-43]}\n"
        "  - {job: tests, trigger: pull_request, targets: [fedora-43], skip_build: true}\n"
    )
    world.sandbox.faults.add(
        system, path=path, kind="secondary_limit", status=429, reset_seconds=600, times=None
    )
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    assert len(world.sandbox.calls(system)) == 1
    world.hand_over()
    world.time_passes(minutes=5)
    world.sweep()
    world.work()
    assert len(world.sandbox.calls(system)) == 1, "another process has not asked"
    limit = f"for {name}'s rate limit"
    assert any(
        entry.title == "rate limit: waits" and limit in entry.text for entry in world.decisions(delivery.id)
    )

    world.sandbox.faults.clear()
    world.hand_over()
    world.time_passes(minutes=6)
    world.sweep()
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert len(world.sandbox.testing_farm.requests) == 1
    assert [event.attempts for event in world.events() if event.subject == world.events()[0].subject] == [1]
