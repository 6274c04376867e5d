"""Somebody presses "Re-run" beside a check, or for all of them: what is meant runs again, under the same check."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.effects import EffectRow

from .world import CALLBACK_TOKEN, CONFIG, ONE_BUILD, REPOSITORY, World

BUILD_43, BUILD_44 = "rpm-build:fedora-43-x86_64", "rpm-build:fedora-44-x86_64"
TESTS_43, TESTS_44 = "testing-farm:fedora-43-x86_64", "testing-farm:fedora-44-x86_64"

_presses = itertools.count(1)


def one_build_fails(world: World) -> Any:
    """A pull request whose build failed for Fedora 43 and went well for Fedora 44."""
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    (build,) = world.sandbox.copr.builds
    world.sandbox.copr.finish(build.id, "fedora-43-x86_64", succeeded=False)
    world.sandbox.copr.finish(build.id, "fedora-44-x86_64")
    world.work()
    return pull


def press(world: World, sha: str, name: str | None = None, *, sender: str = "alice", **options: Any) -> Any:
    """Somebody presses the button beside a check, or (no name) the one for all. Two presses are never the same."""
    extra = {"pressed": next(_presses)} | options.pop("extra", {})
    if name is None:
        delivery = world.sandbox.github.webhook(
            "check_suite",
            "rerequested",
            repository=REPOSITORY,
            sha=sha,
            sender=sender,
            extra=extra,
            **options,
        )
    else:
        check = world.checks(sha)[name]
        delivery = world.sandbox.github.webhook(
            "check_run",
            "rerequested",
            repository=REPOSITORY,
            check_run=check["id"],
            sender=sender,
            extra=extra,
        )
    assert world.post(delivery).status_code == 202
    return delivery


def built(world: World) -> list[tuple[str, ...]]:
    """The chroots of each build that was ordered."""
    return [tuple(build.chroots) for build in world.sandbox.copr.builds]


def composes(world: World) -> list[str]:
    """The composes of each request for tests."""
    return [request.environments[0]["os"]["compose"] for request in world.sandbox.testing_farm.requests]


def finish_tests(world: World, **overall: str) -> None:
    """Testing Farm ends what it has, well or as said for a compose: Fedora_43="failed"."""
    for request in world.sandbox.testing_farm.requests:
        compose = request.environments[0]["os"]["compose"].replace("-", "_")
        world.sandbox.testing_farm.finish(request.id, overall=overall.get(compose, "passed"))
        world.call_back({"request_id": request.id, "token": CALLBACK_TOKEN})
    world.work()


def everything_ran(world: World, **overall: str) -> Any:
    """A pull request whose builds were made and tests were run."""
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    finish_tests(world, **overall)
    return pull


def ids(world: World, sha: str) -> dict[str, int]:
    checks = world.sandbox.github.checks(REPOSITORY, sha)
    assert len({check["name"] for check in checks}) == len(checks), "one check for each name"
    return {check["name"]: check["id"] for check in checks}


def reasons(world: World, delivery: Any) -> str:
    return "\n".join(f"{entry.title}: {entry.text}" for entry in world.decisions(delivery.id))


# -- one check --


def test_one_build(world: World) -> None:
    pull = everything_ran(world)
    before = ids(world, pull.head_sha)
    press(world, pull.head_sha, BUILD_43)
    world.work()
    assert built(world) == [("fedora-43-x86_64", "fedora-44-x86_64"), ("fedora-43-x86_64",)]
    assert ids(world, pull.head_sha) == before, "one check for each name, through all its life"
    checks = world.checks(pull.head_sha)
    assert {name: check["status"] for name, check in checks.items()} == {
        BUILD_43: "in_progress",
        TESTS_43: "queued",
        BUILD_44: "completed",
        TESTS_44: "completed",
    }
    history = [shown["status"] for shown in checks[BUILD_43]["history"]]
    assert "completed" in history
    assert history[-1] == "in_progress"

    world.finish_builds()
    world.work()
    assert composes(world) == ["Fedora-43", "Fedora-44", "Fedora-43"], "what was built again is tested again"
    finish_tests(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}
    assert max(world.sandbox.effects().values()) <= 2


def test_one_test(world: World) -> None:
    """On the build that is there."""
    pull = everything_ran(world, Fedora_44="failed")
    (build,) = world.sandbox.copr.builds
    press(world, pull.head_sha, TESTS_44)
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert composes(world) == ["Fedora-43", "Fedora-44", "Fedora-44"]
    request = world.sandbox.testing_farm.requests[-1]
    assert request.environments[0]["artifacts"] == [
        {"type": "fedora-copr-build", "id": f"{build.id}:fedora-44-x86_64"}
    ]
    assert world.checks(pull.head_sha)[TESTS_44]["status"] == "in_progress"
    finish_tests(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_a_test_whose_build_failed(world: World) -> None:
    """There is nothing to test: it is built first, there alone, and then tested."""
    pull = one_build_fails(world)
    press(world, pull.head_sha, TESTS_43)
    world.work()
    assert built(world)[1:] == [("fedora-43-x86_64",)]
    assert world.checks(pull.head_sha)[BUILD_43]["status"] == "in_progress"
    world.finish_builds()
    world.work()
    assert composes(world) == ["Fedora-44", "Fedora-43"]
    finish_tests(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_one_press_delivered_twice_and_a_second_press(world: World) -> None:
    pull = everything_ran(world)
    delivery = press(world, pull.head_sha, BUILD_43)
    world.work()
    assert world.post(delivery).get_json()["decision"] == "duplicate"
    world.work()
    assert len(world.sandbox.copr.builds) == 2
    world.finish_builds()
    world.work()
    finish_tests(world)

    press(world, pull.head_sha, BUILD_43)
    world.work()
    assert len(world.sandbox.copr.builds) == 3, "whose root is found through the first re-run"
    world.finish_builds()
    world.work()
    finish_tests(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}
    with world.journal.read() as session:
        keys = list(session.execute(select(EffectRow.key).where(EffectRow.kind == "copr_build")).scalars())
    assert len(set(keys)) == 3


def test_names_with_colons(world: World) -> None:
    """The row tells what a check is; its name is for people."""
    config = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: pull_request, targets: [fedora-43], identifier: "a:fedora-44-x86_64:b"}
- {job: copr_build, trigger: pull_request, targets: [fedora-44], identifier: a}
"""
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds(succeeded=False)
    world.work()
    press(world, pull.head_sha, "rpm-build:fedora-43-x86_64:a:fedora-44-x86_64:b")
    world.work()
    assert built(world)[2:] == [("fedora-43-x86_64",)]
    first, _, again = world.sandbox.copr.builds
    assert again.projectname == first.projectname


