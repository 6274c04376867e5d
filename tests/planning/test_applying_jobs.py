"""Which jobs of a configuration an event starts, and why the others not."""

from __future__ import annotations

from typing import Any

from events.families import ProjectEvent
from events.github import PullRequestCommentGHEvent, PullRequestGHEvent
from packit_worker.config.package import JobType, load
from packit_worker.pipeline.planning import applying_jobs

SERVED = frozenset({JobType.COPR_BUILD, JobType.TESTS})
ABOUT: dict[str, Any] = {
    "project_url": "https://github.com/acme/hello",
    "pr_id": 1,
    "commit_sha": "a" * 40,
    "user_login": "alice",
    "base_repo_namespace": "alice",
    "base_repo_name": "hello",
    "target_repo_namespace": "acme",
    "target_repo_name": "hello",
    "labels": "",
}
OPENED = PullRequestGHEvent(action="opened", base_ref="change", **ABOUT)
COMMENT = PullRequestCommentGHEvent(action="created", comment="/packit build", **ABOUT)


def nobody(*_: object) -> Any:
    raise AssertionError("nobody has to be asked")


def jobs(text: str, event: ProjectEvent = OPENED) -> tuple[list[str], list[str]]:
    """Keys of the jobs that apply, and the reasons of the others."""
    config = load(text, path=".packit.yaml", repo_name="hello", spec_files=["hello.spec"])
    found, left_out = applying_jobs(config, event, SERVED, "dev", nobody, nobody)
    return [job.key for job in found], [decision.reason for decision in left_out]


def test_tests_alone_get_a_build() -> None:
    assert jobs("jobs: [{job: tests, trigger: pull_request}]")[0] == ["0:tests", "implied:copr_build"]


def test_a_build_for_another_event_is_no_build_for_these_tests() -> None:
    text = "jobs: [{job: copr_build, trigger: release}, {job: tests, trigger: pull_request}]"
    found, reasons = jobs(text)
    assert found == ["1:tests", "implied:copr_build"]
    assert reasons == ["it is for release events, this is a pull_request event"]


MANUAL = """
jobs:
- {job: copr_build, trigger: pull_request, manual_trigger: true}
- {job: tests, trigger: pull_request}
"""


def test_a_manual_build_is_not_replaced_by_an_implied_one() -> None:
    found, reasons = jobs(MANUAL)
    assert found == ["1:tests"]
    assert reasons == ["it has manual_trigger: only a comment starts it"]
    assert jobs(MANUAL, COMMENT)[0] == ["0:copr_build", "1:tests"]


def test_labels_leave_jobs_out() -> None:
    text = "jobs: [{job: copr_build, trigger: pull_request, require: {label: {present: [ready]}}}]"
    found, (reason,) = jobs(text)
    assert found == []
    assert "ready" in reason


def test_tests_without_build_get_none() -> None:
    assert jobs("jobs: [{job: tests, trigger: pull_request, skip_build: true}]")[0] == ["0:tests"]
