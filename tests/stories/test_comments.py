"""Commands in comments on a pull request: who may give them, what they do, how they are answered."""

from __future__ import annotations

from typing import Any

from .world import CONFIG, ONE_BUILD, REPOSITORY, World

BUILD = "rpm-build:fedora-43-x86_64"


def say(world: World, pull: Any, text: str, *, sender: str = "alice", **options: Any) -> Any:
    """Somebody comments; the workers do what follows."""
    delivery = world.sandbox.github.webhook(
        "issue_comment",
        options.pop("action", "created"),
        repository=REPOSITORY,
        pull_request=pull.number,
        comment=text,
        sender=sender,
        **options,
    )
    assert world.post(delivery).status_code == 202
    world.work()
    return delivery


def answers(world: World, pull: Any) -> list[str]:
    """What the service has written on the pull request."""
    return [
        comment["body"]
        for comment in world.sandbox.github.comments(REPOSITORY, pull.number)
        if comment["user"]["login"] == "packit-sandbox[bot]"
    ]


def reactions(world: World, pull: Any) -> list[list[str]]:
    """The reactions to what people have written, oldest first."""
    return [
        comment["reacted"]
        for comment in world.sandbox.github.comments(REPOSITORY, pull.number)
        if comment["user"]["login"] != "packit-sandbox[bot]"
    ]


def test_a_maintainer_has_a_strangers_change_built(world: World) -> None:
    pull = world.repository(author="stranger")
    world.post(world.opened(pull))
    world.work()
    assert world.conclusions(pull.head_sha)[BUILD] == "action_required"
    say(world, pull, "Looks fine to me.\n\n/packit build")
    (build,) = world.sandbox.copr.builds
    assert {"fedora-43-x86_64", "fedora-44-x86_64"} <= set(build.chroots)
    assert world.checks(pull.head_sha)[BUILD]["status"] == "in_progress"
    assert reactions(world, pull) == [["eyes"]]
    assert answers(world, pull) == []
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}
    assert len(world.sandbox.testing_farm.requests) == 2

    # What was allowed was that commit, and no other.
    newer = world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"more": "text"})
    world.post(world.opened(pull))
    world.work()
    assert world.conclusions(newer.head_sha)[BUILD] == "action_required"
    assert len(world.sandbox.copr.builds) == 1


