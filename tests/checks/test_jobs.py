"""Which jobs apply: branches and labels. And patterns of strangers take no time."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from events.github import PullRequestGHEvent, PushGithubGHEvent
from packit_worker.checks.jobs import why_not
from packit_worker.config.package import JobConfig, load
from packit_worker.errors import UserError
from packit_worker.patterns import LONGEST_PATTERN
from packit_worker.ports import PullRequestState


def job(**settings: Any) -> JobConfig:
    text = yaml.safe_dump({"jobs": [{"job": "copr_build", "trigger": "commit", **settings}]})
    return load(text, path=".packit.yaml", repo_name="hello", spec_files=["hello.spec"]).jobs[0]


def push(branch: str, default: str | None = "main") -> PushGithubGHEvent:
    return PushGithubGHEvent(
        project_url="https://github.com/acme/hello",
        repo_namespace="acme",
        repo_name="hello",
        branch=branch,
        commit_sha="a" * 40,
        default_branch=default,
    )


def pull_request(labels: str | None) -> PullRequestGHEvent:
    return PullRequestGHEvent(
        project_url="https://github.com/acme/hello",
        action="opened",
        pr_id=1,
        commit_sha="a" * 40,
        user_login="zoe",
        base_repo_namespace="zoe",
        base_repo_name="hello",
        base_ref="change",
        target_repo_namespace="acme",
        target_repo_name="hello",
        labels=labels,
    )


def nobody() -> Any:
    raise AssertionError("nobody has to be asked")


def ask_nobody(number: int) -> PullRequestState:
    raise AssertionError("nobody has to be asked")


def test_the_default_branch() -> None:
    assert why_not(job(), push("main"), nobody, ask_nobody) is None
    assert "default branch, main" in (why_not(job(), push("main-2"), nobody, ask_nobody) or "")
    assert why_not(job(), push("trunk", None), lambda: "trunk", ask_nobody) is None


def test_hostile_pattern_takes_no_time() -> None:
    begun = time.perf_counter()
    assert why_not(job(branch=r"(v?\d+)+$"), push("1" * 27 + "x"), nobody, ask_nobody) is not None
    assert why_not(job(branch="(a*)*b"), push("a" * 200), nobody, ask_nobody) is not None
    assert time.perf_counter() - begun < 0.1


@pytest.mark.parametrize("pattern", ["(", "a" * (LONGEST_PATTERN + 1), "(?=x)", r"(a)\1", "a{1001}"])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(UserError) as caught:
        why_not(job(branch=pattern), push("main"), nobody, ask_nobody)
    assert caught.value.next_step


READY = {"label": {"present": ["ready", "fine"], "absent": ["wip"]}}


@pytest.mark.parametrize(
    ("labels", "applies"),
    [("", False), ("ready", True), ("other\nfine", True), ("ready\nwip", False), ("wip", False)],
)
def test_labels(labels: str, applies: bool) -> None:
    assert (why_not(job(require=READY), pull_request(labels), nobody, ask_nobody) is None) == applies
    assert why_not(job(), pull_request(None), nobody, ask_nobody) is None

    def ask(number: int) -> PullRequestState:
        return PullRequestState(
            head_sha="a" * 40,
            target_branch="main",
            author="zoe",
            is_open=True,
            labels=tuple(labels.splitlines()),
        )

    assert (why_not(job(require=READY), pull_request(None), nobody, ask) is None) == applies
