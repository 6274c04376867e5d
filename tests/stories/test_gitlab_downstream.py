"""Releases of a project on GitLab are proposed in dist-git, by a stand-in for packit in the real jail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from packit_worker.sandbox import Sandbox

from .test_downstream import CONFIG as DOWNSTREAM
from .test_downstream import make, packit
from .test_gitlab import PATH, known, project, said, statuses, tell
from .world import SPEC, World

__all__ = ["packit"]
NAMES = ("packit-dev/propose-downstream:rawhide", "packit-dev/propose-downstream:f43")


@pytest.fixture
def world(make_world: Callable[..., World], sandbox: Sandbox, packit: str) -> World:
    return known(make(make_world, sandbox, packit={"program": packit}))


def released(world: World) -> str:
    """Alice pushes and tags; the commit."""
    project(world)
    sha = world.sandbox.gitlab.push(PATH, files={".packit.yaml": DOWNSTREAM, "hello.spec": SPEC})
    world.sandbox.gitlab.add_release(PATH, "v1.0", ref=sha)
    return sha


def proposed(world: World) -> list[tuple[str, str]]:
    return [(pull["branch"], pull["title"]) for pull in world.sandbox.pagure.pull_requests("rpms/hello")]


def test_a_release_is_proposed_for_each_branch(world: World) -> None:
    sha = released(world)
    tell(world, "Release Hook", tag="v1.0")

    assert statuses(world, sha) == dict.fromkeys(NAMES, "success")
    assert sorted(branch for branch, _ in proposed(world)) == ["f43", "rawhide"]
    assert all("1.0" in title for _, title in proposed(world))
    assert world.events()[0].subject == f"{world.sandbox.gitlab.url}/{PATH}/-/releases/v1.0"


def test_a_comment_in_an_issue_has_the_latest_release_proposed(world: World) -> None:
    released(world)
    world.sandbox.gitlab.open_merge_request(PATH, author="alice", files={"a": "b"}, fork=False)
    world.sandbox.gitlab.add_issue(PATH, title="Please")
    tell(world, "Note Hook", issue=1, note="/packit propose-update", author="dora")

    assert sorted(branch for branch, _ in proposed(world)) == ["f43", "rawhide"]
    assert said(world, merge_request=1) == []


def test_strangers_may_not_ask(world: World) -> None:
    released(world)
    world.sandbox.gitlab.add_issue(PATH, title="Please")
    tell(world, "Note Hook", issue=1, note="/packit propose-update", author="stranger")

    assert proposed(world) == []
    (answer,) = said(world, issue=1)
    assert "stranger" in answer
