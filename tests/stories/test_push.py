"""Something is pushed to a branch: it is built and tested where a job is for that branch."""

from __future__ import annotations

from typing import Any

import pytest

from .world import ONE_BUILD, REPOSITORY, SPEC, World

BUILD = "rpm-build:fedora-43-x86_64"
DEFAULT = "jobs:\n- {job: copr_build, trigger: commit, targets: [fedora-43]}\n"
TWO = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: commit, branch: main, targets: [fedora-43], identifier: main}
- {job: copr_build, trigger: commit, branch: devel, targets: [fedora-43], identifier: devel}
- {job: copr_build, trigger: pull_request, targets: [fedora-43]}
"""


def push(world: World, config: str, *, branch: str = "main", **options: Any) -> str:
    """Alice pushes; the workers do what follows. The new commit."""
    if REPOSITORY not in world.sandbox.github.state.repositories:
        world.sandbox.github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    files = {".packit.yaml": config, "hello.spec": SPEC}
    sha = world.sandbox.github.push(REPOSITORY, branch=branch, files=files)
    delivery = world.sandbox.github.webhook("push", repository=REPOSITORY, branch=branch, **options)
    assert world.post(delivery).status_code == 202
    world.work()
    return sha


def test_the_default_branch(world: World) -> None:
    sha = push(world, DEFAULT)
    (build,) = world.sandbox.copr.builds
    assert build.projectname == "acme-hello-main-dev"
    assert world.checks(sha)[BUILD]["status"] == "in_progress"
    assert not any(call.path.endswith("/repos/acme/hello") for call in world.sandbox.calls("github"))
    world.finish_builds()
    world.work()
    assert world.conclusions(sha) == {BUILD: "success"}


def test_another_branch(world: World) -> None:
    sha = push(world, DEFAULT, branch="feature/x")
    assert world.sandbox.copr.builds == []
    assert world.checks(sha) == {}
    assert world.events()[-1].state == "ignored"


def test_jobs_for_two_branches_never_cross(world: World) -> None:
    sha = push(world, TWO, branch="devel")
    (build,) = world.sandbox.copr.builds
    assert build.projectname == "acme-hello-devel-devel-dev"
    assert set(world.checks(sha)) == {f"{BUILD}:devel"}
    world.finish_builds()
    world.work()
    assert world.conclusions(sha) == {f"{BUILD}:devel": "success"}, "and no check of the pull requests' job"
    other = push(world, TWO, branch="main")
    assert set(world.checks(other)) == {f"{BUILD}:main"}


@pytest.mark.parametrize(
    ("pattern", "branch", "built"),
    [
        ("release-.*", "release-1", True),
        ("release-", "release-1", True),
        ("elease", "release-1", False),
        ("(main|devel)$", "main-2", False),
        ("feature/.+", "feature/a/b", True),
    ],
)
def test_a_pattern_of_branches(world: World, pattern: str, branch: str, built: bool) -> None:
    push(world, DEFAULT.replace("targets", f"branch: '{pattern}', targets"), branch=branch)
    assert len(world.sandbox.copr.builds) == built


def test_a_pattern_that_is_none(world: World) -> None:
    sha = push(world, DEFAULT.replace("targets", "branch: 'a(b', targets"))
    (check,) = world.checks(sha).values()
    assert check["name"] == "package-config"
    assert "no regular expression" in check["output"]["title"]


def test_tests_of_a_branch(world: World) -> None:
    config = DEFAULT + "- {job: tests, trigger: commit, targets: [fedora-43]}\n"
    sha = push(world, config)
    world.finish_builds()
    world.work()
    (request,) = world.sandbox.testing_farm.requests
    assert request.test["fmf"]["ref"] == sha
    assert request.environments[0]["variables"]["PACKIT_BRANCH"] == "main"
    world.finish_tests()
    world.work()
    assert set(world.conclusions(sha).values()) == {"success"}


def test_a_deleted_branch(world: World) -> None:
    push(world, ONE_BUILD)
    delivery = world.sandbox.github.webhook("push", repository=REPOSITORY, branch="main", after="0" * 40)
    world.post(delivery)
    world.work()
    assert world.sandbox.copr.builds == []
    assert world.delivery(delivery.id).state == "ignored"


def test_the_account_is_not_approved(make_world: Any) -> None:
    world = make_world()
    sha = push(world, DEFAULT)
    assert world.sandbox.copr.builds == []
    assert world.conclusions(sha) == {BUILD: "action_required"}
