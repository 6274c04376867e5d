"""GitLab: the same tales as on GitHub, from its hooks to the statuses in the pipeline of a merge request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from packit_worker.journal import accounts, hooks, story
from packit_worker.journal.accounts import Approval
from packit_worker.sandbox import Sandbox

from .world import CONFIG, ONE_BUILD, SPEC, World

PATH = "acme/tools/hello"
GROUP = "acme/tools"
TOKEN = "the-secret-token-of-the-hook"
BUILD = "packit-dev/rpm-build:fedora-43-x86_64"
ALL = {
    f"packit-dev/{what}:{chroot}"
    for what in ("rpm-build", "testing-farm")
    for chroot in ("fedora-43-x86_64", "fedora-44-x86_64")
}
PUSHED = "jobs:\n- {job: copr_build, trigger: commit, targets: [fedora-43]}\n"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world that takes hooks of the group acme/tools on GitLab, which is approved."""
    return known(make_world())


def known(world: World) -> World:
    world.approve(GROUP)
    with world.journal.write() as session:
        hooks.add(session, world.sandbox.gitlab.url, GROUP, TOKEN, by="carol")
    return world


def project(world: World, **options: Any) -> None:
    """A project of whom alice is a maintainer and dora a developer."""
    members = {"alice": 40, "dora": 30, "rudy": 20, "packit": 30}
    world.sandbox.gitlab.add_project(PATH, members=members, hook_token=TOKEN, **options)


def opened(world: World, config: str = CONFIG, *, author: str = "alice", fork: bool = False) -> Any:
    """Somebody opens a merge request that holds the package configuration, and GitLab tells of it."""
    files = {".packit.yaml": config, "hello.spec": SPEC}
    found = world.sandbox.gitlab.open_merge_request(PATH, author=author, files=files, fork=fork)
    assert tell(world, "Merge Request Hook", merge_request=found.iid).status_code == 202
    return found


def tell(world: World, event: str, **about: Any) -> TestResponse:
    """GitLab tells; the workers do what follows."""
    hook = world.sandbox.gitlab.webhook(event, project=PATH, **about)
    answer = world.web.post("/api/webhooks/gitlab", data=hook.body, headers=hook.headers)
    world.work()
    return answer


def statuses(world: World, sha: str, path: str = PATH) -> dict[str, str]:
    return {status["name"]: status["status"] for status in world.sandbox.gitlab.statuses(path, sha)}


def said(world: World, **place: int) -> list[str]:
    """What the service has written."""
    notes = world.sandbox.gitlab.notes(PATH, **place)
    return [note["body"] for note in notes if note["author"]["username"] == "packit"]


def reasons(world: World) -> str:
    """Every reason and next step of the newest delivery."""
    told = world.decisions(world.events()[-1].delivery_id)
    return "\n".join(f"{entry.title} {entry.text} {entry.next_step}" for entry in told)


def test_a_merge_request_is_built_and_tested(world: World) -> None:
    project(world)
    found = opened(world)
    assert set(statuses(world, found.sha)) == ALL
    (build,) = world.sandbox.copr.builds
    assert build.projectname.startswith("127.0.0.1-acme-tools-hello-1")
    script = world.sandbox.copr.builds[0].source["script"]
    assert "+refs/merge-requests/1/head:refs/heads/pull-request" in script
    assert f"{world.sandbox.gitlab.url}/{PATH}.git" in script
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()

    assert statuses(world, found.sha) == dict.fromkeys(ALL, "success")
    for status in world.sandbox.gitlab.statuses(PATH, found.sha):
        assert status["ref"] == found.source_branch and status["target_url"]
    assert {count for key, count in world.sandbox.effects().items() if key[0] != "copr_project"} == {1}
    page = f"{world.sandbox.gitlab.url}/{PATH}/-/merge_requests/1"
    assert world.events()[0].subject == page == story.subject_of_url(f"{page}/diffs?tab=1#note_2")


