"""What a check advises can be done where it stands: a comment where there is one to answer, else the button."""

from __future__ import annotations

from typing import Any

import pytest

from events.base import Event
from events.families import ProjectEvent
from events.github import IssueCommentEvent, PullRequestGHEvent, PushGithubGHEvent, ReleaseEvent
from events.pagure import PushPagureEvent
from packit_worker.reporting import names, texts

HERE = {"project_url": "https://github.com/acme/hello", "repo_namespace": "acme", "repo_name": "hello"}


def made(event_class: type[Event], **facts: Any) -> ProjectEvent:
    event = event_class(**{**HERE, **facts})  # type: ignore[arg-type]
    assert isinstance(event, ProjectEvent)
    return event


PULL = PullRequestGHEvent(
    action="opened",
    base_ref="change",
    pr_id=7,
    base_repo_namespace="acme",
    base_repo_name="hello",
    target_repo_namespace="acme",
    target_repo_name="hello",
    project_url="https://github.com/acme/hello",
    commit_sha="a" * 40,
    user_login="alice",
)
PUSH = made(PushGithubGHEvent, branch="main", commit_sha="a" * 40)
RELEASE = made(ReleaseEvent, tag_name="v1")
ASKED = made(
    IssueCommentEvent, action="created", issue_id=3, comment="/packit propose-downstream", user_login="alice"
)
THEIRS = made(
    PushPagureEvent,
    project_url="https://pagure.io/hello",
    repo_namespace=None,
    branch="main",
    commit_sha="a" * 40,
)


@pytest.mark.parametrize(
    ("kind", "event", "advice"),
    [
        (names.RPM_BUILD, PULL, "comment `/packit build`"),
        (names.TESTING_FARM, PULL, "comment `/packit test`"),
        (names.KOJI_BUILD, PULL, "comment `/packit production-build`"),
        (names.KOJI_BUILD, PUSH, "press Re-run beside this check"),
        (names.RPM_BUILD, RELEASE, "press Re-run beside this check"),
        (names.RPM_BUILD, THEIRS, "push again"),
        (
            names.PROPOSE_DOWNSTREAM,
            RELEASE,
            "press Re-run beside this check, or comment `/packit propose-downstream` in an issue",
        ),
        (
            names.PROPOSE_DOWNSTREAM,
            ASKED,
            "press Re-run beside this check, or comment `/packit propose-downstream` in an issue",
        ),
        (names.RPM_BUILD, None, "ask for it again"),
    ],
)
def test_advice(kind: str, event: ProjectEvent | None, advice: str) -> None:
    assert texts.again(kind, event) == advice
    for words in (
        texts.gave_up("the forge is away", 5, advice),
        texts.timed_out("timed out after 60 s", advice),
        texts.our_fault("number", advice),
        texts.too_late(24, advice),
    ):
        assert texts.capital(advice) in words.summary or advice in words.summary
