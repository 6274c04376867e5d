"""Deliveries come twice, messages get lost, workers die, answers do not come: everything happens once all the same."""

from __future__ import annotations

import itertools

import pytest

from packit_worker.journal.base import now
from packit_worker.journal.claims import take
from packit_worker.journal.events import EventRow

from .world import ONE_BUILD, World


def test_same_delivery_thrice(world: World) -> None:
    pull = world.repository()
    delivery = world.opened(pull)
    answers = [world.post(delivery) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert [answer.get_json()["decision"] for answer in answers] == ["accepted", "duplicate", "duplicate"]
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert len(world.events()) == 1


def test_broker_loses_everything_after_accept(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    assert world.lose_messages() == 1
    assert world.sweep() == 0, "a hint is given three seconds"
    world.time_passes(seconds=4)
    assert world.sweep() == 1
    world.work(lanes=["parse"])
    assert world.lose_messages() == 1, "the event's task"
    world.time_passes(seconds=4)
    world.sweep()
    world.work()
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}
    assert max(world.sandbox.effects().values()) == 1


def test_worker_dies_in_mid_run(world: World) -> None:
    """Its lease runs out, another takes the event; the attempt counted."""
    pull = world.repository()
    world.post(world.opened(pull))
    world.work(lanes=["parse"])
    (event,) = world.events()
    with world.journal.write() as session:
        assert take(session, EventRow, event.id, world.shop.lease) is not None
    world.work()
    assert world.sandbox.copr.builds == [], "it is with the worker that died"
    world.time_passes(seconds=16)
    world.sweep()
    world.work()
    (event,) = world.events()
    assert event.state == "done"
    assert event.attempts == 2
    assert len(world.sandbox.copr.builds) == 1


def test_worker_dies_every_time(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work(lanes=["parse"])
    (event,) = world.events()
    for _ in range(world.settings.limits.max_attempts):
        with world.journal.write() as session:
            assert take(session, EventRow, event.id, world.shop.lease) is not None
        world.time_passes(seconds=16)
    world.sweep()
    world.work()
    (event,) = world.events()
    assert event.state == "dead"
    assert "died" in (event.reason or "")


def test_copr_takes_the_order_and_does_not_answer(world: World) -> None:
    pull = world.repository()
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="drop_after_commit", times=1
    )
    world.post(world.opened(pull))
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert world.events()[0].state == "ready", "waits until the call has settled"
    world.time_passes(seconds=6)
    world.sweep()
    world.work()
    assert len(world.sandbox.copr.builds) == 1, "it was found, not ordered again"
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_copr_is_away_for_a_while(world: World) -> None:
    pull = world.repository()
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="status", status=503, times=2
    )
    world.post(world.opened(pull))
    for _ in range(3):
        world.work()
        world.time_passes(seconds=60)
        world.sweep()
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert world.events()[0].attempts == 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_rate_limit_of_github_is_reached(world: World, method: str) -> None:
    """Work waits for the reset, however often: waiting is no failed attempt, and nothing is asked in between."""
    pull = world.repository(ONE_BUILD)
    path = "/repos/acme/hello/(contents|check-runs)"
    world.sandbox.faults.add(
        "github", method=method, path=path, kind="rate_limit", reset_seconds=600, times=None
    )
    world.post(world.opened(pull))
    world.work()
    asked = len(world.sandbox.calls("github"))
    for _ in range(world.settings.limits.max_attempts + 3):
        world.time_passes(seconds=30)
        world.sweep()
        world.work()
    assert len(world.sandbox.calls("github")) == asked, "the reset is ten minutes away"
    (event,) = world.events()
    assert event.state == ("ready" if method == "GET" else "done")

    world.sandbox.faults.clear()
    # The process remembers when the budget is full again, by its own clock.
    world.hand_over()
    world.time_passes(minutes=11)
    world.sweep()
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert set(world.checks(pull.head_sha)) == {"rpm-build:fedora-43-x86_64"}
    assert world.events()[0].attempts == 1


