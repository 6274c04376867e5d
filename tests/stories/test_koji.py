"""Builds in Koji: the source package is made in the jail, each target is ordered once, its news is shown.

The jail is real; the program packit in it is a script of these stories, which need no packit of the machine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from packit_worker.journal import builds
from packit_worker.journal.decisions import DecisionRow
from packit_worker.orders.koji import koji_target, koji_targets
from tests import having

from .test_comments import reactions, say
from .test_push import push
from .test_release import publish
from .test_rerun import press
from .test_superseding import push as newer_push
from .world import REPOSITORY, World

having.the_library_koji()

JOB = "specfile_path: hello.spec\njobs:\n- {job: upstream_koji_build, trigger: pull_request, targets: [fedora-43]}\n"
PUSHED = JOB.replace("pull_request", "commit")
CHECK, RAWHIDE = "koji-build:f43", "koji-build:rawhide"

PACKIT = """\
#!/bin/sh
# packit --debug prepare-sources --job-config-index 0 --result-dir DIR .
if [ -e broken ]; then echo "no such archive: hello-1.0.tar.gz"; exit 3; fi
mkdir -p /work/sources && cp hello.spec /work/sources/
"""
RPMBUILD = "#!/bin/sh\nmkdir -p /work/result && echo srpm > /work/result/hello-1.0-1.src.rpm\n"


@pytest.fixture(scope="session")
def program() -> Iterator[str]:
    """A program packit, where the user of the jail can get to it."""
    having.a_jail()
    with tempfile.TemporaryDirectory(prefix="packit-worker-program-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        for name, text in (("packit", PACKIT), ("rpmbuild", RPMBUILD)):
            (place / name).write_text(text)
            (place / name).chmod(0o755)
        yield str(place / "packit")


@pytest.fixture
def world(make_world: Any, program: str) -> Iterator[World]:
    made: World = make_world(packit={"program": program})
    made.approve()
    yield made
    made.shop.services.koji.close()  # type: ignore[attr-defined]


def opened(world: World, config: str = JOB, **options: Any) -> Any:
    pull = world.repository(config, **options)
    world.post(world.opened(pull))
    world.work()
    return pull


def finish(world: World, *, succeeded: bool = True) -> None:
    for task in world.sandbox.koji.tasks:
        world.sandbox.koji.finish(task.id, succeeded)
    world.work()


def decided(world: World) -> list[tuple[str, str]]:
    """Steps and reasons of all that was decided."""
    with world.journal.read() as session:
        rows = session.execute(select(DecisionRow)).scalars()
        return [(row.step, row.reason) for row in rows]


def test_a_pull_request(world: World) -> None:
    """production_build, PullRequestGithubKojiBuildHandler, KojiBuildEvent, KojiBuildReportHandler."""
    pull = opened(world, JOB.replace("[fedora-43]", "[fedora-43, fedora-43-aarch64, fedora-rawhide]"))
    first, second = world.sandbox.koji.tasks
    assert (first.target, second.target) == ("f43", "rawhide")
    assert first.scratch
    assert second.scratch
    assert first.srpm == "hello-1.0-1.src.rpm"
    check = world.checks(pull.head_sha)[CHECK]
    assert check["status"] == "in_progress"
    assert check["details_url"] == f"{world.sandbox.koji.url}/koji/taskinfo?taskID={first.id}"
    world.sandbox.koji.start(first.id)
    world.work()
    assert world.checks(pull.head_sha)[CHECK]["output"]["title"] == "The Koji build is in progress."
    finish(world)
    assert world.conclusions(pull.head_sha) == {CHECK: "success", RAWHIDE: "success"}
    assert world.checks(pull.head_sha)[CHECK]["details_url"] == check["details_url"], "kept for ever"
    with world.journal.read() as session:
        (row,) = builds.of_build(session, "koji", str(first.id))
    assert (row.chroot, row.state, row.web_url) == ("f43", "success", check["details_url"])


def test_a_pull_request_is_never_built_for_good(world: World) -> None:
    opened(world, JOB.replace("targets", "scratch: false, targets"))
    (task,) = world.sandbox.koji.tasks
    assert task.scratch
    assert world.sandbox.koji.builds == []


def test_the_name_of_the_job_in_old_files(world: World) -> None:
    pull = opened(
        world, "jobs:\n- {job: production_build, trigger: pull_request, metadata: {targets: fedora-43}}\n"
    )
    assert set(world.checks(pull.head_sha)) == {CHECK}


def test_a_failure(world: World) -> None:
    pull = opened(world)
    finish(world, succeeded=False)
    check = world.checks(pull.head_sha)[CHECK]
    assert check["conclusion"] == "failure"
    assert "build.log" in check["output"]["summary"]
    assert "taskinfo" in check["details_url"]


def test_it_is_canceled(world: World) -> None:
    pull = opened(world)
    world.sandbox.koji.cancel(world.sandbox.koji.tasks[0].id)
    world.work()
    assert world.conclusions(pull.head_sha) == {CHECK: "cancelled"}


def test_news_that_comes_late_or_twice(world: World) -> None:
    """KojiBuildEvent: without ``old``, and in states that nothing follows from."""
    pull = opened(world)
    finish(world)
    world._bus_position = 0
    world.work()
    (task,) = world.sandbox.koji.tasks
    topic = "org.fedoraproject.prod.buildsys.task.state.change"
    for state in ("OPEN", "FAILED", "FREE"):
        world.sandbox.bus.publish(topic, {"id": task.id, "new": state, "method": "build", "owner": "packit"})
    world.work()
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}


def test_targets_that_koji_has_not(world: World) -> None:
    """production_build: a target that is none is told of, and the others are built."""
    pull = opened(world, JOB.replace("[fedora-43]", "[fedora-43, fedora-12, centos-stream-9]"))
    assert [task.target for task in world.sandbox.koji.tasks] == ["f43"]
    checks = world.checks(pull.head_sha)
    assert checks["koji-build:f12"]["conclusion"] == "failure"
    assert "Koji cannot build for f12" in checks["koji-build:f12"]["output"]["title"]
    assert checks["koji-build:centos-stream-9"]["conclusion"] == "failure"
    assert checks[CHECK]["status"] == "in_progress"


def test_a_stranger_waits_for_a_maintainer(world: World) -> None:
    """PullRequestGithubKojiBuildHandler: the same permission as for Copr."""
    pull = opened(world, author="stranger")
    assert world.sandbox.koji.tasks == []
    check = world.checks(pull.head_sha)[CHECK]
    assert check["conclusion"] == "action_required"
    assert "/packit production-build" in check["output"]["summary"]
    say(world, pull, "/packit production-build", sender="stranger")
    assert world.sandbox.koji.tasks == []
    say(world, pull, "/packit production-build")
    (task,) = world.sandbox.koji.tasks
    assert task.scratch
    assert reactions(world, pull)[-1] == ["eyes"]
    finish(world)
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}


def test_a_comment_about_one_target(world: World) -> None:
    pull = opened(world, JOB.replace("[fedora-43]", "[fedora-43, fedora-rawhide]"))
    finish(world, succeeded=False)
    say(world, pull, "/packit production-build --target fedora-rawhide")
    assert [task.target for task in world.sandbox.koji.tasks] == ["f43", "rawhide", "rawhide"]
    finish(world)
    assert world.conclusions(pull.head_sha) == {CHECK: "failure", RAWHIDE: "success"}


@pytest.mark.parametrize("scratch", [True, False])
def test_a_push_to_a_branch(world: World, scratch: bool) -> None:
    """PushGithubKojiBuildHandler: scratch is as the job says."""
    sha = push(world, PUSHED.replace("targets", f"scratch: {str(scratch).lower()}, targets"))
    (task,) = world.sandbox.koji.tasks
    assert task.scratch is scratch
    finish(world)
    assert world.conclusions(sha) == {CHECK: "success"}
    assert len(world.sandbox.koji.builds) == (not scratch)


def test_a_push_to_another_branch(world: World) -> None:
    """PushGithubKojiBuildHandler: only the branch of the job."""
    push(world, PUSHED.replace("targets", "branch: main, targets"), branch="devel")
    assert world.sandbox.koji.tasks == []


def test_a_release(world: World) -> None:
    """ReleaseGithubKojiBuildHandler."""
    sha = push(world, JOB.replace("pull_request", "release"))
    world.sandbox.github.add_tag(REPOSITORY, "v1.0", sha)
    push(world, "jobs: []\n")
    publish(world, "v1.0")
    (task,) = world.sandbox.koji.tasks
    assert not task.scratch
    finish(world)
    assert world.conclusions(sha) == {CHECK: "success"}


def test_the_newest_name_of_the_job(world: World) -> None:
    opened(world, JOB.replace("upstream_koji_build", "koji_build"))
    (task,) = world.sandbox.koji.tasks
    assert task.scratch


def test_builds_of_dist_git_are_another_job(world: World) -> None:
    push(world, JOB.replace("upstream_koji_build", "koji_build").replace("pull_request", "commit"))
    assert world.sandbox.koji.tasks == []
    assert any("a koji_build for commits is for those of dist-git" in reason for _, reason in decided(world))


def test_without_the_program(make_world: Any) -> None:
    world = make_world(packit={"program": "/nonexistent/packit"})
    world.approve()
    pull = opened(world)
    check = world.checks(pull.head_sha)[CHECK]
    assert check["conclusion"] == "failure"
    assert "is not installed" in check["output"]["title"]
    assert "install packit" in check["output"]["summary"]
    assert world.sandbox.koji.tasks == []
    world.shop.services.koji.close()


def test_without_a_jail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    which = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, **rest: None if name == "bwrap" else which(name, **rest)
    )
    pull = opened(world)
    check = world.checks(pull.head_sha)[CHECK]
    assert check["conclusion"] == "failure"
    assert "cannot run code of a repository" in check["output"]["title"]
    assert world.sandbox.koji.tasks == []


def test_without_an_account(make_world: Any) -> None:
    world = make_world(koji={"username": None, "password": None})
    world.approve()
    pull = opened(world)
    assert "no account in Koji" in world.checks(pull.head_sha)[CHECK]["output"]["title"]


def test_the_source_package_cannot_be_made(world: World) -> None:
    world.repository(JOB)
    files = {".packit.yaml": PUSHED, "hello.spec": "Name: hello\n", "broken": "yes"}
    sha = world.sandbox.github.push(REPOSITORY, branch="main", files=files)
    world.post(world.sandbox.github.webhook("push", repository=REPOSITORY, branch="main"))
    world.work()
    check = world.checks(sha)[CHECK]
    assert check["conclusion"] == "failure"
    assert "exit code 3" in check["output"]["title"]
    assert "no such archive" in check["output"]["summary"]
    assert world.sandbox.koji.tasks == []


def settle(world: World) -> None:
    for _ in range(3):
        world.time_passes(seconds=10)
        world.sweep()
        world.work()


def test_news_before_the_row_and_an_order_without_answer(world: World) -> None:
    """The worker does not learn that the order was taken: it is found, not made again; its news has waited."""
    lookups = world.shop.services.koji
    build = lookups.build

    def killed(order: Any) -> Any:
        build(order)
        raise KeyboardInterrupt

    lookups.build = killed  # type: ignore[method-assign]
    pull = world.repository(JOB)
    world.post(world.opened(pull))
    with pytest.raises(KeyboardInterrupt):
        world.work()
    lookups.build = build  # type: ignore[method-assign]
    finish(world)
    news = [event for event in world.events() if "koji" in event.task]
    assert news
    assert {event.state for event in news} == {"ready"}, "it waits for the row"
    settle(world)
    assert len(world.sandbox.koji.tasks) == 1
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}


def test_an_unknown_task(world: World) -> None:
    opened(world)
    topic = "org.fedoraproject.prod.buildsys.task.state.change"
    world.sandbox.bus.publish(topic, {"id": 99, "new": "CLOSED", "method": "build", "owner": "packit"})
    world.work()
    assert world.events()[-1].state == "ignored"


def test_the_bus_tells_nothing(world: World) -> None:
    pull = opened(world)
    world.sandbox.koji.finish(world.sandbox.koji.tasks[0].id)
    world._bus_position = len(world.sandbox.bus.messages())
    world.look()
    world.work()
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}


def test_a_newer_push_cancels_the_task(world: World) -> None:
    pull = opened(world)
    old = pull.head_sha
    world.post(newer_push(world, pull, old=old))
    world.work()
    first, second = world.sandbox.koji.tasks
    assert (first.state, second.state) == ("CANCELED", "FREE")
    assert world.conclusions(old) == {CHECK: "cancelled"}


@pytest.mark.parametrize(
    ("chroot", "target"),
    [
        ("fedora-43-x86_64", "f43"),
        ("fedora-rawhide-x86_64", "rawhide"),
        ("fedora-eln-x86_64", "eln"),
        ("epel-9-aarch64", "epel9"),
        ("epel-10-x86_64", "epel10"),
        ("centos-stream-9-x86_64", "centos-stream-9"),
    ],
)
def test_targets(chroot: str, target: str) -> None:
    assert koji_target(chroot) == target
    assert koji_targets([chroot, chroot]) == (target,)


# -- again --


def test_the_button_builds_again(world: World) -> None:
    """RerunKojiBuildHandler: the target whose button was pressed, and no other, under the same check."""
    pull = opened(world, JOB.replace("[fedora-43]", "[fedora-43, fedora-rawhide]"))
    finish(world, succeeded=False)
    before = world.checks(pull.head_sha)[CHECK]["id"]
    press(world, pull.head_sha, CHECK)
    world.work()
    assert [task.target for task in world.sandbox.koji.tasks] == ["f43", "rawhide", "f43"]
    assert world.sandbox.koji.tasks[-1].scratch
    finish(world)
    assert world.conclusions(pull.head_sha) == {CHECK: "success", RAWHIDE: "failure"}
    assert world.checks(pull.head_sha)[CHECK]["id"] == before
    press(world, pull.head_sha, sender="stranger")
    world.work()
    assert len(world.sandbox.koji.tasks) == 3, "strangers have no say"
    press(world, pull.head_sha)
    world.work()
    assert [task.target for task in world.sandbox.koji.tasks][3:] == ["rawhide"], "of all, what failed"


def test_the_button_while_it_is_building(world: World) -> None:
    """Nobody waits for the task of before: it is canceled, and its news changes nothing."""
    sha = push(world, PUSHED)
    press(world, sha, CHECK)
    world.work()
    first, second = world.sandbox.koji.tasks
    assert (first.state, second.state) == ("CANCELED", "FREE")
    assert not second.scratch, "as the push had it"
    finish(world)
    assert world.conclusions(sha) == {CHECK: "success"}


def test_a_push_is_advised_to_press_the_button(world: World) -> None:
    sha = push(world, PUSHED)
    finish(world, succeeded=False)
    summary = world.checks(sha)[CHECK]["output"]["summary"]
    assert "press Re-run beside this check" in summary
    assert "/packit" not in summary


def test_a_comment_builds_what_failed(world: World) -> None:
    pull = opened(world, JOB.replace("[fedora-43]", "[fedora-43, fedora-rawhide]"))
    first, second = world.sandbox.koji.tasks
    world.sandbox.koji.finish(first.id, False)
    world.sandbox.koji.finish(second.id)
    world.work()
    assert "/packit production-build" in world.checks(pull.head_sha)[CHECK]["output"]["summary"]
    say(world, pull, "/packit rebuild-failed")
    assert [task.target for task in world.sandbox.koji.tasks] == ["f43", "rawhide", "f43"]
    finish(world)
    assert world.conclusions(pull.head_sha) == {CHECK: "success", RAWHIDE: "success"}
    say(world, pull, "/packit rebuild-failed")
    assert len(world.sandbox.koji.tasks) == 3
