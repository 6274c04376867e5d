"""Tests in Testing Farm: with the build and without one, asked for in comments, refused, as they are configured."""

from __future__ import annotations

from .test_comments import answers, reactions, say
from .world import CONFIG, REPOSITORY, World

TESTS = ("testing-farm:fedora-43-x86_64", "testing-farm:fedora-44-x86_64")


def built(world: World, config: str = CONFIG, **options: object) -> object:
    """A pull request that is built and tested."""
    pull = world.repository(config, **options)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    return pull


def finish(world: World, overall: str = "passed") -> None:
    world.finish_tests(overall)
    world.work()


def test_existing_builds_are_tested_again(world: World) -> None:
    pull = built(world)
    finish(world)
    assert len(world.sandbox.testing_farm.requests) == 2
    say(world, pull, "/packit test")
    requests = world.sandbox.testing_farm.requests
    assert len(requests) == 4
    assert len(world.sandbox.copr.builds) == 1
    assert {request.environments[0]["arch"] for request in requests} == {"x86_64"}
    assert [request.environments[0]["os"]["compose"] for request in requests[2:]] == [
        "Fedora-43",
        "Fedora-44",
    ]
    assert {check["status"] for name, check in world.checks(pull.head_sha).items() if name in TESTS} == {
        "in_progress"
    }
    assert reactions(world, pull) == [["eyes"]]
    assert answers(world, pull) == []
    finish(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_without_builds_there_is_one_first(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit test --target fedora-44")
    (build,) = world.sandbox.copr.builds
    assert "fedora-43-x86_64" not in build.chroots
    assert set(world.checks(pull.head_sha)) == {
        "rpm-build:fedora-44-x86_64",
        "testing-farm:fedora-44-x86_64",
    }
    world.finish_builds()
    world.work()
    finish(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}
    assert len(world.sandbox.testing_farm.requests) == 1


def test_a_build_is_on_its_way(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    say(world, pull, "/packit test")
    assert len(world.sandbox.copr.builds) == 1
    (answer,) = answers(world, pull)
    assert "follow by themselves" in answer


def test_outsiders(world: World) -> None:
    pull = built(world)
    say(world, pull, "/packit test", sender="stranger")
    assert len(world.sandbox.testing_farm.requests) == 2
    (answer,) = answers(world, pull)
    assert "may not ask for this" in answer


def test_retest_failed(world: World) -> None:
    pull = built(world)
    first, second = world.sandbox.testing_farm.requests
    world.sandbox.testing_farm.finish(first.id, overall="failed")
    world.sandbox.testing_farm.finish(second.id, overall="passed")
    world.look()
    world.work()
    say(world, pull, "/packit retest-failed")
    assert len(world.sandbox.testing_farm.requests) == 3
    again = world.sandbox.testing_farm.requests[-1]
    assert again.environments[0]["artifacts"] == first.environments[0]["artifacts"]
    finish(world)
    say(world, pull, "/packit retest-failed")
    assert len(world.sandbox.testing_farm.requests) == 3
    assert "no tests of this commit have failed" in answers(world, pull)[0]


def test_variables_of_a_comment(world: World) -> None:
    config = CONFIG + "    env: {COLOUR: red, SIZE: 1}\n"
    pull = built(world, config)
    say(world, pull, "/packit test --target fedora-43-x86_64 --env 'COLOUR=dark blue'")
    before, after = world.sandbox.testing_farm.requests[0], world.sandbox.testing_farm.requests[-1]
    assert before.environments[0]["variables"]["COLOUR"] == "red"
    assert after.environments[0]["variables"]["COLOUR"] == "dark blue"
    assert after.environments[0]["variables"]["SIZE"] == "1"


def test_variables_reach_tests_that_need_a_build_first(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit test --env COLOUR=blue")
    world.finish_builds()
    world.work()
    colours = [
        request.environments[0]["variables"]["COLOUR"] for request in world.sandbox.testing_farm.requests
    ]
    assert colours == ["blue", "blue"]


def test_tests_without_build_run_at_once(world: World) -> None:
    config = """\
specfile_path: hello.spec
jobs:
- {job: tests, trigger: pull_request, targets: [fedora-43], skip_build: true}
"""
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    assert world.sandbox.copr.builds == []
    (request,) = world.sandbox.testing_farm.requests
    assert "artifacts" not in request.environments[0]
    finish(world)
    assert world.conclusions(pull.head_sha) == {"testing-farm:fedora-43-x86_64": "success"}
    say(world, pull, "/packit test")
    assert len(world.sandbox.testing_farm.requests) == 2
    assert world.sandbox.copr.builds == []


def test_a_stranger_gets_no_tests_without_build(world: World) -> None:
    config = "jobs:\n- {job: tests, trigger: pull_request, targets: [fedora-43], skip_build: true}\n"
    pull = world.repository(config, author="stranger")
    world.post(world.opened(pull))
    world.work()
    assert world.sandbox.testing_farm.requests == []
    assert world.conclusions(pull.head_sha) == {"testing-farm:fedora-43-x86_64": "action_required"}


MANUAL = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: pull_request, targets: [fedora-43]}
- {job: tests, trigger: pull_request, targets: [fedora-43], labels: [quick]}
- {job: tests, trigger: pull_request, targets: [fedora-43], identifier: full, labels: [slow], manual_trigger: true}
"""


def test_manual_tests_wait_for_a_comment(world: World) -> None:
    pull = built(world, MANUAL)
    assert len(world.sandbox.testing_farm.requests) == 1
    assert "testing-farm:fedora-43-x86_64:full" not in world.checks(pull.head_sha)
    say(world, pull, "/packit build")
    world.finish_builds()
    world.work()
    assert len(world.sandbox.testing_farm.requests) == 2, "those that need no comment of their own"
    say(world, pull, "/packit test --identifier full")
    assert len(world.sandbox.testing_farm.requests) == 3
    assert world.checks(pull.head_sha)["testing-farm:fedora-43-x86_64:full"]["status"] == "in_progress"


def test_labels_of_jobs(world: World) -> None:
    pull = built(world, MANUAL)
    say(world, pull, "/packit test --labels slow,other")
    assert "testing-farm:fedora-43-x86_64:full" in world.checks(pull.head_sha)
    assert len(world.sandbox.testing_farm.requests) == 2


def test_what_a_bare_command_stands_for(world: World) -> None:
    config = MANUAL.replace("jobs:", "test_command: {default_identifier: full}\njobs:")
    pull = built(world, config)
    say(world, pull, "/packit test")
    assert len(world.sandbox.testing_farm.requests) == 2
    assert world.checks(pull.head_sha)["testing-farm:fedora-43-x86_64:full"]["status"] == "in_progress"


def test_only_what_the_comment_names_follows_on_its_build(world: World) -> None:
    pull = world.repository(MANUAL)
    say(world, pull, "/packit test --identifier full")
    assert set(world.checks(pull.head_sha)) == {
        "rpm-build:fedora-43-x86_64",
        "testing-farm:fedora-43-x86_64:full",
    }
    world.finish_builds()
    world.work()
    assert len(world.sandbox.testing_farm.requests) == 1


LABELLED = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: pull_request, targets: [fedora-43]}
- job: tests
  trigger: pull_request
  targets: [fedora-43]
  require: {label: {present: [ready], absent: [wip]}}
"""


def test_labels_of_the_pull_request(world: World) -> None:
    pull = world.repository(LABELLED)
    world.post(world.opened(pull))
    world.work()
    assert set(world.checks(pull.head_sha)) == {"rpm-build:fedora-43-x86_64"}
    world.finish_builds()
    world.work()
    assert world.sandbox.testing_farm.requests == []
    issue = world.sandbox.github.state.issue(REPOSITORY, pull.number)
    world.sandbox.github.add_label(issue, "ready")
    say(world, pull, "/packit test")
    assert len(world.sandbox.testing_farm.requests) == 1
    world.sandbox.github.add_label(issue, "wip")
    say(world, pull, "/packit test")
    assert len(world.sandbox.testing_farm.requests) == 1


def test_the_internal_testing_farm(world: World) -> None:
    pull = built(world, CONFIG + "    use_internal_tf: true\n")
    assert world.sandbox.testing_farm.requests == []
    check = world.checks(pull.head_sha)["testing-farm:fedora-43-x86_64"]
    assert check["conclusion"] == "action_required"
    assert "use_internal_tf" in check["output"]["title"]
    assert "Take use" in check["output"]["summary"].splitlines()[0]


def test_the_request_is_as_configured(world: World) -> None:
    more = """\
    tmt_plan: ^plans/smoke$
    fmf_url: https://example.com/tests.git
    fmf_ref: main
    fmf_path: here
    skip_install: true
    tf_extra_params:
      api_key: stolen
      notification: {webhook: {url: http://evil.example}}
      settings: {pipeline: {timeout: 60}, worker: {image: evil}}
      environments:
      - {tmt: {context: {how: full}}, hardware: {memory: ">= 4 GB"}, secrets: {A: b}, artifacts: [{id: evil}]}
"""
    built(world, CONFIG + more)
    request = world.sandbox.testing_farm.requests[0]
    assert request.test["fmf"] == {
        "url": "https://example.com/tests.git",
        "ref": "main",
        "path": "here",
        "name": "^plans/smoke$",
    }
    environment = request.environments[0]
    assert environment["tmt"]["context"]["how"] == "full"
    assert environment["tmt"]["context"]["distro"] == "fedora-43"
    assert environment["hardware"] == {"memory": ">= 4 GB"}
    assert "secrets" not in environment
    assert environment["artifacts"][0]["type"] == "fedora-copr-build"
    assert environment["artifacts"][0]["install"] is False
    assert "evil" not in str(request.notification)


def test_testing_farm_says_no(world: World) -> None:
    world.sandbox.faults.add(
        "testing_farm", method="POST", path=r"/requests$", kind="status", status=422, times=1
    )
    pull = built(world)
    tests = {name: check for name, check in world.checks(pull.head_sha).items() if name in TESTS}
    assert sorted(check["status"] for check in tests.values()) == ["completed", "in_progress"]
    (refused,) = [check for check in tests.values() if check["status"] == "completed"]
    assert refused["conclusion"] == "failure"
    assert "does not take" in refused["output"]["title"]
    assert "Correct the tests job" in refused["output"]["summary"].splitlines()[0]
