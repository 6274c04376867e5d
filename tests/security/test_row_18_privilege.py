"""Row 18: who may have something run, at the moment it runs, and for which commit."""

from __future__ import annotations

import pytest
from stories.test_comments import answers, say
from stories.world import CONFIG, ONE_BUILD, REPOSITORY, World

KOJI = """\
specfile_path: hello.spec
jobs:
  - {job: copr_build, trigger: pull_request, targets: [fedora-43]}
  - {job: tests, trigger: pull_request, targets: [fedora-43]}
  - {job: tests, trigger: pull_request, targets: [fedora-44], skip_build: true}
  - {job: upstream_koji_build, trigger: pull_request, scratch: true, dist_git_branches: [rawhide]}
"""


def nothing_ran(world: World) -> None:
    assert world.sandbox.copr.builds == []
    assert world.sandbox.testing_farm.requests == []
    assert world.sandbox.koji.tasks == []


@pytest.mark.parametrize("config", [CONFIG, KOJI])
def test_a_strangers_pull_request_runs_nothing_and_says_who_can_allow_it(world: World, config: str) -> None:
    pull = world.repository(config, author="stranger")
    world.post(world.opened(pull))
    world.work()
    nothing_ran(world)
    checks = world.checks(pull.head_sha)
    assert checks
    assert {check["conclusion"] for check in checks.values()} == {"action_required"}
    for check in checks.values():
        assert "write or admin permission" in check["output"]["summary"]


def test_permission_counts_when_the_event_runs_and_not_when_it_came(world: World) -> None:
    pull = world.repository(ONE_BUILD, author="bob")
    permissions = world.sandbox.github.state.repository(REPOSITORY).permissions
    permissions["bob"] = "write"
    world.post(world.opened(pull))
    permissions["bob"] = "read"
    world.work()
    nothing_ran(world)


def test_what_was_allowed_is_that_commit(world: World) -> None:
    pull = world.repository(ONE_BUILD, author="stranger")
    world.post(world.opened(pull))
    world.work()
    say(world, pull, "/packit build")
    assert len(world.sandbox.copr.builds) == 1
    newer = world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"more": "text"})
    synchronize = world.sandbox.github.webhook(
        "pull_request", "synchronize", repository=REPOSITORY, pull_request=pull.number, sender="stranger"
    )
    world.post(synchronize)
    world.work()
    assert set(world.conclusions(newer.head_sha).values()) == {"action_required"}
    assert len(world.sandbox.copr.builds) == 1


def test_a_commit_pushed_behind_the_maintainers_back(world: World) -> None:
    pull = world.repository(ONE_BUILD, author="stranger")
    world.post(world.opened(pull))
    world.work()
    world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"evil": "text"})
    say(world, pull, "/packit build")
    nothing_ran(world)
    (answer,) = answers(world, pull)
    assert "new commits" in answer


@pytest.mark.parametrize(
    ("editor", "author"), [("stranger", "stranger"), ("stranger", "alice"), ("alice", "stranger")]
)
def test_a_comment_that_somebody_without_rights_has_a_hand_in(world: World, editor: str, author: str) -> None:
    """Neither may a stranger put words into a maintainer's comment, nor a maintainer's typing err for a stranger."""
    pull = world.repository(ONE_BUILD, author="stranger")
    comment = world.sandbox.github.add_comment(REPOSITORY, pull.number, "nice", author=author)
    comment.body = "/packit build"
    say(
        world, pull, comment.id, action="edited", sender=editor, extra={"changes": {"body": {"from": "nice"}}}
    )
    nothing_ran(world)


def test_a_deleted_comment(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    comment = world.sandbox.github.add_comment(REPOSITORY, pull.number, "/packit build")
    say(world, pull, comment.id, action="deleted")
    nothing_ran(world)


def test_our_own_words_are_no_commands(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    for _ in range(3):
        say(world, pull, "/packit build", sender="packit-sandbox[bot]")
    nothing_ran(world)
    assert [event.state for event in world.events()] == ["ignored"] * 3
    assert len(answers(world, pull)) == 3, "what it was told to have written, and nothing more"
