"""What programs read of a story over the API, while it happens and afterwards."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from .world import REPOSITORY, World

PROJECT = "projects/{forge}/acme/hello"


def ask(world: World, path: str, **query: Any) -> Any:
    """The answer to a request below /api; asked again where the machine was too busy to answer within a second."""
    for _ in range(5):
        answer = world.web.get(f"/api/{path}", query_string=query)
        if answer.status_code != 503:
            break
    return answer


def get(world: World, path: str, status: int = 200, **query: Any) -> Any:
    """The JSON at a path below /api."""
    answer = ask(world, path, **query)
    assert answer.status_code == status, answer.text
    return answer.json


def forge(world: World) -> str:
    return urlsplit(world.settings.github.web_url).netloc


@pytest.fixture
def built(world: World) -> World:
    """A pull request whose builds have succeeded and whose tests have passed."""
    world.post(world.opened(world.repository()))
    world.work()
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    return world


def test_a_build_in_copr(world: World) -> None:
    pull = world.repository()
    world.post(world.opened(pull))
    world.work()
    (build,) = world.sandbox.copr.builds
    world.sandbox.copr.finish(build.id, "srpm-builds")
    world.sandbox.copr.start(build.id, "fedora-43-x86_64")
    world.work()
    found = get(world, f"copr-builds/{build.id}")
    assert found["build_id"] == build.id
    assert found["status_per_chroot"] == {"fedora-43-x86_64": "running", "fedora-44-x86_64": "pending"}
    assert (found["status"], found["build_finished_time"]) == ("running", None)
    assert found["build_start_time"] and found["srpm_logs"]
    assert (found["pr_id"], found["branch_name"], found["ref"]) == (pull.number, None, pull.head_sha)
    assert (found["repo_namespace"], found["repo_name"]) == ("acme", "hello")
    assert found["git_repo"] == f"{world.settings.github.web_url}/{REPOSITORY}.git"

    world.finish_builds(succeeded=False)
    world.work()
    found = get(world, f"copr-builds/{build.id}")
    assert found["status"] == "failure" and found["build_finished_time"]


def test_lists(built: World) -> None:
    (build,) = get(built, "copr-builds", 206)
    assert set(build["status_per_chroot"].values()) == {"success"}
    (source,) = get(built, "srpm-builds", 206)
    assert source["success"] is True and source["pr_id"] == build["pr_id"]
    runs = get(built, "testing-farm/results", 206)
    assert {(run["target"], run["status"]) for run in runs} == {
        ("fedora-43-x86_64", "passed"),
        ("fedora-44-x86_64", "passed"),
    }
    assert get(built, "koji-builds", 206) == []


def test_pages(built: World) -> None:
    answer = ask(built, "testing-farm/results", per_page=2, page=2)
    assert (answer.status_code, answer.json) == (206, [])
    assert answer.headers["Content-Range"] == "test-results 3-4/*"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert len(get(built, "testing-farm/results", 206, page=-3, per_page=2)) == 2
    wrong = get(built, "testing-farm/results", 400, per_page=7)
    assert list(wrong["problems"]) == ["per_page"]


def test_projects(built: World) -> None:
    where = PROJECT.format(forge=forge(built))
    (project,) = get(built, "projects", 206)
    assert project == get(built, where) == get(built, where.rpartition("/")[0])[0]
    assert (project["namespace"], project["repo_name"]) == ("acme", "hello")
    assert (project["prs_handled"], project["branches_handled"], project["releases_handled"]) == (1, 0, 0)
    (pull,) = get(built, f"{where}/prs", 206)
    assert {build["chroot"] for build in pull["builds"]} == {"fedora-43-x86_64", "fedora-44-x86_64"}
    assert [source["success"] for source in pull["srpm_builds"]] == [True]
    assert {run["status"] for run in pull["tests"]} == {"passed"}
    assert get(built, f"{where}/branches") == get(built, f"{where}/issues") == []
    get(built, f"{where}-not", 404)
    assert get(built, "projects/elsewhere.example/acme") == []


def test_a_release(world: World) -> None:
    config = (
        "specfile_path: hello.spec\njobs:\n  - {job: copr_build, trigger: release, targets: [fedora-43]}\n"
    )
    world.sandbox.github.add_repository(
        REPOSITORY, installation_id=1001, files={".packit.yaml": config, "hello.spec": "Name: hello\n"}
    )
    world.sandbox.github.add_release(REPOSITORY, "v1.2")
    world.post(world.sandbox.github.webhook("release", "published", repository=REPOSITORY, tag="v1.2"))
    world.work()
    (found,) = get(world, f"{PROJECT.format(forge=forge(world))}/releases")
    assert found["tag_name"] == "v1.2" and len(found["commit_hash"]) == 40


def test_who_may_use_it(world: World) -> None:
    account = {"account": "acme", "forge": "127.0.0.1", "status": "approved_manually"}
    assert get(world, "whitelist/ACME") == get(world, "allowlist/acme") == account
    assert get(world, "whitelist") == [account]
    assert ask(world, "whitelist/nobody").status_code == 204
    assert ask(world, "installations/1").status_code == 204


def test_why_nothing_happened(world: World) -> None:
    pull = world.repository("jobs: []")
    posted = world.opened(pull)
    world.post(posted)
    world.work()
    (told,) = get(
        world, "explain", what=f"{world.settings.github.web_url}/{REPOSITORY}/pull/{pull.number}/files"
    )
    assert (told["outcome"], told["event_type"]) == ("ignored", "pull_request")
    whole = get(world, f"deliveries/{quote(told['id'])}")
    assert {"received", "decision", "ignored"} <= {entry["kind"] for entry in whole["entries"]}
    event = get(world, f"events/{told['event_id']}")
    assert event["decisions"][-1]["reason"] == event["reason"] == told["why"]
    assert get(world, "deliveries", outcome="ignored", source="github", about=told["subject"]) == [told]
    assert get(world, "deliveries", outcome="dead") == []
    get(world, "events/nothing", 404)
    get(world, "explain", 400)


def test_queues(world: World) -> None:
    world.post(world.opened(world.repository()))
    before = {queue["lane"]: queue for queue in get(world, "queues")}
    assert (before["parse"]["waiting"], before["long-running"]["waiting"]) == (1, 0)
    world.work()
    assert all(queue["waiting"] == queue["running"] == queue["dead"] == 0 for queue in get(world, "queues"))
