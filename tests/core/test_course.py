"""However work on an event ends: nothing is done twice, and no check stays pending for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from stories.world import CONFIG, ONE_BUILD, World

from packit_worker.journal import checks, effects
from packit_worker.journal.base import now
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import take
from packit_worker.journal.events import EventRow
from packit_worker.journal.projects import ConfigRow
from packit_worker.sweeping.looking import end_late_checks

TWO_BUILDS = (
    ONE_BUILD + "  - {job: copr_build, trigger: pull_request, targets: [fedora-44], identifier: extra}\n"
)
ORDER = r"/api_3/build/create"


def pending(world: World, sha: str) -> set[str]:
    return {name for name, check in world.checks(sha).items() if check["status"] != "completed"}


def titles(world: World, sha: str) -> dict[str, str]:
    return {name: check["output"]["title"] for name, check in world.checks(sha).items()}


def go_on(world: World, *, seconds: float = 60.0) -> None:
    world.time_passes(seconds=seconds)
    world.sweep()
    world.work()


def test_quota_gone_between_two_runs(world: World) -> None:
    """The attempt does not count, and what it has done stays done all the same."""
    pull = world.repository(CONFIG.replace("[fedora-43, fedora-44]", "[fedora-43]"))
    world.post(world.opened(pull))
    world.work()
    world.sandbox.faults.add(
        "testing_farm", method="POST", path="/requests", kind="status", status=429, times=1
    )
    world.finish_builds()
    world.work()
    assert world.conclusions(pull.head_sha)["rpm-build:fedora-43-x86_64"] == "success"
    assert world.sandbox.testing_farm.requests == []
    world.hand_over()
    go_on(world, seconds=120)
    assert len(world.sandbox.testing_farm.requests) == 1, (
        "the news was dealt with once, and the tests were still owed"
    )
    world.finish_tests()
    world.work()
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_quota_gone_does_not_show_old_words_again(world: World) -> None:
    pull = world.repository(TWO_BUILDS)
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind="status", status=429, times=1, skip=1)
    world.post(world.opened(pull))
    world.work()
    assert pending(world, pull.head_sha) == {"rpm-build:fedora-43-x86_64", "rpm-build:fedora-44-x86_64:extra"}
    world.finish_builds()
    world.work()
    done = world.conclusions(pull.head_sha)["rpm-build:fedora-43-x86_64"]
    world.hand_over()
    go_on(world, seconds=120)
    assert done == world.conclusions(pull.head_sha)["rpm-build:fedora-43-x86_64"] == "success"
    assert len(world.sandbox.copr.builds) == 2


def test_a_call_that_settles_is_no_attempt(make_world: Callable[..., World]) -> None:
    """Waiting for it could use up all attempts before anybody had looked."""
    # Longer than the slowest machine takes for what is to happen before it.
    world = make_world(limits={"http_timeout": 2, "settle_seconds": 55})
    world.approve()
    pull = world.repository(ONE_BUILD)
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind="drop_after_commit", times=1)
    world.post(world.opened(pull))
    world.work()
    for _ in range(world.settings.limits.max_attempts + 2):
        with world.journal.write() as session:
            session.execute(update(EventRow).values(due_at=now()))
        world.shop.hints.event(world.events()[0])
        world.work()
    assert world.events()[0].state == "ready"
    assert world.events()[0].attempts == 1
    go_on(world)
    assert world.events()[0].state == "done"
    assert len(world.sandbox.copr.builds) == 1


@pytest.mark.parametrize("is_committed", [True, False])
def test_an_order_without_an_answer_is_found_out_about_before_it_is_given_up(
    is_committed: bool, world: World
) -> None:
    """Its answer is lost in the last attempt, and the look-up fails more often than there are attempts."""
    pull = world.repository(ONE_BUILD)
    most = world.settings.limits.max_attempts
    kind = "drop_after_commit" if is_committed else "drop_before"
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind="status", status=503, times=most - 1)
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind=kind, times=1)
    world.sandbox.faults.add("copr", method="GET", path=r"/build/list", kind="status", status=503, times=3)
    world.post(world.opened(pull))
    world.work()
    for _ in range(most + 5):
        go_on(world)
    event = world.events()[0]
    assert (event.state, event.attempts) == ("done", most)
    assert len(world.sandbox.copr.builds) == 1
    with world.journal.read() as session:
        assert not effects.is_any_unknown(session, event.id)


def test_the_project_goes_between_two_attempts(world: World) -> None:
    """What an earlier attempt has shown is not left as it was."""
    pull = world.repository(ONE_BUILD)
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind="status", status=503, times=1)
    world.post(world.opened(pull))
    world.work()
    assert pending(world, pull.head_sha)
    with world.journal.write() as session:
        session.execute(delete(ConfigRow))
    world.sandbox.faults.add("github", method="GET", path=r"/contents", kind="status", status=404, times=9)
    world.sandbox.faults.add("github", method="GET", path=r"/git/trees", kind="status", status=404, times=9)
    go_on(world)
    (event, *_) = world.events()
    assert event.state == "ignored", event.reason
    assert pending(world, pull.head_sha) == set()
    assert "Given up" in titles(world, pull.head_sha)["rpm-build:fedora-43-x86_64"]


def test_news_that_no_release_can_process(world: World) -> None:
    """A bug in what answers a build's end: the checks that wait for it say so."""
    pull = world.repository(CONFIG.replace("[fedora-43, fedora-44]", "[fedora-43]"))
    world.post(world.opened(pull))
    world.work()
    with world.journal.write() as session:
        session.execute(update(BuildRow).where(BuildRow.chroot != "srpm-builds").values(state="unheard-of"))
    world.finish_builds()
    world.work()
    assert "dead" in {event.state for event in world.events()}
    assert pending(world, pull.head_sha) == set()
    assert {"not the fault of your change" in title for title in titles(world, pull.head_sha).values()} == {
        True
    }


