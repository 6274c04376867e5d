"""Projects on Pagure: pull requests, comments and pushes, told by signed hooks and on the bus."""

from __future__ import annotations

from typing import Any

import pytest

from packit_worker.journal import story

from .test_push import DEFAULT
from .world import CONFIG, ONE_BUILD, PAGURE_PROJECT, SPEC, World

BUILD = "packit-dev/rpm-build:fedora-43-x86_64"


def opened(world: World, config: str = ONE_BUILD, *, author: str = "alice", **options: Any) -> Any:
    """A pull request from somebody's fork, of which nobody was told yet."""
    world.pagure_project(**options)
    files = {".packit.yaml": config, "hello.spec": SPEC}
    return world.sandbox.pagure.open_pull_request(PAGURE_PROJECT, author=author, files=files)


def tell(world: World, topic: str, pull: Any, **about: Any) -> None:
    world.hook(topic, pull_request=pull.id, **about)
    world.work()


def say(world: World, pull: Any, text: str, agent: str = "alice") -> None:
    tell(world, "pull-request.comment.added", pull, comment=text, agent=agent)


def said(world: World, pull: Any) -> list[str]:
    """What we have commented."""
    comments = world.sandbox.pagure.comments(PAGURE_PROJECT, pull.id)
    return [each["comment"] for each in comments if each["user"]["name"] == "packit"]


def host(world: World) -> str:
    return world.sandbox.pagure.url.removeprefix("http://").partition(":")[0]


@pytest.mark.parametrize("topic", ["pull-request.new", "pull-request.reopened", "pull-request.updated"])
def test_PullRequestPagureEvent(world: World, topic: str) -> None:
    pull = opened(world)
    tell(world, topic, pull)
    (build,) = world.sandbox.copr.builds
    assert build.projectname == f"{host(world)}-acme-kettle-{pull.id}-dev"
    assert world.flags(pull.id) == world.flags(pull.commit_stop) == {BUILD: "pending"}
    reads = [call.path for call in world.sandbox.calls("pagure") if "/raw/" in call.path]
    assert reads and all(path.startswith("/fork/alice/acme/kettle/raw/") for path in reads)
    world.finish_builds()
    world.work()
    assert world.flags(pull.id) == world.flags(pull.commit_stop) == {BUILD: "success"}


def test_a_fork_that_is_gone(world: World) -> None:
    pull = opened(world)
    del world.sandbox.pagure.state.projects[f"forks/alice/{PAGURE_PROJECT}"]
    tell(world, "pull-request.new", pull)
    assert len(world.sandbox.copr.builds) == 1


def test_by_hook_and_by_bus_is_one_build(world: World) -> None:
    pull = opened(world)
    tell(world, "pull-request.new", pull, on_bus=True)
    assert len(world.sandbox.copr.builds) == 1
    assert len([event for event in world.events() if event.task.endswith("pagure_event")]) == 1


def test_by_bus_alone(world: World) -> None:
    pull = opened(world)
    world.sandbox.pagure.webhook("pull-request.new", project=PAGURE_PROJECT, pull_request=pull.id)
    world.work()
    assert world.flags(pull.id) == {BUILD: "pending"}


def test_the_page_of_the_pull_request_finds_its_story(world: World) -> None:
    pull = opened(world)
    tell(world, "pull-request.new", pull)
    page = f"{world.sandbox.pagure.url}/{PAGURE_PROJECT}/pull-request/{pull.id}"
    with world.journal.read() as session:
        (found,) = story.find(session, f"{page}#comment-1")
    assert found == world.events()[0].delivery_id


def test_an_outsider_builds_nothing(world: World) -> None:
    pull = opened(world, author="stranger")
    tell(world, "pull-request.new", pull)
    assert world.sandbox.copr.builds == []
    assert world.flags(pull.id) == {BUILD: "failure"}


def test_the_allowlist_is_of_this_forge(make_world: Any) -> None:
    world = make_world()
    pull = opened(world)
    tell(world, "pull-request.new", pull)
    assert world.sandbox.copr.builds == []
    assert world.flags(pull.id) == {BUILD: "failure"}


@pytest.mark.parametrize(("admin", "builds"), [("stranger", 0), ("127.0.0.2/stranger", 0)])
def test_administrators_elsewhere_are_nobody_here(make_world: Any, admin: str, builds: int) -> None:
    """The stand-ins share a host, so GitHub is said to be somewhere else."""
    world = make_world(admins=[admin], github={"web_url": "https://github.com"})
    world.approve()
    pull = opened(world, author="stranger")
    tell(world, "pull-request.new", pull)
    assert len(world.sandbox.copr.builds) == builds


def test_an_administrator_of_this_forge(make_world: Any) -> None:
    world = make_world(admins=["127.0.0.1/stranger"], github={"web_url": "https://github.com"})
    pull = opened(world, author="stranger")
    tell(world, "pull-request.new", pull)
    assert len(world.sandbox.copr.builds) == 1


def test_PullRequestCommentPagureEvent(world: World) -> None:
    pull = opened(world)
    say(world, pull, "/packit build")
    assert len(world.sandbox.copr.builds) == 1
    assert world.flags(pull.id) == {BUILD: "pending"}
    assert said(world, pull) == []


