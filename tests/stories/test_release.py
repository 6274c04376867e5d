"""A release is published: it is built at its tag, into a Copr project of its own."""

from __future__ import annotations

from .test_push import push
from .world import REPOSITORY, World

CONFIG = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: release, targets: [fedora-43]}
- {job: tests, trigger: release, targets: [fedora-43]}
- {job: copr_build, trigger: pull_request, targets: [fedora-43, fedora-44]}
- {job: tests, trigger: pull_request, targets: [fedora-43]}
"""
CHECKS = {"rpm-build:fedora-43-x86_64", "testing-farm:fedora-43-x86_64"}


def publish(world: World, tag: str, *, action: str = "published") -> None:
    """Alice publishes a release; the workers do what follows."""
    world.sandbox.github.add_release(REPOSITORY, tag)
    world.post(
        world.sandbox.github.webhook("release", action, repository=REPOSITORY, tag=tag, sender="alice")
    )
    world.work()


def test_a_release(world: World) -> None:
    sha = push(world, CONFIG)
    world.sandbox.github.add_tag(REPOSITORY, "v1.0", sha)
    # What comes after the tag is not the release.
    push(world, "jobs: []\n")
    publish(world, "v1.0")
    (build,) = world.sandbox.copr.builds
    assert build.projectname == "acme-hello-v1.0-dev"
    assert "refs/tags/v1.0" in build.source["script"]
    assert set(world.checks(sha)) == CHECKS
    world.finish_builds()
    world.work()
    (request,) = world.sandbox.testing_farm.requests
    assert request.test["fmf"]["ref"] == sha
    assert request.environments[0]["variables"]["PACKIT_TAG_NAME"] == "v1.0"
    world.finish_tests()
    world.work()
    assert world.conclusions(sha) == dict.fromkeys(CHECKS, "success"), (
        "and nothing of the pull requests' jobs"
    )


def test_only_the_publication_counts(world: World) -> None:
    push(world, CONFIG)
    publish(world, "v1.0", action="created")
    assert world.sandbox.copr.builds == []


def test_a_tag_that_copr_cannot_take_for_a_name(world: World) -> None:
    push(world, CONFIG)
    publish(world, "release/1,0")
    (build,) = world.sandbox.copr.builds
    assert build.projectname.startswith("acme-hello-release-1-0-dev-")


def test_a_tag_that_is_gone(world: World) -> None:
    push(world, CONFIG)
    world.sandbox.github.add_release(REPOSITORY, "v2")
    delivery = world.sandbox.github.webhook(
        "release", "published", repository=REPOSITORY, tag="v2", sender="alice"
    )
    del world.sandbox.github.state.repository(REPOSITORY).tags["v2"]
    world.post(delivery)
    world.work()
    assert world.events()[-1].state == "ignored"
    assert world.sandbox.copr.builds == []