def test_news_whose_worker_dies_every_time(world: World) -> None:
    pull = world.repository(TWO_BUILDS)
    world.post(world.opened(pull))
    world.work()
    (build, other) = world.sandbox.copr.builds
    (chroot,) = [name for name in build.chroots if name != "srpm-builds"]
    world.sandbox.copr.finish(build.id, chroot)
    world.read_bus()
    world.work(lanes=["parse"])
    *_, start, news = [event for event in world.events() if event.subject == f"copr:{build.id}:{chroot}"]
    with world.journal.write() as session:
        session.execute(update(EventRow).where(EventRow.id == start.id).values(state="done"))
    for _ in range(world.settings.limits.max_attempts):
        with world.journal.write() as session:
            assert take(session, EventRow, news.id, world.shop.lease) is not None
        world.time_passes(seconds=16)
    go_on(world)
    assert {event.id: event.state for event in world.events()}[news.id] == "dead"
    (waiting,) = pending(world, pull.head_sha)
    assert any(waiting.startswith(f"rpm-build:{name}") for name in other.chroots), "the other build goes on"


def test_a_dead_event_leaves_the_builds_it_has_ordered_alone(world: World) -> None:
    pull = world.repository(TWO_BUILDS)
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind="status", status=503, times=9, skip=1)
    world.post(world.opened(pull))
    world.work()
    (event,) = world.events()
    for _ in range(world.settings.limits.max_attempts):
        with world.journal.write() as session:
            session.execute(update(EventRow).values(due_at=now()))
        with world.journal.write() as session:
            take(session, EventRow, event.id, world.shop.lease)
        world.time_passes(seconds=16)
    go_on(world)
    assert world.events()[0].state == "dead"
    assert pending(world, pull.head_sha) == {"rpm-build:fedora-43-x86_64"}
    world.finish_builds()
    world.work()
    assert world.conclusions(pull.head_sha)["rpm-build:fedora-43-x86_64"] == "success"


def test_a_newer_push_does_not_overtake_what_has_begun(world: World) -> None:
    """Nobody else would see to the checks that it has shown."""
    pull = world.repository(ONE_BUILD)
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind="status", status=503, times=1)
    world.post(world.opened(pull))
    world.work()
    newer = world.sandbox.github.push_to_pull_request("acme/hello", pull.number, files={"more": "text"})
    world.post(
        world.sandbox.github.webhook(
            "pull_request", "synchronize", repository="acme/hello", pull_request=pull.number
        )
    )
    world.work()
    assert [event.state for event in world.events()[:2]] == ["ready", "ready"]
    for _ in range(3):
        go_on(world)
    world.finish_builds()
    world.work()
    assert pending(world, pull.head_sha) == pending(world, newer.head_sha) == set()


def test_a_check_past_its_deadline(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    world.work()
    assert end_late_checks(world.shop) == 0
    with world.journal.write() as session:
        session.execute(update(CheckRow).values(deadline_at=now() - timedelta(seconds=1)))
    assert end_late_checks(world.shop) == 1
    assert end_late_checks(world.shop) == 0
    world.work()
    assert world.conclusions(pull.head_sha) == {"rpm-build:fedora-43-x86_64": "timed_out"}
    assert f"{checks.PATIENCE.total_seconds() / 3600:.0f} hours" in str(titles(world, pull.head_sha))


def test_news_of_orders_that_never_turn_up(world: World) -> None:
    """While an order's fate is unknown, anybody's news is parked; not for ever."""
    pull = world.repository(ONE_BUILD)
    world.sandbox.faults.add("copr", method="POST", path=ORDER, kind="drop_before", times=1)
    world.post(world.opened(pull))
    world.work()
    world.sandbox.bus.publish(
        "org.fedoraproject.prod.copr.build.end",
        {"build": 99, "chroot": "fedora-43-x86_64", "copr": "x", "owner": "y", "pkg": "y", "status": 1},
    )
    world.work()
    news = world.events()[1]
    assert news.state == "ready"
    for _ in range(world.settings.limits.max_attempts + 1):
        go_on(world, seconds=10)
    assert world.events()[1].state == "ignored"


@pytest.mark.parametrize("text", ["specfile_path: hello.spec\x00\n", "\ud800"])
def test_a_configuration_that_no_database_holds(text: str, world: World) -> None:
    pull = world.repository(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
    world.post(world.opened(pull))
    world.work()
    (event, *_) = world.events()
    assert event.state in ("ignored", "done"), event.reason
