"""Reads from GitHub that may come again: unchanged ones are free, and nothing old is believed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from packit_worker.clients.github import GitHub, GitHubProject
from packit_worker.clients.github_cache import KEPT
from packit_worker.errors import NotFound
from packit_worker.ports import Permission
from packit_worker.sandbox import Sandbox

from .conftest import TIMEOUT, calls

REPOSITORY = "acme/tool"


@pytest.fixture
def project(sandbox: Sandbox) -> GitHubProject:
    sandbox.github.add_repository(REPOSITORY, installation_id=71, permissions={"alice": "write"})
    sandbox.github.open_pull_request(REPOSITORY, author="alice", files={"a": "b"}, title="Say hello")
    return client(sandbox)


def client(sandbox: Sandbox) -> GitHubProject:
    """As a process of its own."""
    github = GitHub(
        api_url=f"{sandbox.github.url.removesuffix('/api/v3')}/api/v3",
        web_url=sandbox.github.url.removesuffix("/api/v3"),
        app_id=str(sandbox.github.app_id),
        private_key=sandbox.github.private_key_pem,
        timeout=TIMEOUT,
    )
    return github.project(f"{github.web_url}/{REPOSITORY}", 71)


@pytest.fixture
def gained() -> Callable[[str], float]:
    def value(mode: str) -> float:
        return REGISTRY.get_sample_value("github_cache_responses_total", {"mode": mode}) or 0.0

    before = {mode: value(mode) for mode in ("miss", "changed", "revalidated", "no-store")}
    return lambda mode: value(mode) - before[mode]


def test_what_has_not_changed_is_free(
    sandbox: Sandbox, project: GitHubProject, gained: Callable[[str], float]
) -> None:
    first = (project.permission("alice"), project.pull_request(1), project.is_private())
    left, asked = sandbox.github.rate_limit_remaining, len(calls(sandbox, "github"))
    assert (project.permission("alice"), project.pull_request(1), project.is_private()) == first
    # Of the repository two things are asked, in one answer.
    assert project.default_branch() == "main"
    assert sandbox.github.rate_limit_remaining == left
    assert len(calls(sandbox, "github")) == asked + 4, "nothing is believed without asking"
    assert [gained(mode) for mode in ("miss", "changed", "revalidated", "no-store")] == [3, 0, 4, 0]


def test_what_has_changed_is_seen_at_once(
    sandbox: Sandbox, project: GitHubProject, gained: Callable[[str], float]
) -> None:
    assert project.permission("alice") is Permission.WRITE
    sandbox.github.state.repository(REPOSITORY).permissions["alice"] = "read"
    assert project.permission("alice") is Permission.READ
    assert project.permission("alice") is Permission.READ
    assert [gained(mode) for mode in ("miss", "changed", "revalidated")] == [1, 1, 1]


def test_what_is_gone_is_gone(sandbox: Sandbox, project: GitHubProject) -> None:
    project.pull_request(1)
    sandbox.faults.add("github", path="/pulls/1", kind="status", status=404, times=1)
    with pytest.raises(NotFound):
        project.pull_request(1)
    assert project.pull_request(1).author == "alice"


def test_what_is_kept_is_bounded(
    sandbox: Sandbox, project: GitHubProject, gained: Callable[[str], float]
) -> None:
    for number in range(KEPT + 1):
        project.permission(f"user-{number}")
    project.permission(f"user-{KEPT}")
    assert (gained("miss"), gained("revalidated")) == (KEPT + 1, 1)
    project.permission("user-0")
    assert gained("miss") == KEPT + 2


def test_a_name_is_no_part_of_the_address(sandbox: Sandbox, project: GitHubProject) -> None:
    assert project.permission("../../../acme/tool?x=") is Permission.NONE