def test_new_commits_are_built_again_and_other_changes_are_not(world: World) -> None:
    project(world)
    found = opened(world, ONE_BUILD)
    answer = tell(world, "Merge Request Hook", merge_request=1, action="update")
    assert answer.status_code == 202
    assert "leaves its commits as they are" in str(world.delivery(answer.json["delivery"]).reason)
    answer = tell(world, "Merge Request Hook", merge_request=1, action="approved")
    assert "approved brings no new commits" in str(world.delivery(answer.json["delivery"]).reason)
    assert len(world.sandbox.copr.builds) == 1
    old = found.sha
    newer = world.sandbox.gitlab.push_to_merge_request(PATH, 1, files={"more": "text"})
    tell(world, "Merge Request Hook", merge_request=1, action="update")

    assert len(world.sandbox.copr.builds) == 2
    assert newer.sha != old and set(statuses(world, newer.sha)) == {BUILD}


def test_a_failure_is_a_failed_job(world: World) -> None:
    project(world)
    found = opened(world, ONE_BUILD)
    world.finish_builds(succeeded=False)
    world.work()
    assert statuses(world, found.sha) == {BUILD: "failed"}


def test_from_a_fork_that_is_not_ours_comments_tell_how_it_ended(world: World) -> None:
    project(world)
    found = opened(world, ONE_BUILD, author="dora", fork=True)
    assert len(world.sandbox.copr.builds) == 1
    assert statuses(world, found.sha) == statuses(world, found.sha, "dora/hello") == {}
    assert said(world, merge_request=1) == []
    world.finish_builds()
    world.work()

    (text,) = said(world, merge_request=1)
    assert f"`{BUILD}`" in text and found.sha[:12] in text
    newer = world.sandbox.gitlab.push_to_merge_request(PATH, 1, files={"more": "text"})
    tell(world, "Merge Request Hook", merge_request=1, action="update")
    world.finish_builds(succeeded=False)
    world.work()
    (text,) = said(world, merge_request=1)
    assert f"`{BUILD}`" in text and newer.sha[:12] in text, "one comment tells of the newest commit"


def test_from_a_fork_where_we_may_statuses_are_in_its_pipeline(world: World) -> None:
    project(world)
    world.sandbox.gitlab.fork(PATH, "dora")
    world.sandbox.gitlab.grant("dora/hello", "packit")
    found = opened(world, ONE_BUILD, author="dora", fork=True)
    world.finish_builds()
    world.work()
    assert statuses(world, found.sha, "dora/hello") == {BUILD: "success"}
    assert said(world, merge_request=1) == []


def test_a_stranger_is_told_who_may_and_a_developer_has_it_built(world: World) -> None:
    project(world)
    found = opened(world, ONE_BUILD, author="stranger", fork=True)
    assert world.sandbox.copr.builds == []
    (refused,) = said(world, merge_request=1)
    assert "stranger" in refused and "permission" in refused
    tell(world, "Note Hook", merge_request=1, note="Looks fine.\n\n/packit build", author="dora")

    assert len(world.sandbox.copr.builds) == 1
    assert world.sandbox.gitlab.notes(PATH, merge_request=1)[-1]["emoji"] == ["eyes"]
    world.finish_builds()
    world.work()
    assert len(said(world, merge_request=1)) == 1, "the same comment tells how it ended"
    assert said(world, merge_request=1) != [refused]
    assert statuses(world, found.sha) == {}


@pytest.mark.parametrize("author", ["rudy", "outsider"])
def test_commands_of_those_who_may_not_merge_are_refused_once(world: World, author: str) -> None:
    project(world)
    opened(world, ONE_BUILD)
    for _ in range(2):
        tell(world, "Note Hook", merge_request=1, note="/packit build", author=author)
    assert len(world.sandbox.copr.builds) == 1
    (answer,) = said(world, merge_request=1)
    assert author in answer


def test_comments_of_programs_and_our_own_ask_for_nothing(world: World) -> None:
    project(world)
    opened(world, ONE_BUILD)
    for author in ("packit", "project_7_bot_4ffca233d8298ea1"):
        tell(world, "Note Hook", merge_request=1, note="/packit build", author=author)
        assert "programs give no commands" in reasons(world)
    assert len(world.sandbox.copr.builds) == 1