def test_PagurePullRequestCommentCoprBuildHandler(world: World) -> None:
    pull = opened(world, author="bob")
    say(world, pull, "/packit build", agent="stranger")
    say(world, pull, "/packit build", agent="stranger")
    assert world.sandbox.copr.builds == []
    (answer,) = said(world, pull)
    assert "may not ask for this" in answer
    say(world, pull, "/packit build")
    (build,) = world.sandbox.copr.builds
    assert build.projectname == f"{host(world)}-acme-kettle-{pull.id}-dev"
    assert pull.commit_stop in build.source["script"]


def test_members_of_a_group_may_ask(world: World) -> None:
    world.sandbox.pagure.add_group("brewers", ["gina"])
    pull = opened(world, author="bob", groups={"brewers": "commit"})
    say(world, pull, "/packit build", agent="gina")
    assert len(world.sandbox.copr.builds) == 1


def test_an_edited_comment_gives_only_new_commands(world: World) -> None:
    pull = opened(world)
    comment = world.sandbox.pagure.add_comment(PAGURE_PROJECT, pull.id, "/packit build", author="alice")
    tell(world, "pull-request.comment.added", pull, comment=comment.id)
    world.sandbox.pagure.edit_comment(PAGURE_PROJECT, pull.id, comment.id, "/packit build\nPlease.")
    tell(world, "pull-request.comment.edited", pull, comment=comment.id)
    assert len(world.sandbox.copr.builds) == 1
    world.sandbox.pagure.edit_comment(PAGURE_PROJECT, pull.id, comment.id, "/packit build\n/packit help")
    tell(world, "pull-request.comment.edited", pull, comment=comment.id)
    assert len(world.sandbox.copr.builds) == 1
    assert len(said(world, pull)) == 1


def test_comments_of_pagure_and_of_ours_give_no_commands(world: World) -> None:
    pull = opened(world)
    world.sandbox.pagure.add_comment(PAGURE_PROJECT, pull.id, "/packit build", notification=True)
    tell(world, "pull-request.comment.added", pull)
    say(world, pull, "/packit build", agent="packit")
    assert world.sandbox.copr.builds == []


def test_PushPagureEvent(world: World) -> None:
    world.pagure_project()
    files = {".packit.yaml": DEFAULT, "hello.spec": SPEC}
    sha = world.sandbox.pagure.push(PAGURE_PROJECT, files=files)
    world.hook("git.receive", branch="main", on_bus=True)
    world.work()
    (build,) = world.sandbox.copr.builds
    assert build.projectname == f"{host(world)}-acme-kettle-main-dev"
    world.finish_builds()
    world.work()
    assert world.flags(sha) == {BUILD: "success"}


def test_pushes_elsewhere_build_nothing(world: World) -> None:
    world.pagure_project()
    files = {".packit.yaml": DEFAULT, "hello.spec": SPEC}
    world.sandbox.pagure.push(PAGURE_PROJECT, branch="devel", files=files)
    world.hook("git.receive", branch="devel")
    world.hook("git.receive", branch="devel", extra={"branch": "refs/tags/1.0"})
    fork = world.sandbox.pagure.fork(PAGURE_PROJECT, "bob").fullname
    world.sandbox.pagure.push(fork, files=files, author="bob")
    world.sandbox.pagure.webhook("git.receive", project=fork, branch="main")
    world.work()
    assert world.sandbox.copr.builds == []


def test_new_commits_supersede_and_tests_are_flagged(world: World) -> None:
    pull = opened(world, CONFIG)
    old = pull.commit_stop
    tell(world, "pull-request.new", pull)
    pull = world.sandbox.pagure.push_to_pull_request(PAGURE_PROJECT, pull.id, files={"more": "tea"})
    tell(world, "pull-request.rebased", pull)
    assert set(world.flags(old).values()) == {"canceled"}
    first, second = world.sandbox.copr.builds
    assert {world.sandbox.copr.build(first.id).chroot(name).state for name in first.chroots} == {"canceled"}
    for chroot in second.chroots:
        world.sandbox.copr.finish(second.id, chroot)
    world.work()
    world.finish_tests()
    world.work()
    assert set(world.flags(pull.commit_stop).values()) == {"success"}
    assert len(world.flags(pull.commit_stop)) == 4


def test_a_closed_pull_request_is_not_built(world: World) -> None:
    pull = opened(world)
    world.sandbox.pagure.close_pull_request(PAGURE_PROJECT, pull.id)
    say(world, pull, "/packit build")
    assert world.sandbox.copr.builds == []
    assert "closed" in said(world, pull)[0]


def test_commits_that_nobody_has_seen_who_asked(world: World) -> None:
    pull = opened(world, author="bob")
    comment = world.sandbox.pagure.add_comment(PAGURE_PROJECT, pull.id, "/packit build", author="alice")
    seen = world.sandbox.pagure.webhook(
        "pull-request.comment.added",
        project=PAGURE_PROJECT,
        pull_request=pull.id,
        comment=comment.id,
        on_bus=False,
    )
    world.sandbox.pagure.push_to_pull_request(PAGURE_PROJECT, pull.id, files={"evil": "x"})
    world.web.post("/api/webhooks/pagure", data=seen.body, headers=dict(seen.headers))
    world.work()
    assert world.sandbox.copr.builds == []
    assert "new commits" in said(world, pull)[0]
