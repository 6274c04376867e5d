"""Copr says no: its words and the next step stand in the checks."""

from __future__ import annotations

from .test_comments import say
from .world import ONE_BUILD, World

BUILD = "rpm-build:fedora-43-x86_64"
OTHERS = ONE_BUILD.replace("targets", "owner: somebody, project: theirs, targets")


def test_a_project_of_somebody_else(world: World) -> None:
    pull = world.repository(OTHERS)
    world.sandbox.copr.add_project("somebody", "theirs", chroots=["fedora-43-x86_64"])
    world.post(world.opened(pull))
    world.work()
    assert world.sandbox.copr.builds == []
    check = world.checks(pull.head_sha)[BUILD]
    assert check["conclusion"] == "failure"
    assert "refuses to build in somebody/theirs" in check["output"]["title"]
    assert "permissions to build" in check["output"]["title"]
    first = check["output"]["summary"].splitlines()[0]
    assert "permission builder" in first
    assert check["details_url"].endswith("/coprs/somebody/theirs/permissions/")

    account = world.sandbox.copr.username
    world.sandbox.copr.grant("somebody", "theirs", account)
    say(world, pull, "/packit build")
    assert len(world.sandbox.copr.builds) == 1
    assert world.checks(pull.head_sha)[BUILD]["status"] == "in_progress"


def test_a_project_that_lacks_a_chroot(world: World) -> None:
    pull = world.repository(OTHERS)
    world.sandbox.copr.add_project("somebody", "theirs", chroots=["fedora-44-x86_64"])
    world.post(world.opened(pull))
    world.work()
    check = world.checks(pull.head_sha)[BUILD]
    assert check["conclusion"] == "failure"
    assert "permission admin" in check["output"]["summary"].splitlines()[0]


def test_other_jobs_are_not_to_blame(world: World) -> None:
    config = OTHERS + "  - {job: copr_build, trigger: pull_request, targets: [fedora-43], identifier: ours}\n"
    pull = world.repository(config)
    world.sandbox.copr.add_project("somebody", "theirs", chroots=["fedora-43-x86_64"])
    world.post(world.opened(pull))
    world.work()
    checks = world.checks(pull.head_sha)
    assert checks[BUILD]["conclusion"] == "failure"
    assert checks[f"{BUILD}:ours"]["status"] == "in_progress"
