"""Keys of the package configuration that users of packit know: what each changes in what is built, and what is said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packit_worker.sandbox import Sandbox
from tests import having

from .test_comments import say
from .test_private_projects import CHECK, KOJI, RPMBUILD, program
from .world import CONFIG, ONE_BUILD, REPOSITORY, World

JOB = """\
specfile_path: hello.spec
jobs:
- job: copr_build
  trigger: pull_request
  targets: [fedora-43, fedora-44]
"""
#: Says which files there are, for a target whose file is not in the pull request.
PREPARING = "#!/bin/sh\nls; [ -e theirs ] || exit 5\nmkdir -p /work/sources && cp hello.spec /work/sources/\n"


def opened(world: World, config: str, **options: Any) -> Any:
    pull = world.repository(config, **options)
    world.post(world.opened(pull))
    world.work()
    return pull


def said(world: World, number: int) -> list[str]:
    """The comments of the service."""
    comments = world.sandbox.github.comments(REPOSITORY, number)
    return [each["body"] for each in comments if each["user"]["login"] == "packit-sandbox[bot]"]


# -- packit_instances --


@pytest.mark.parametrize(("instances", "builds"), [("[prod]", 0), ("[prod, dev]", 1), ("[dev]", 1)])
def test_packit_instances(world: World, instances: str, builds: int) -> None:
    """The service of this world is a dev deployment; a job that names none is for all."""
    pull = opened(world, ONE_BUILD + f"packit_instances: {instances}\n")
    assert len(world.sandbox.copr.builds) == builds
    if not builds:
        assert world.checks(pull.head_sha) == {}
        reasons = [str(entry.text) for entry in world.decisions(world.events()[0].delivery_id)]
        assert any("(packit_instances), and this is dev" in reason for reason in reasons)


# -- what Copr is told --


def test_module_hotfixes(world: World) -> None:
    opened(world, JOB + "  module_hotfixes: true\n")
    (project,) = world.sandbox.copr.state.projects.values()
    assert project.settings["module_hotfixes"] is True


def test_module_hotfixes_in_a_project_that_is_there(world: World) -> None:
    copr = world.sandbox.copr
    copr.add_project("packit", "shared", chroots=["fedora-43-x86_64", "fedora-44-x86_64"])
    opened(world, JOB + "  project: shared\n  module_hotfixes: true\n")
    assert copr.state.projects["packit/shared"].settings["module_hotfixes"] is True


def test_additional_packages_and_settings_of_targets(world: World) -> None:
    config = JOB.replace(
        "[fedora-43, fedora-44]",
        "{fedora-43: {additional_packages: [made], additional_modules: 'ruby:3.1, nodejs:20'}, fedora-44: {}}",
    )
    opened(world, config + "  additional_packages: [gcc, made]\n")
    (project,) = world.sandbox.copr.state.projects.values()
    assert project.chroot_settings == {
        "fedora-43-x86_64": {
            "additional_packages": ["gcc", "made"],
            "additional_modules": ["ruby:3.1", "nodejs:20"],
        },
        "fedora-44-x86_64": {"additional_packages": ["gcc", "made"]},
    }


def test_settings_of_an_alias(world: World) -> None:
    opened(world, JOB.replace("[fedora-43, fedora-44]", "{fedora-stable: {with_opts: [tests]}}"))
    (project,) = world.sandbox.copr.state.projects.values()
    assert project.chroot_settings == {
        f"fedora-{number}-x86_64": {"with_opts": ["tests"]} for number in (43, 44)
    }


def test_what_an_owner_has_set_up_for_a_chroot_stays(world: World) -> None:
    copr = world.sandbox.copr
    project = copr.add_project("packit", "shared", chroots=["fedora-43-x86_64", "fedora-44-x86_64"])
    project.chroot_settings["fedora-43-x86_64"] = {"additional_packages": ["theirs"]}
    config = JOB + "  project: shared\n  additional_packages: [gcc]\n"
    pull = opened(world, config)
    assert project.chroot_settings["fedora-43-x86_64"]["additional_packages"] == ["theirs", "gcc"]
    calls = len([call for call in world.sandbox.calls("copr") if "/project-chroot/edit/" in call.path])
    say(world, pull, "/packit build")
    world.work()
    assert len(copr.builds) == 2
    again = len([call for call in world.sandbox.calls("copr") if "/project-chroot/edit/" in call.path])
    assert again == calls == 2, "nothing is changed where nothing is missing"


def test_a_chroot_that_copr_refuses_to_set_up(world: World) -> None:
    world.sandbox.faults.add("copr", path="/project-chroot/edit/", kind="status", status=403)
    pull = opened(world, ONE_BUILD.replace("targets", "additional_packages: [gcc], targets"))
    assert world.sandbox.copr.builds == []
    assert set(world.conclusions(pull.head_sha).values()) == {"failure"}


# -- merge_pr_in_ci --


def script_run(world: World, sandbox: Sandbox, place: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that Copr was given, with git as it is and a packit that says which files there are."""
    place.mkdir()
    packit = place / "bin" / "packit"
    packit.parent.mkdir()
    packit.write_text("#!/bin/sh\ngit status --short >&2; ls\n")
    packit.chmod(0o755)
    script = sandbox.copr.builds[-1].source["script"]
    return subprocess.run(
        ["sh", "-c", script],
        cwd=place,
        env={"PATH": f"{packit.parent}:/usr/bin:/bin", "HOME": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("key", "there"), [("", True), ("merge_pr_in_ci: false\n", False)])
def test_a_pull_request_is_built_as_merged(
    world: World, sandbox: Sandbox, tmp_path: Path, key: str, there: bool
) -> None:
    pull = world.repository(ONE_BUILD + key)
    sandbox.github.push(REPOSITORY, files={"theirs": "of the target"})
    world.post(world.opened(pull))
    world.work()
    done = script_run(world, sandbox, tmp_path / "copr")
    assert done.returncode == 0, done.stderr
    assert ("theirs" in done.stdout.split()) == there
    assert "hello.spec" in done.stdout.split()


def test_a_conflict_with_the_target_fails_the_build(world: World, sandbox: Sandbox, tmp_path: Path) -> None:
    pull = world.repository(ONE_BUILD)
    sandbox.github.push(REPOSITORY, files={"hello.spec": "Name: other\n"})
    world.post(world.opened(pull))
    world.work()
    done = script_run(world, sandbox, tmp_path / "copr")
    assert done.returncode != 0
    assert "CONFLICT" in done.stdout + done.stderr
    assert "hello.spec" in done.stdout + done.stderr


@pytest.fixture(scope="module")
def preparing() -> Iterator[str]:
    yield from program({"packit": PREPARING, "rpmbuild": RPMBUILD})


@pytest.fixture
def koji(make_world: Callable[..., World], preparing: str) -> Iterator[World]:
    having.the_library_koji()
    world = make_world(packit={"program": preparing})
    world.approve()
    yield world
    world.shop.services.koji.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "target", "words"),
    [
        ("", {"theirs": "x"}, None),
        ("merge_pr_in_ci: false\n", {"theirs": "x"}, "exit code 5"),
        ("", {"hello.spec": "Name: other\n"}, "conflict"),
    ],
)
def test_for_koji_it_is_merged_in_the_jail(
    koji: World, key: str, target: dict[str, str], words: str | None
) -> None:
    pull = koji.repository(KOJI + key)
    koji.sandbox.github.push(REPOSITORY, files=target)
    koji.post(koji.opened(pull))
    koji.work()
    if words is None:
        assert len(koji.sandbox.koji.tasks) == 1
        return
    assert koji.sandbox.koji.tasks == []
    output = koji.checks(pull.head_sha)[CHECK]["output"]
    assert words in output["title"] + output["summary"]


