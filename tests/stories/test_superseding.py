"""A newer push to a pull request: what is under way for the commits before it is canceled, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from packit_worker.journal.builds import BuildRow
from packit_worker.journal.effects import EffectRow

from .world import ONE_BUILD, REPOSITORY, World


def push(world: World, pull: Any, **options: Any) -> Any:
    """New commits; the webhook that tells of them."""
    newer = world.sandbox.github.push_to_pull_request(
        REPOSITORY, pull.number, files={"more": options.pop("text", "x")}
    )
    assert newer.head_sha != options.pop("old", None)
    return world.sandbox.github.webhook(
        "pull_request", "synchronize", repository=REPOSITORY, pull_request=pull.number, **options
    )


def build_states(world: World) -> dict[tuple[str, str], str]:
    with world.journal.read() as session:
        rows = session.execute(select(BuildRow)).scalars()
        return {(row.build_id, row.chroot): row.state for row in rows}


def notes(world: World) -> str:
    from packit_worker.journal.runs import RunRow

    with world.journal.read() as session:
        statement = (
            select(RunRow.note).where(RunRow.handler == "SupersededCommitsHandler").order_by(RunRow.id)
        )
        return session.execute(statement).scalars().all()[-1] or ""


def test_builds_and_tests_of_the_older_commit_are_canceled(world: World) -> None:
    pull = world.repository()
    old = pull.head_sha
    world.post(world.opened(pull))
    world.work()
    (build,) = world.sandbox.copr.builds
    for chroot in ("srpm-builds", "fedora-43-x86_64"):
        world.sandbox.copr.finish(build.id, chroot)
    world.sandbox.copr.start(build.id, "fedora-44-x86_64")
    world.work()
    (request,) = world.sandbox.testing_farm.requests

    world.post(push(world, pull))
    world.work()
    new = world.sandbox.github.pull_requests(REPOSITORY)[0]["head"]["sha"]
    assert world.sandbox.copr.build(build.id).chroot("fedora-44-x86_64").state == "canceled"
    assert world.sandbox.testing_farm.request(request.id).state == "canceled"
    checks = world.checks(old)
    assert {name: check["conclusion"] for name, check in checks.items()} == {
        "rpm-build:fedora-43-x86_64": "success",
        "rpm-build:fedora-44-x86_64": "cancelled",
        "testing-farm:fedora-43-x86_64": "cancelled",
        "testing-farm:fedora-44-x86_64": "cancelled",
    }
    assert new[:12] in checks["rpm-build:fedora-44-x86_64"]["output"]["title"]
    assert new in checks["rpm-build:fedora-44-x86_64"]["output"]["summary"]
    assert len(world.sandbox.copr.builds) == 2
    assert {check["status"] for check in world.checks(new).values()} == {"in_progress", "queued"}

    # Late news of what was canceled changes nothing, whatever it says.
    for chroot in build.chroots:
        for status in (1, 0, 2):
            body = {"build": build.id, "chroot": chroot, "copr": build.projectname, "owner": build.ownername}
            world.sandbox.bus.publish(
                "org.fedoraproject.prod.copr.build.end", body | {"pkg": "hello", "status": status}
            )
    world.call_back({"request_id": request.id, "token": "the-token-testing-farm-sends-back"})
    world.work()
    assert world.checks(old) == checks
    assert build_states(world)[str(build.id), "fedora-44-x86_64"] == "canceled"
    assert build_states(world)[str(build.id), "fedora-43-x86_64"] == "success"

    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert set(world.conclusions(new).values()) == {"success"}
    assert world.checks(old) == checks


@pytest.mark.parametrize("config", ["jobs: [{job: copr_buil", None], ids=["unusable", "removed"])
def test_the_newer_commit_has_no_configuration(world: World, config: str | None) -> None:
    pull = world.repository(ONE_BUILD)
    old = pull.head_sha
    world.post(world.opened(pull))
    world.work()
    (build,) = world.sandbox.copr.builds
    newer = world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={".packit.yaml": config})
    posted = world.sandbox.github.webhook(
        "pull_request", "synchronize", repository=REPOSITORY, pull_request=pull.number
    )
    world.post(posted)
    world.work()
    assert world.sandbox.copr.build(build.id).chroot("fedora-43-x86_64").state == "canceled"
    assert set(world.conclusions(old).values()) == {"cancelled"}
    assert list(world.conclusions(newer.head_sha)) == (["package-config"] if config else [])


def test_a_build_that_nobody_has_begun(world: World) -> None:
    """Copr tells nothing about chroots that were waiting; their checks end all the same."""
    pull = world.repository(ONE_BUILD)
    old = pull.head_sha
    world.post(world.opened(pull))
    world.work()
    world.post(push(world, pull))
    world.work()
    assert world.conclusions(old) == {"rpm-build:fedora-43-x86_64": "cancelled"}
    first, second = world.sandbox.copr.builds
    assert (first.state, second.state) == ("canceled", "pending")
    assert f"canceled Copr build {first.id}" in notes(world)


def test_an_event_that_was_waiting_to_be_tried_again(world: World) -> None:
    """It was begun and goes its way first; what it has ordered then is canceled."""
    pull = world.repository(ONE_BUILD)
    old = pull.head_sha
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="status", status=503, times=1
    )
    world.post(world.opened(pull))
    world.work()
    world.post(push(world, pull))
    for _ in range(2):
        world.work()
        world.time_passes(seconds=60)
        world.sweep()
    world.work()
    assert [event.state for event in world.events()] == ["done", "done"]
    assert world.conclusions(old) == {"rpm-build:fedora-43-x86_64": "cancelled"}
    assert [build.state for build in world.sandbox.copr.builds] == ["canceled", "pending"]


def test_same_push_twice(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    world.work()
    delivery = push(world, pull)
    for _ in range(2):
        world.post(delivery)
        world.work()
    assert len(world.sandbox.copr.builds) == 2
    canceled = [call for call in world.sandbox.calls("copr") if "/cancel/" in call.path]
    assert len(canceled) == 1


def test_an_older_push_comes_late(world: World) -> None:
    """The forge knows which commit is the newest: a delivery that was overtaken cancels nothing."""
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    late = push(world, pull, text="one")
    newest = push(world, pull, text="two")
    world.post(newest)
    world.work()
    builds = len(world.sandbox.copr.builds)
    world.post(late)
    world.work()
    new = world.sandbox.github.pull_requests(REPOSITORY)[0]["head"]["sha"]
    assert world.conclusions(new) == {"rpm-build:fedora-43-x86_64": None}
    assert "told of separately" in notes(world)
    assert len(world.sandbox.copr.builds) == builds + 1


def test_another_pull_request_goes_on(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    other = world.sandbox.github.open_pull_request(
        REPOSITORY,
        author="alice",
        files={".packit.yaml": ONE_BUILD, "hello.spec": "Name: hello\n"},
        title="Other",
    )
    for one in (pull, other):
        world.post(world.opened(one))
    world.work()
    world.post(push(world, pull))
    world.work()
    assert world.conclusions(other.head_sha) == {"rpm-build:fedora-43-x86_64": None}
    states = [build.state for build in world.sandbox.copr.builds]
    assert states.count("canceled") == 1


def test_it_is_switched_off(make_world: Callable[..., World]) -> None:
    world = make_world(copr={"cancel_superseded": False})
    world.approve()
    pull = world.repository(ONE_BUILD)
    old = pull.head_sha
    world.post(world.opened(pull))
    world.work()
    world.post(push(world, pull))
    world.work()
    assert world.conclusions(old) == {"rpm-build:fedora-43-x86_64": None}
    assert "cancel_superseded is off" in notes(world)
    world.finish_builds()
    world.work()
    assert world.conclusions(old) == {"rpm-build:fedora-43-x86_64": "success"}


def test_copr_is_away(world: World) -> None:
    """The checks say so at once; what could not be canceled is canceled later, once."""
    pull = world.repository(ONE_BUILD)
    old = pull.head_sha
    world.post(world.opened(pull))
    world.work()
    world.sandbox.faults.add("copr", method="PUT", path=r"/cancel/", kind="drop_after_commit", times=1)
    world.post(push(world, pull))
    world.work()
    assert world.conclusions(old) == {"rpm-build:fedora-43-x86_64": "cancelled"}
    for _ in range(3):
        world.time_passes(seconds=10)
        world.sweep()
        world.work()
    assert world.sandbox.copr.builds[0].state == "canceled"
    assert len(world.sandbox.copr.builds) == 2
    with world.journal.read() as session:
        effect = session.execute(select(EffectRow).where(EffectRow.kind == "cancel")).scalar_one()
    assert effect.state == "confirmed"
    assert set(build_states(world).values()) == {"canceled", "pending"}


def test_copr_does_not_let_us(world: World) -> None:
    """Then it goes on there, and nobody here listens."""
    pull = world.repository(ONE_BUILD)
    old = pull.head_sha
    world.post(world.opened(pull))
    world.work()
    world.sandbox.faults.add("copr", method="PUT", path=r"/cancel/", kind="status", status=403, times=1)
    world.post(push(world, pull))
    world.work()
    assert "could not be canceled" in notes(world)
    (first, _) = world.sandbox.copr.builds
    world.sandbox.copr.finish(first.id, "fedora-43-x86_64")
    world.work()
    assert world.conclusions(old) == {"rpm-build:fedora-43-x86_64": "cancelled"}
