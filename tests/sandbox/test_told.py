"""What the sandbox tells is understood by the parsers, and told on two ways it is known for one fact."""

from typing import Any

import pytest

import parsers
from events import Event
from packit_worker.sandbox import Sandbox
from parsers.sending import held


def event_of(source: str, topic: str, body: Any) -> Event:
    with held() as sendings:
        answer = parsers.parse(source, topic, body)
    assert answer == parsers.Parsed()
    (sending,) = sendings
    return sending.event


@pytest.mark.parametrize("project", ["hello", "rpms/hello"])
@pytest.mark.parametrize(
    ("topic", "about", "task"),
    [
        ("pull-request.new", {"pull_request": 1}, "pull_request_pagure"),
        ("pull-request.updated", {"pull_request": 1}, "pull_request_pagure"),
        ("pull-request.rebased", {"pull_request": 1}, "pull_request_pagure"),
        ("pull-request.reopened", {"pull_request": 1}, "pull_request_pagure"),
        (
            "pull-request.comment.added",
            {"pull_request": 1, "comment": "/packit"},
            "pull_request_comment_pagure",
        ),
        ("git.receive", {}, "push_pagure"),
    ],
)
def test_pagure(sandbox: Sandbox, project: str, topic: str, about: dict[str, Any], task: str) -> None:
    sandbox.pagure.add_project(project)
    sandbox.pagure.open_pull_request(project, author="bob", files={"x": "y"})
    hook = sandbox.pagure.webhook(topic, project=project, agent="bob", **about)
    if (topic, project) == ("git.receive", "rpms/hello"):
        task = "dist_git_commit"
    (message,) = sandbox.bus.messages()
    by_hook = event_of("pagure", topic, hook.json())
    by_bus = event_of("fedora-messaging", message["topic"], message["body"])
    assert by_hook.task == f"task.process_{task}_event"
    assert by_hook.facts() == by_bus.facts()
    assert by_hook.facts()["project_url"] == f"{sandbox.pagure.url}/{project}"


def test_koji(sandbox: Sandbox) -> None:
    koji = sandbox.koji
    user = koji.state.users[koji.username]
    scratch = koji.create(user, "cli-build/1/hello-1-2.src.rpm", "f43", {"scratch": True})
    koji.finish(scratch.id)
    kept = koji.create(user, "git+https://x/rpms/hello.git#" + "a" * 40, "f43", {})
    koji.finish(kept.id, succeeded=False)
    events = [
        event_of("fedora-messaging", message["topic"], message["body"]).facts()
        for message in sandbox.bus.messages()
    ]
    assert [(event["old_state"], event["state"]) for event in events] == [
        (None, "FREE"),
        ("FREE", "OPEN"),
        ("OPEN", "CLOSED"),
        (None, "BUILDING"),
        ("BUILDING", "FAILED"),
    ]
    assert [event["task_id"] for event in events] == [scratch.id] * 3 + [kept.id] * 2
    assert events[2]["rpm_build_task_id"] == scratch.children[1].id
    assert events[3]["commit_sha"] == "a" * 40