def test_found_by_the_forges_id(world: World) -> None:
    """Where the payload does not bring ours."""
    pull = everything_ran(world)
    check = dict(world.checks(pull.head_sha)[BUILD_43], external_id="")
    press(world, pull.head_sha, BUILD_43, extra={"check_run": check})
    world.work()
    assert built(world)[1:] == [("fedora-43-x86_64",)]


def test_the_app_was_installed_anew(world: World) -> None:
    """What the event at the root knew of the installation is not true any more."""
    pull = everything_ran(world)
    world.sandbox.github.uninstall(1001)
    world.sandbox.github.install("acme", 1007)
    press(world, pull.head_sha, BUILD_43)
    world.work()
    assert built(world)[1:] == [("fedora-43-x86_64",)]
    assert world.checks(pull.head_sha)[BUILD_43]["status"] == "in_progress"


# -- stuck ones --


def test_a_stuck_build(world: World) -> None:
    """It is built anew; what was under way is canceled where nobody else waits for it, and its news comes too late."""
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    world.work()
    (stuck,) = world.sandbox.copr.builds
    world.sandbox.copr.start(stuck.id, "fedora-43-x86_64")
    world.work()
    press(world, pull.head_sha, BUILD_43)
    world.work()
    _, again = world.sandbox.copr.builds
    assert world.sandbox.copr.build(stuck.id).state == "canceled"
    body = {"chroot": "fedora-43-x86_64", "copr": stuck.projectname, "owner": stuck.ownername, "pkg": "hello"}
    world.sandbox.bus.publish(
        "org.fedoraproject.prod.copr.build.end", body | {"build": stuck.id, "status": 0}
    )
    world.work()
    assert world.checks(pull.head_sha)[BUILD_43]["status"] == "in_progress"
    assert world.checks(pull.head_sha)[BUILD_43]["details_url"].endswith(f"/{again.id}")
    world.sandbox.copr.finish_all(again.id)
    world.work()
    assert world.conclusions(pull.head_sha) == {BUILD_43: "success"}