# -- notifications --

FAILING = (
    "notifications:\n  failure_comment:\n"
    "    message: '@acme/team: {commit_sha} fails, see {logs_url} {nothing} <!-- packit_worker:x -->'\n"
)


def test_failure_comment(world: World) -> None:
    """Once for a commit, however many chroots fail; a newer commit is told of anew."""
    pull = opened(world, CONFIG + FAILING)
    world.finish_builds(succeeded=False)
    world.work()
    (comment,) = said(world, pull.number)
    assert comment.startswith(f"@acme/team: {pull.head_sha} fails, see http")
    assert "{nothing}" in comment, "what it does not stand for is left alone"
    assert "<!-- packit_worker:x" not in comment, "our own marks cannot be written by others"
    world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"more": "text"})
    world.post(
        world.sandbox.github.webhook(
            "pull_request", "synchronize", repository=REPOSITORY, pull_request=pull.number
        )
    )
    world.work()
    world.finish_builds(succeeded=False)
    world.work()
    assert len(said(world, pull.number)) == 2


def test_failure_comment_of_tests(world: World) -> None:
    pull = opened(world, CONFIG + FAILING)
    world.finish_builds()
    world.work()
    assert said(world, pull.number) == []
    world.finish_tests("failed")
    world.work()
    assert len(said(world, pull.number)) == 1


def test_failure_comment_of_a_source_package(world: World) -> None:
    pull = opened(world, ONE_BUILD + FAILING)
    (build,) = world.sandbox.copr.builds
    world.sandbox.copr.finish(build.id, "srpm-builds", succeeded=False)
    world.work()
    assert len(said(world, pull.number)) == 1


def test_nothing_is_said_of_what_went_well(world: World) -> None:
    pull = opened(world, CONFIG + FAILING)
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert said(world, pull.number) == []