def test_a_comment_on_what_is_closed_says_so(world: World) -> None:
    project(world)
    opened(world, ONE_BUILD)
    world.sandbox.gitlab.close_merge_request(PATH, 1)
    tell(world, "Note Hook", merge_request=1, note="/packit build")
    assert len(world.sandbox.copr.builds) == 1
    assert "closed" in said(world, merge_request=1)[0]


def test_a_push_is_built(world: World) -> None:
    project(world)
    sha = world.sandbox.gitlab.push(PATH, files={".packit.yaml": PUSHED, "hello.spec": SPEC})
    tell(world, "Push Hook")
    assert len(world.sandbox.copr.builds) == 1
    world.finish_builds()
    world.work()
    (status,) = world.sandbox.gitlab.statuses(PATH, sha)
    assert (status["name"], status["status"], status["ref"]) == (BUILD, "success", "main")


def test_help_in_an_issue_is_said_in_the_issue(world: World) -> None:
    project(world)
    opened(world, ONE_BUILD)
    world.sandbox.gitlab.add_issue(PATH, title="How?")
    tell(world, "Note Hook", issue=1, note="/packit help")
    assert said(world, merge_request=1) == []
    (answer,) = said(world, issue=1)
    assert "/packit" in answer
    assert not any(line.startswith("/") for line in answer.splitlines()), "GitLab would carry it out"
    assert world.sandbox.gitlab.notes(PATH, issue=1)[0]["emoji"] == ["eyes"]


def test_a_newcomer_is_told_whom_to_ask(make_world: Callable[..., World]) -> None:
    world = known(make_world())
    with world.journal.write() as session:
        accounts.change(session, "127.0.0.1", GROUP, Approval.WAITING, by="operator", why="new")
    project(world)
    found = opened(world, ONE_BUILD)
    assert world.sandbox.copr.builds == []
    assert statuses(world, found.sha) == {BUILD: "failed"}
    assert "waiting for approval" in reasons(world)
    (status,) = world.sandbox.gitlab.statuses(PATH, found.sha)
    assert "approval" in status["description"]


@pytest.mark.parametrize("visibility", ["private", "internal"])
def test_a_private_project_has_to_be_let_in(
    make_world: Callable[..., World], sandbox: Sandbox, visibility: str
) -> None:
    world = known(make_world())
    project(world, visibility=visibility)
    found = opened(world, ONE_BUILD)
    assert world.sandbox.copr.builds == []
    assert statuses(world, found.sha) == {}
    assert "the project is private" in reasons(world)


def test_a_private_project_that_is_let_in(make_world: Callable[..., World]) -> None:
    world = known(make_world(enabled_private_namespaces=[f"127.0.0.1/{GROUP}"]))
    project(world, visibility="private")
    opened(world, ONE_BUILD)
    assert "its namespace is let in" in reasons(world)
    assert world.sandbox.copr.builds == [], "Copr would show the sources to anybody"


def test_nobody_without_the_token_is_heard(world: World) -> None:
    project(world)
    files = {".packit.yaml": ONE_BUILD, "hello.spec": SPEC}
    world.sandbox.gitlab.open_merge_request(PATH, author="alice", files=files, fork=False)
    hook = world.sandbox.gitlab.webhook("Merge Request Hook", project=PATH, merge_request=1)
    for token in (None, "", "another"):
        headers = {**hook.headers, "X-Gitlab-Token": token}
        told = {name: value for name, value in headers.items() if value is not None}
        assert world.web.post("/api/webhooks/gitlab", data=hook.body, headers=told).status_code == 401
    world.work()
    assert world.events() == [] and world.sandbox.copr.builds == []


def test_the_same_hook_twice_counts_once(world: World) -> None:
    project(world)
    files = {".packit.yaml": ONE_BUILD, "hello.spec": SPEC}
    world.sandbox.gitlab.open_merge_request(PATH, author="alice", files=files, fork=False)
    hook = world.sandbox.gitlab.webhook("Merge Request Hook", project=PATH, merge_request=1)
    decisions = []
    for _ in range(2):
        answer = world.web.post("/api/webhooks/gitlab", data=hook.body, headers=hook.headers)
        decisions.append(answer.json["decision"])
        world.work()
    assert decisions == ["accepted", "duplicate"]
    assert len(world.sandbox.copr.builds) == 1