def test_copr_stays_away(world: World) -> None:
    """In the end the checks say so: nothing stays pending for ever."""
    pull = world.repository()
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="status", status=503, times=99
    )
    world.post(world.opened(pull))
    for _ in range(world.settings.limits.max_attempts):
        world.work()
        world.time_passes(seconds=1000)
        world.sweep()
    world.work()
    checks = world.checks(pull.head_sha)
    assert {check["status"] for check in checks.values()} == {"completed"}
    assert {check["conclusion"] for check in checks.values()} == {"failure"}
    assert "Given up" in checks["rpm-build:fedora-43-x86_64"]["output"]["title"]


def test_github_creates_a_check_and_does_not_answer(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    world.sandbox.faults.add("github", method="POST", path=r"/check-runs$", kind="drop_after_commit", times=1)
    world.post(world.opened(pull))
    for _ in range(4):
        world.work()
        world.time_passes(seconds=6)
        world.sweep()
    runs = world.sandbox.github.checks("acme/hello", pull.head_sha)
    assert len(runs) == 1
    assert runs[0]["status"] == "in_progress", "and it shows the newest state"


ORDERS = sorted(set(itertools.permutations(["start", "end", "end"])))


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_any_order_of_news(world: World, order: tuple[str, ...]) -> None:
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    world.work()
    (build,) = world.sandbox.copr.builds
    for phase in order:
        body = {
            "build": build.id,
            "chroot": "fedora-43-x86_64",
            "copr": build.projectname,
            "owner": build.ownername,
            "pkg": "hello",
            "status": 1 if phase == "end" else 3,
        }
        world.sandbox.bus.publish(f"org.fedoraproject.prod.copr.build.{phase}", body)
    world.work()
    assert world.conclusions(pull.head_sha) == {"rpm-build:fedora-43-x86_64": "success"}


def test_news_before_the_order_is_written_down(world: World) -> None:
    """Copr is quicker than its own answer: the news is parked, and applied when the order is known."""
    pull = world.repository(ONE_BUILD)
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="drop_after_commit", times=1
    )
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    news = [event for event in world.events() if "copr_build" in event.task]
    assert {event.state for event in news} == {"ready"}
    for _ in range(3):
        world.time_passes(seconds=10)
        world.sweep()
        world.work()
    assert world.conclusions(pull.head_sha) == {"rpm-build:fedora-43-x86_64": "success"}


def test_the_bus_tells_nothing(world: World) -> None:
    """Copr and Testing Farm are asked about what has been silent for too long."""
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world._bus_position = len(world.sandbox.bus.messages())
    world.work()
    assert set(world.conclusions(pull.head_sha).values()) == {None}
    world.look()
    world.work()
    for request in world.sandbox.testing_farm.requests:
        world.sandbox.testing_farm.finish(request.id)
    world.look()
    world.work()
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}
    assert max(world.sandbox.effects().values()) == 1


def test_a_newer_push_overtakes_what_nobody_has_begun(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work(lanes=["parse"])
    newer = world.sandbox.github.push_to_pull_request("acme/hello", pull.number, files={"more": "text"})
    world.post(
        world.sandbox.github.webhook(
            "pull_request", "synchronize", repository="acme/hello", pull_request=pull.number
        )
    )
    world.work()
    first, second = world.events()[:2]
    assert first.state == "superseded"
    assert first.superseded_by == second.id
    assert len(world.sandbox.copr.builds) == 1
    assert world.checks(newer.head_sha)


def test_other_peoples_builds_are_none_of_ours(world: World) -> None:
    world.repository()
    world.sandbox.bus.publish(
        "org.fedoraproject.prod.copr.build.end",
        {"build": 7, "chroot": "fedora-43-x86_64", "copr": "x", "owner": "somebody", "pkg": "y", "status": 1},
    )
    world.work()
    (event,) = world.events()
    assert event.state == "ignored"
    assert "has ordered" in (event.reason or "")
    assert world.sandbox.calls("github") == []
    assert event.finished_at is not None and event.finished_at <= now()
