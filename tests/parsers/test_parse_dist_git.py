"""Pushes to dist-git as fedmsg told them up to 2020."""

from __future__ import annotations

from typing import Any

import pytest

from events.dist_git import DistGitCommitEvent
from events.pagure import PushPagureEvent

TOPIC = "org.fedoraproject.prod.git.receive"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

PUSH: dict[str, Any] = {
    "commit": {
        "agent": "pusher",
        "branch": "rawhide",
        "namespace": "rpms",
        "repo": "kettle",
        "rev": COMMIT,
        "username": "committer",
        "path": "/srv/git/repositories/rpms/kettle.git",
    }
}


@pytest.mark.parametrize(
    "body", [PUSH, {**PUSH, "topic": TOPIC}, {"i": 1, "msg": PUSH, "msg_id": "2019-1", "topic": TOPIC}]
)
def test_push(event_of, body):
    assert event_of("fedora-messaging", TOPIC, body) == DistGitCommitEvent(
        repo_namespace="rpms",
        repo_name="kettle",
        branch="rawhide",
        commit_sha=COMMIT,
        user_login="pusher",
        project_url="https://src.fedoraproject.org/rpms/kettle",
    )


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"commit.namespace": ...}, {"project_url": "https://src.fedoraproject.org/rpms/kettle"}),
        ({"commit.agent": ...}, {"user_login": "committer"}),
        ({"commit.agent": ..., "commit.username": None}, {"user_login": None}),
        ({"commit.branch": "refs/heads/f40"}, {"branch": "f40"}),
    ],
)
def test_variants(event_of, changed, changes, facts):
    event = event_of("fedora-messaging", TOPIC, changed(PUSH, changes))
    assert {name: event.facts()[name] for name in facts} == facts


def test_other_namespaces_are_no_packages(event_of, changed):
    event = event_of("fedora-messaging", TOPIC, changed(PUSH, {"commit.namespace": "modules"}))
    assert type(event) is PushPagureEvent
    assert event.project_url == "https://src.fedoraproject.org/modules/kettle"


def test_staging(event_of):
    event = event_of("fedora-messaging", "org.fedoraproject.stg.git.receive", PUSH)
    assert event.project_url == "https://src.stg.fedoraproject.org/rpms/kettle"


@pytest.mark.parametrize(
    "topic",
    [
        "org.fedoraproject.prod.git.receive.kettle.master",
        "org.fedoraproject.prod.git.lookaside.new",
        "org.fedoraproject.prod.trac.git.receive",
        "org.fedoraproject.dev.git.receive",
        "io.pagure.prod.git.receive",
        "git.receive",
    ],
)
def test_ignored(refusal_of, topic):
    assert refusal_of("fedora-messaging", topic, PUSH).ignored


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"commit": ...}, "commit: is missing or null"),
        ({"commit.repo": None}, "commit.repo: is missing or null"),
        ({"commit.repo": "a/b"}, "commit.repo: is no name of a repository"),
        ({"commit.rev": "HEAD"}, "commit.rev: is no SHA of a commit"),
    ],
)
def test_malformed(refusal_of, changed, changes, why):
    assert refusal_of("fedora-messaging", TOPIC, changed(PUSH, changes)).malformed == why
