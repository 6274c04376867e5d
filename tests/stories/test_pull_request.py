"""A pull request is opened: its packages are built and tested, and its checks say how that went."""

from __future__ import annotations

from .world import CALLBACK_TOKEN, ONE_BUILD, REPOSITORY, World

BUILDS = {"rpm-build:fedora-43-x86_64", "rpm-build:fedora-44-x86_64"}
TESTS = {"testing-farm:fedora-43-x86_64", "testing-farm:fedora-44-x86_64"}


def test_everything_goes_well(world: World) -> None:
    pull = world.repository()
    delivery = world.opened(pull)
    answer = world.post(delivery)
    assert answer.status_code == 202
    assert answer.get_json()["decision"] == "accepted"

    world.work()
    checks = world.checks(pull.head_sha)
    assert set(checks) == BUILDS | TESTS
    assert {checks[name]["status"] for name in BUILDS} == {"in_progress"}
    assert {checks[name]["status"] for name in TESTS} == {"queued"}
    (build,) = world.sandbox.copr.builds
    assert {"fedora-43-x86_64", "fedora-44-x86_64"} <= set(build.chroots)
    assert checks["rpm-build:fedora-43-x86_64"]["details_url"].endswith(f"/coprs/build/{build.id}")

    for chroot in ("srpm-builds", "fedora-43-x86_64"):
        world.sandbox.copr.start(build.id, chroot)
        world.sandbox.copr.finish(build.id, chroot)
    world.work()
    assert world.conclusions(pull.head_sha)["rpm-build:fedora-43-x86_64"] == "success"
    assert world.conclusions(pull.head_sha)["rpm-build:fedora-44-x86_64"] is None
    (request,) = world.sandbox.testing_farm.requests
    assert request.environments[0]["artifacts"] == [
        {"type": "fedora-copr-build", "id": f"{build.id}:fedora-43-x86_64"}
    ]
    assert request.environments[0]["os"]["compose"] == "Fedora-43"
    assert request.test["fmf"]["ref"] == pull.head_sha

    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert world.conclusions(pull.head_sha) == dict.fromkeys(BUILDS | TESTS, "success")
    assert len(world.sandbox.copr.builds) == 1
    assert len(world.sandbox.testing_farm.requests) == 2
    assert max(world.sandbox.effects().values()) == 1
    assert {event.state for event in world.events()} <= {"done", "ignored"}


def test_tasks_are_those_of_the_design(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    assert world.ran[:2] == ["task.parse_message", "task.process_pull_request_GH_event"]
    assert set(world.ran[2:]) == {"task.show_check"}


def test_build_fails(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    world.finish_builds(succeeded=False)
    world.work()
    checks = world.checks(pull.head_sha)
    assert {name: check["conclusion"] for name, check in checks.items()} == dict.fromkeys(
        BUILDS | TESTS, "failure"
    )
    (build,) = world.sandbox.copr.builds
    assert f"/coprs/build/{build.id}" in checks["rpm-build:fedora-43-x86_64"]["details_url"]
    assert "log" in checks["rpm-build:fedora-43-x86_64"]["output"]["summary"]
    assert "build failed" in checks["testing-farm:fedora-43-x86_64"]["output"]["title"]
    assert world.sandbox.testing_farm.requests == []


def test_source_package_fails(world: World) -> None:
    """Copr sends nothing about chroots it never came to; their checks end all the same."""
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    (build,) = world.sandbox.copr.builds
    world.sandbox.copr.finish(build.id, "srpm-builds", succeeded=False)
    world.work()
    assert world.conclusions(pull.head_sha) == dict.fromkeys(BUILDS | TESTS, "failure")
    assert "SRPM" in world.checks(pull.head_sha)["rpm-build:fedora-43-x86_64"]["output"]["title"]


def test_tests_fail_and_err(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    first, second = world.sandbox.testing_farm.requests
    world.sandbox.testing_farm.finish(first.id, overall="failed", summary="3 of 5 tests")
    world.sandbox.testing_farm.finish(second.id, overall="error")
    for request in (first, second):
        world.call_back({"request_id": request.id, "token": CALLBACK_TOKEN})
    world.work()
    tests = [check for name, check in world.checks(pull.head_sha).items() if name in TESTS]
    assert {check["conclusion"] for check in tests} == {"failure"}
    assert {check["output"]["title"] for check in tests} == {
        "Tests failed.",
        "The tests ended with an error.",
    }


def test_only_tests_are_configured(world: World) -> None:
    """Tests need a build: it is made, and the tests' checks speak for it."""
    config = "specfile_path: hello.spec\njobs:\n- {job: tests, trigger: pull_request, targets: [fedora-43]}\n"
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    assert set(world.checks(pull.head_sha)) == {"testing-farm:fedora-43-x86_64"}
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert world.conclusions(pull.head_sha) == {"testing-farm:fedora-43-x86_64": "success"}


def test_several_jobs_side_by_side(world: World) -> None:
    config = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: pull_request, targets: [fedora-43]}
- {job: copr_build, trigger: pull_request, targets: [fedora-44], identifier: extra}
- {job: copr_build, trigger: commit, branch: main, targets: [fedora-43]}
- {job: tests, trigger: pull_request, targets: [fedora-44], identifier: extra}
"""
    pull = world.repository(config)
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    assert set(world.checks(pull.head_sha)) == {
        "rpm-build:fedora-43-x86_64",
        "rpm-build:fedora-44-x86_64:extra",
        "testing-farm:fedora-44-x86_64:extra",
    }
    projects = {build.projectname for build in world.sandbox.copr.builds}
    assert len(projects) == 2
    assert any(name.endswith("-extra-dev") for name in projects)
    assert any("it is for commit events" in entry.text for entry in world.decisions(delivery.id))
    world.finish_builds()
    world.work()
    assert len(world.sandbox.testing_farm.requests) == 1


def test_copr_does_not_know_a_target(world: World) -> None:
    pull = world.repository(ONE_BUILD.replace("fedora-43", "fedora-43, fedora-7"))
    world.post(world.opened(pull))
    world.work()
    checks = world.checks(pull.head_sha)
    assert checks["rpm-build:fedora-7-x86_64"]["conclusion"] == "failure"
    assert "cannot build for fedora-7-x86_64" in checks["rpm-build:fedora-7-x86_64"]["output"]["title"]
    assert checks["rpm-build:fedora-43-x86_64"]["status"] == "in_progress"


def test_nothing_is_configured(world: World) -> None:
    world.sandbox.github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    pull = world.sandbox.github.open_pull_request(
        REPOSITORY, author="alice", files={"README": "hello"}, title="x"
    )
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    assert world.checks(pull.head_sha) == {}
    (event,) = world.events()
    assert event.state == "ignored"
    assert "no package configuration" in (event.reason or "")
    assert any(entry.next_step for entry in world.decisions(delivery.id))