def test_a_build_that_is_stuck_in_one_chroot(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    (stuck,) = world.sandbox.copr.builds
    world.sandbox.copr.start(stuck.id, "fedora-43-x86_64")
    world.sandbox.copr.start(stuck.id, "fedora-44-x86_64")
    world.work()
    press(world, pull.head_sha, BUILD_43)
    world.work()
    assert built(world)[1:] == [("fedora-43-x86_64",)]
    assert world.sandbox.copr.build(stuck.id).chroot("fedora-44-x86_64").state == "running", (
        "somebody waits for it"
    )
    world.sandbox.copr.finish(stuck.id, "fedora-43-x86_64", succeeded=False)
    world.sandbox.copr.finish(stuck.id, "fedora-44-x86_64")
    world.work()
    assert world.conclusions(pull.head_sha)[BUILD_43] is None
    assert world.conclusions(pull.head_sha)[BUILD_44] == "success"


def test_a_stuck_test(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    stuck = world.sandbox.testing_farm.requests[0]
    press(world, pull.head_sha, TESTS_43)
    world.work()
    assert composes(world) == ["Fedora-43", "Fedora-44", "Fedora-43"]
    assert world.sandbox.testing_farm.request(stuck.id).state == "canceled"
    world.call_back({"request_id": stuck.id, "token": CALLBACK_TOKEN})
    world.work()
    assert world.conclusions(pull.head_sha)[TESTS_43] is None
    finish_tests(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_testing_farm_is_away(world: World) -> None:
    """What cannot be canceled now does not hold up what is to be run again."""
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    world.sandbox.faults.add(
        "testing_farm", method="DELETE", path=r"/requests/", kind="status", status=503, times=9
    )
    press(world, pull.head_sha, BUILD_43)
    world.work()
    assert built(world)[1:] == [("fedora-43-x86_64",)]


def test_tests_that_wait_for_a_build(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    delivery = press(world, pull.head_sha, TESTS_43)
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert "the tests follow when it is there" in reasons(world, delivery)
    world.finish_builds()
    world.work()
    assert composes(world) == ["Fedora-43", "Fedora-44"]


# -- all of them --


def test_what_failed(world: World) -> None:
    """One build failed, one test failed: these two, and the test that had nothing to test."""
    pull = one_build_fails(world)
    finish_tests(world, Fedora_44="failed")
    before = ids(world, pull.head_sha)
    press(world, pull.head_sha)
    world.work()
    assert built(world)[1:] == [("fedora-43-x86_64",)]
    assert composes(world) == ["Fedora-44", "Fedora-44"]
    assert world.conclusions(pull.head_sha)[BUILD_44] == "success"
    world.finish_builds()
    world.work()
    assert composes(world) == ["Fedora-44", "Fedora-44", "Fedora-43"]
    finish_tests(world)
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}
    assert ids(world, pull.head_sha) == before


def test_everything(world: World) -> None:
    """Nothing failed: all of it, in one build."""
    pull = everything_ran(world)
    press(world, pull.head_sha)
    world.work()
    assert built(world) == [("fedora-43-x86_64", "fedora-44-x86_64")] * 2
    assert composes(world) == ["Fedora-43", "Fedora-44"], "their build is on its way"
    world.finish_builds()
    world.work()
    finish_tests(world)
    assert composes(world) == ["Fedora-43", "Fedora-44"] * 2
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


def test_worker_dies_in_between(world: World) -> None:
    """The second attempt runs what the first one meant, though nothing shows as failed any more."""
    pull = one_build_fails(world)
    finish_tests(world)
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="drop_after_commit", times=1
    )
    press(world, pull.head_sha)
    for _ in range(3):
        world.work()
        world.time_passes(seconds=10)
        world.sweep()
    world.work()
    assert built(world)[1:] == [("fedora-43-x86_64",)]
    assert composes(world) == ["Fedora-44"]


def test_only_tests_are_configured(world: World) -> None:
    config = "specfile_path: hello.spec\njobs:\n- {job: tests, trigger: pull_request, targets: [fedora-43]}\n"
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds(succeeded=False)
    world.work()
    press(world, pull.head_sha)
    world.work()
    assert built(world) == [("fedora-43-x86_64",)] * 2, "the tests need it"
    world.finish_builds()
    world.work()
    finish_tests(world)
    assert world.conclusions(pull.head_sha) == {TESTS_43: "success"}


def test_after_comments(world: World) -> None:
    """What a comment has ordered runs again as it was asked for, beside what the pull request has."""
    config = CONFIG + "    manual_trigger: true\n"
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    assert set(world.checks(pull.head_sha)) == {BUILD_43, BUILD_44}
    world.post(
        world.sandbox.github.webhook(
            "issue_comment",
            "created",
            repository=REPOSITORY,
            pull_request=pull.number,
            comment="/packit test --env COLOUR=red",
            sender="alice",
        )
    )
    world.work()
    assert composes(world) == ["Fedora-43", "Fedora-44"]
    finish_tests(world, Fedora_43="failed")
    press(world, pull.head_sha)
    world.work()
    assert composes(world) == ["Fedora-43", "Fedora-44", "Fedora-43"]
    variables = world.sandbox.testing_farm.requests[-1].environments[0]["variables"]
    assert variables["COLOUR"] == "red"
    finish_tests(world)

    press(world, pull.head_sha)
    world.work()
    assert built(world) == [("fedora-43-x86_64", "fedora-44-x86_64")] * 2
    world.finish_builds()
    world.work()
    assert len(composes(world)) == 5, "they were among what was to be run again"


# -- who may not, and what is not ours --


def test_somebody_without_rights(world: World) -> None:
    """Said on the check that was pressed, and on no other."""
    pull = everything_ran(world)
    press(world, pull.head_sha, BUILD_43, sender="stranger")
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    conclusions = world.conclusions(pull.head_sha)
    assert conclusions.pop(BUILD_43) == "action_required"
    assert set(conclusions.values()) == {"success"}
    output = world.checks(pull.head_sha)[BUILD_43]["output"]
    assert "stranger" in output["title"]
    assert "with the same button" in output["summary"]


def test_a_maintainer_allows_what_was_refused(world: World) -> None:
    pull = world.repository(ONE_BUILD, author="stranger")
    world.post(world.opened(pull))
    world.work()
    assert world.conclusions(pull.head_sha) == {BUILD_43: "action_required"}
    press(world, pull.head_sha)
    world.work()
    assert built(world) == [("fedora-43-x86_64",)]
    world.finish_builds()
    world.work()
    assert world.conclusions(pull.head_sha) == {BUILD_43: "success"}


def test_account_not_on_the_allowlist(make_world: Callable[..., World]) -> None:
    world = make_world()
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    world.work()
    press(world, pull.head_sha, BUILD_43)
    world.work()
    assert world.sandbox.copr.builds == []
    assert world.conclusions(pull.head_sha) == {BUILD_43: "action_required"}
    world.approve()
    press(world, pull.head_sha, BUILD_43)
    world.work()
    assert built(world) == [("fedora-43-x86_64",)]


def test_a_check_of_another_app(world: World) -> None:
    pull = everything_ran(world)
    check = world.checks(pull.head_sha)[BUILD_43]
    check["app"] = {"id": 99, "slug": "somebody-else"}
    delivery = press(world, pull.head_sha, BUILD_43, extra={"check_run": check})
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert "it belongs to another App, somebody-else" in reasons(world, delivery)


def test_a_check_that_nobody_knows(world: World) -> None:
    pull = everything_ran(world)
    check = dict(world.checks(pull.head_sha)[BUILD_43], id=1, external_id="of somebody else")
    delivery = press(world, pull.head_sha, BUILD_43, extra={"check_run": check})
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert "not about anything this service has ordered" in reasons(world, delivery)
    assert world.events()[-1].state == "ignored"


def test_it_belongs_to_the_pull_request(world: World) -> None:
    """The re-run is part of its pull request's story, and takes its turn there."""
    pull = everything_ran(world)
    press(world, pull.head_sha, BUILD_43)
    world.work(lanes=["parse"])
    event = world.events()[-1]
    assert event.task == "task.process_check_run_rerun_GH_event"
    assert event.subject == world.events()[0].subject
    world.work()
    with world.journal.read() as session:
        rows = session.execute(select(BuildRow).where(BuildRow.event_id == event.id)).scalars().all()
        check = session.execute(select(CheckRow).where(CheckRow.name == BUILD_43)).scalar_one()
    assert {row.task for row in rows} == {"task.process_pull_request_GH_event"}, "its root"
    assert check.event_id == event.id


def test_a_newer_push_cancels_what_runs_again(world: World) -> None:
    pull = everything_ran(world)
    old = pull.head_sha
    press(world, old, BUILD_43)
    world.work()
    world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"more": "text"})
    world.post(
        world.sandbox.github.webhook(
            "pull_request", "synchronize", repository=REPOSITORY, pull_request=pull.number
        )
    )
    world.work()
    assert world.conclusions(old) == {
        BUILD_43: "cancelled",
        TESTS_43: "cancelled",
        BUILD_44: "success",
        TESTS_44: "success",
    }
    assert world.sandbox.copr.builds[1].state == "canceled"


