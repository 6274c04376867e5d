"""Check runs and statuses: what GitHub accepts, refuses and shows."""

from collections.abc import Callable
from typing import Any

import github
import pytest
from github.Repository import Repository

from packit_worker.sandbox import Sandbox

OUTPUT = {"title": "Building", "summary": "The build runs"}


@pytest.fixture
def sha(sandbox: Sandbox, hello: Repository) -> str:
    return sandbox.github.open_pull_request("acme/hello", author="alice").head_sha


def test_life_of_a_check_run(sandbox: Sandbox, hello: Repository, sha: str) -> None:
    check = hello.create_check_run("build", sha, status="queued", external_id="7", details_url="http://x/7")
    check.edit(status="in_progress", output=OUTPUT)
    check.edit(conclusion="failure", output={"title": "Failed", "summary": "See the log"})

    [seen] = sandbox.github.checks("acme/hello", sha)
    assert (seen["status"], seen["conclusion"], seen["external_id"]) == ("completed", "failure", "7")
    assert (seen["details_url"], seen["output"]["title"], seen["writes"]) == ("http://x/7", "Failed", 3)
    assert [step["status"] for step in seen["history"]] == ["queued", "in_progress", "completed"]
    assert hello.get_check_run(check.id).completed_at is not None
    assert hello.get_check_run(check.id).app.slug == "packit-sandbox"
    assert sandbox.effects()["check_run", "acme/hello", sha, "build", "7"] == 1


def test_reopened_check_has_no_conclusion(hello: Repository, sha: str) -> None:
    check = hello.create_check_run("build", sha, conclusion="success")
    check.edit(status="queued")
    assert check.status == "queued"
    assert not check.conclusion
    assert not check.completed_at


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "done"},
        {"status": "completed"},
        {"conclusion": "stale"},
        {"conclusion": "passed"},
        {"output": {"title": "Only a title"}},
        {"output": {"summary": "Only a summary"}},
        {"output": {"title": "t", "summary": "s" * 65536}},
        {"output": {"title": "t", "summary": "s", "annotations": [{}] * 51}},
        {"details_url": "javascript:alert(1)"},
        {"actions": [{"label": "l", "identifier": "i", "description": "d"}] * 4},
        {"actions": [{"label": "l" * 21, "identifier": "i", "description": "d"}]},
        {"actions": [{"label": "l", "identifier": "i" * 21, "description": "d"}]},
        {"actions": [{"label": "l", "identifier": "i", "description": "d" * 41}]},
        {"actions": [{"label": "l", "identifier": "i"}]},
    ],
)
def test_refused_check_runs(sandbox: Sandbox, hello: Repository, sha: str, wrong: dict[str, Any]) -> None:
    check = hello.create_check_run("build", sha)
    url = f"/repos/acme/hello/check-runs/{check.id}"
    for verb, path, body in (
        ("POST", "/repos/acme/hello/check-runs", {"name": "x", "head_sha": sha, **wrong}),
        ("PATCH", url, wrong),
    ):
        with pytest.raises(github.GithubException) as refused:
            hello.requester.requestJsonAndCheck(verb, path, input=body)
        assert refused.value.status == 422
    [seen] = sandbox.github.checks("acme/hello", sha)
    assert seen["writes"] == 1


def test_unknown_commit_and_missing_name(hello: Repository, sha: str) -> None:
    for body in ({"name": "x", "head_sha": "0" * 40}, {"head_sha": sha}, {"name": " ", "head_sha": sha}):
        with pytest.raises(github.GithubException) as refused:
            hello.requester.requestJsonAndCheck("POST", "/repos/acme/hello/check-runs", input=body)
        assert refused.value.status == 422


def test_users_cannot_write_check_runs(
    sandbox: Sandbox, hello: Repository, sha: str, as_user: Callable[[str], github.Github]
) -> None:
    with pytest.raises(github.GithubException) as refused:
        as_user(sandbox.github.personal_token).get_repo("acme/hello").create_check_run("build", sha)
    assert (refused.value.status, refused.value.data["message"]) == (
        403,
        "You must authenticate via a GitHub App.",
    )


def test_filters(sandbox: Sandbox, hello: Repository, sha: str) -> None:
    first = hello.create_check_run("build", sha)
    second = hello.create_check_run("build", sha, conclusion="success")
    hello.create_check_run("test", sha)
    commit = hello.get_commit(sha)

    assert [one.id for one in commit.get_check_runs(check_name="build")] == [second.id]
    assert {one.id for one in commit.get_check_runs(check_name="build", filter="all")} == {
        first.id,
        second.id,
    }
    assert [one.name for one in commit.get_check_runs(status="queued")] == ["test"]
    assert commit.get_check_runs().totalCount == 2
    assert next(iter(commit.get_check_suites())).id == first.check_suite.id
    assert list(hello.get_branch("main").commit.get_check_runs()) == []


def test_statuses(sandbox: Sandbox, hello: Repository, sha: str) -> None:
    commit = hello.get_commit(sha)
    commit.create_status("pending", "http://x", "Waiting", "build")
    commit.create_status("success", "http://x", "Done", "build")

    assert [one.state for one in commit.get_statuses()] == ["success", "pending"]
    assert commit.get_combined_status().state == "success"
    assert sandbox.github.statuses("acme/hello", sha)[-1]["creator"]["login"] == "packit-sandbox[bot]"
    for state, description in (("passed", "x"), ("success", "x" * 141)):
        with pytest.raises(github.GithubException) as refused:
            commit.create_status(state, "http://x", description, "build")
        assert refused.value.status == 422