def test_copr_build_means_build(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    say(world, pull, "/packit copr_build")
    assert len(world.sandbox.copr.builds) == 1


def test_the_same_comment_twice(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    delivery = say(world, pull, "/packit build")
    world.post(delivery)
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert max(world.sandbox.effects().values()) == 1


def test_an_outsider_is_refused_once(world: World) -> None:
    pull = world.repository(author="stranger")
    delivery = say(world, pull, "/packit build", sender="stranger")
    assert world.sandbox.copr.builds == []
    (answer,) = answers(world, pull)
    assert "Stranger may not ask for this here" in answer
    assert "write or admin permission" in answer
    assert reactions(world, pull) == [["confused"]]
    assert world.checks(pull.head_sha) == {}, "others' checks show what they showed"
    assert any(entry.next_step for entry in world.decisions(delivery.id) if "may not" in entry.text)
    say(world, pull, "/packit test", sender="stranger")
    assert len(answers(world, pull)) == 1
    assert max(world.sandbox.effects().values()) == 1


def test_an_account_that_is_not_approved(make_world: Any) -> None:
    world = make_world()
    pull = world.repository()
    say(world, pull, "/packit build")
    assert world.sandbox.copr.builds == []
    assert world.checks(pull.head_sha) == {}
    (answer,) = answers(world, pull)
    assert "allowlist" in answer
    assert reactions(world, pull) == [["confused"]]


def test_no_command_no_write(world: World) -> None:
    pull = world.repository()
    delivery = say(world, pull, "How nice!\n\n> /packit build\n\n    /packit build")
    assert world.sandbox.calls("github") == []
    assert "no command" in world.decisions(delivery.id)[-1].text
    assert world.events()[-1].state == "ignored"


def test_our_own_comments(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit build", sender="packit-sandbox[bot]")
    assert world.sandbox.calls("github") == []
    assert "program" in (world.events()[-1].reason or "")


def test_a_typing_error(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit biuld")
    (answer,) = answers(world, pull)
    assert "Did you mean `build`?" in answer
    assert reactions(world, pull) == [["confused"]]
    assert world.sandbox.copr.builds == []


def test_one_command_of_two_is_wrong(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    say(world, pull, "/packit build\n/packit build --env A=1; rm -rf /")
    assert len(world.sandbox.copr.builds) == 1
    assert reactions(world, pull) == [["eyes", "confused"]]
    (answer,) = answers(world, pull)
    assert "no shell" in answer


def test_words_of_strangers_mean_nothing_in_the_answer(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit @everyone[x](http://evil.example)<img/src=x>`")
    (answer,) = answers(world, pull)
    outside = "".join(answer.split("`")[::2])
    assert "@everyone" not in outside
    assert "](http" not in outside
    assert "<img" not in outside


def test_an_edited_comment(world: World) -> None:
    """Only what is new in it is done; its answer is the earlier one, changed."""
    pull = world.repository(ONE_BUILD)
    comment = world.sandbox.github.add_comment(REPOSITORY, pull.number, "/packit biuld")
    say(world, pull, comment.id)
    assert "Did you mean" in answers(world, pull)[0]

    comment.body = "/packit build"
    say(world, pull, comment.id, action="edited", extra={"changes": {"body": {"from": "/packit biuld"}}})
    assert len(world.sandbox.copr.builds) == 1

    comment.body = "/packit build\n\nplease"
    say(world, pull, comment.id, action="edited", extra={"changes": {"body": {"from": "/packit build"}}})
    assert len(world.sandbox.copr.builds) == 1
    assert "no new command" in (world.events()[-1].reason or "")

    comment.body = "/packit hlep"
    say(world, pull, comment.id, action="edited", extra={"changes": {"body": {"from": "/packit build"}}})
    (answer,) = answers(world, pull)
    assert "`help`" in answer


def test_a_closed_pull_request(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    world.sandbox.github.close_pull_request(REPOSITORY, pull.number)
    say(world, pull, "/packit build")
    assert world.sandbox.copr.builds == []
    (answer,) = answers(world, pull)
    assert "closed" in answer
    assert "Reopen it" in answer


def test_commits_that_nobody_has_seen(world: World) -> None:
    """A stranger pushes between the look of the maintainer and the command."""
    pull = world.repository(ONE_BUILD, author="stranger")
    world.post(world.opened(pull))
    world.work()
    world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"evil": "text"})
    say(world, pull, "/packit build")
    assert world.sandbox.copr.builds == []
    (answer,) = answers(world, pull)
    assert "new commits" in answer
    say(world, pull, "/packit build")
    assert len(world.sandbox.copr.builds) == 1, "now they have been seen"


def test_no_configuration(world: World) -> None:
    world.sandbox.github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    pull = world.sandbox.github.open_pull_request(
        REPOSITORY, author="alice", files={"README": "x"}, title="x"
    )
    say(world, pull, "/packit build")
    (answer,) = answers(world, pull)
    assert "no package configuration" in answer


def test_a_command_in_the_wrong_place(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    say(world, pull, "/packit verify-fas alice")
    (answer,) = answers(world, pull)
    assert "Nothing is done for `/packit verify-fas`" in answer


def test_options_choose(world: World) -> None:
    config = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: pull_request, targets: [fedora-43, fedora-44]}
- {job: copr_build, trigger: pull_request, targets: [fedora-43], identifier: extra, manual_trigger: true}
"""
    pull = world.repository(config)
    say(world, pull, "/packit build --identifier extra")
    assert set(world.checks(pull.head_sha)) == {"rpm-build:fedora-43-x86_64:extra"}
    say(world, pull, "/packit build --target fedora-44-x86_64")
    assert set(world.checks(pull.head_sha)) == {
        "rpm-build:fedora-43-x86_64:extra",
        "rpm-build:fedora-44-x86_64",
    }
    assert len(world.sandbox.copr.builds) == 2
    say(world, pull, "/packit build --identifier none")
    assert len(world.sandbox.copr.builds) == 2
    assert "identifier none" in answers(world, pull)[0]


def test_manual_jobs_wait_for_a_comment(world: World) -> None:
    config = """\
specfile_path: hello.spec
jobs:
- {job: copr_build, trigger: pull_request, targets: [fedora-43], manual_trigger: true}
"""
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    assert world.checks(pull.head_sha) == {}
    say(world, pull, "/packit build")
    world.finish_builds()
    world.work()
    assert world.conclusions(pull.head_sha) == {BUILD: "success"}


def test_rebuild_failed(world: World) -> None:
    pull = world.repository(CONFIG)
    world.post(world.opened(pull))
    world.work()
    (build,) = world.sandbox.copr.builds
    world.sandbox.copr.finish(build.id, "srpm-builds")
    world.sandbox.copr.finish(build.id, "fedora-43-x86_64")
    world.sandbox.copr.finish(build.id, "fedora-44-x86_64", succeeded=False)
    world.work()
    say(world, pull, "/packit rebuild-failed")
    _, second = world.sandbox.copr.builds
    assert "fedora-43-x86_64" not in second.chroots
    world.sandbox.copr.finish(second.id, "srpm-builds")
    world.sandbox.copr.finish(second.id, "fedora-44-x86_64")
    world.work()
    assert world.conclusions(pull.head_sha)["rpm-build:fedora-44-x86_64"] == "success"
    assert len(world.sandbox.testing_farm.requests) == 2
    say(world, pull, "/packit rebuild-failed")
    assert len(world.sandbox.copr.builds) == 2
    assert "no build of this commit has failed" in answers(world, pull)[0]


def test_worker_dies_after_the_head_was_read(world: World) -> None:
    """The next attempt works on the same commit, whatever was pushed meanwhile."""
    pull = world.repository(ONE_BUILD)
    world.sandbox.faults.add(
        "copr", method="POST", path=r"/api_3/build/create", kind="status", status=503, times=1
    )
    say(world, pull, "/packit build")
    assert world.sandbox.copr.builds == []
    sha = pull.head_sha
    world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"more": "text"})
    world.time_passes(seconds=60)
    world.sweep()
    world.work()
    assert len(world.sandbox.copr.builds) == 1
    assert world.checks(sha)[BUILD]["status"] == "in_progress"
    assert reactions(world, pull) == [["eyes"]]


def test_the_newer_build_is_shown(world: World) -> None:
    """Two builds of one commit are under way: the end of the older one does not look like that of the newer."""
    pull = world.repository(ONE_BUILD)
    say(world, pull, "/packit build")
    say(world, pull, "/packit build")
    older, newer = world.sandbox.copr.builds
    for chroot in ("srpm-builds", "fedora-43-x86_64"):
        world.sandbox.copr.finish(older.id, chroot, succeeded=chroot == "srpm-builds")
    world.work()
    check = world.checks(pull.head_sha)[BUILD]
    assert check["status"] == "in_progress"
    assert check["details_url"].endswith(str(newer.id))
    for chroot in ("srpm-builds", "fedora-43-x86_64"):
        world.sandbox.copr.finish(newer.id, chroot)
    world.work()
    assert world.conclusions(pull.head_sha) == {BUILD: "success"}


def test_reviewers_are_told_once(world: World) -> None:
    config = CONFIG.replace(
        "  - job: copr_build\n",
        "  - job: copr_build\n    notifications: {pull_request: {successful_build: true}}\n",
    )
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    (answer,) = answers(world, pull)
    assert "dnf copr enable packit/acme-hello-1-dev" in answer
    say(world, pull, "/packit build")
    world.finish_builds()
    world.work()
    assert len(answers(world, pull)) == 1