# -- a commit with several events at the root --

SEVERAL = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: pull_request, targets: [fedora-43]}
- {job: copr_build, trigger: commit, branch: topic, targets: [fedora-44]}
- {job: copr_build, trigger: release, targets: [fedora-rawhide]}
"""
RAWHIDE = "rpm-build:fedora-rawhide-x86_64"


def several(world: World) -> str:
    """A commit that is the head of a pull request, was pushed to a branch, and is released; its builds have ended."""
    github = world.sandbox.github
    pull = world.repository(SEVERAL)
    github.state.repository(REPOSITORY).branches["topic"] = pull.head_sha
    world.post(world.opened(pull))
    world.post(github.webhook("push", repository=REPOSITORY, branch="topic"))
    github.add_tag(REPOSITORY, "v1.0", pull.head_sha)
    github.add_release(REPOSITORY, "v1.0")
    world.post(github.webhook("release", "published", repository=REPOSITORY, tag="v1.0"))
    world.work()
    assert set(world.checks(pull.head_sha)) == {BUILD_43, BUILD_44, RAWHIDE}
    return str(pull.head_sha)


def test_all_roots_run_again(world: World) -> None:
    """Each in its own Copr project, in the story of its own subject, and once."""
    sha = several(world)
    world.finish_builds()
    world.work()
    before = ids(world, sha)
    delivery = press(world, sha)
    world.work()
    projects = [build.projectname for build in world.sandbox.copr.builds]
    assert len(projects) == 6
    assert sorted(projects[:3]) == sorted(projects[3:])
    again = [event for event in world.events() if event.delivery_id == delivery.id]
    assert {event.subject for event in again} == {event.subject for event in world.events()[:3]}
    assert {event.state for event in again} == {"done"}
    world.finish_builds()
    world.work()
    assert world.conclusions(sha) == dict.fromkeys((BUILD_43, BUILD_44, RAWHIDE), "success")
    assert ids(world, sha) == before


def test_what_failed_of_all_roots_runs_again(world: World) -> None:
    sha = several(world)
    for build in world.sandbox.copr.builds:
        (chroot,) = build.chroots
        world.sandbox.copr.finish(build.id, chroot, succeeded="44" in chroot)
    world.work()
    press(world, sha)
    world.work()
    assert set(built(world)[3:]) == {("fedora-43-x86_64",), ("fedora-rawhide-x86_64",)}
    assert len(world.sandbox.copr.builds) == 5


def test_one_check_of_one_root(world: World) -> None:
    sha = several(world)
    world.finish_builds()
    world.work()
    press(world, sha, BUILD_44)
    world.work()
    assert built(world)[3:] == [("fedora-44-x86_64",)]
    assert world.sandbox.copr.builds[3].projectname == "acme-hello-topic-dev"
