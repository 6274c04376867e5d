"""Pagure, on its three ways and in its generations: what is left out, who is who, and what is a fork."""

from __future__ import annotations

from typing import Any

import pytest

from events.dist_git import DistGitCommitEvent
from events.pagure import PullRequestCommentPagureEvent, PullRequestPagureEvent, PushPagureEvent

HEAD = "0123456789abcdef0123456789abcdef01234567"
OLD = "89abcdef0123456789abcdef0123456789abcdef"
BUS = "org.fedoraproject.prod.pagure."

PROJECT: dict[str, Any] = {
    "name": "kettle",
    "namespace": "rpms",
    "fullname": "rpms/kettle",
    "full_url": "https://src.fedoraproject.org/rpms/kettle",
    "url_path": "rpms/kettle",
    "parent": None,
    "user": {"name": "owner"},
}
FORK: dict[str, Any] = {
    "name": "kettle",
    "namespace": "rpms",
    "fullname": "forks/author/rpms/kettle",
    "full_url": "https://src.fedoraproject.org/fork/author/rpms/kettle",
    "url_path": "fork/author/rpms/kettle",
    "parent": PROJECT,
    "user": {"name": "author"},
}
PULL_REQUEST: dict[str, Any] = {
    "agent": "pagure",
    "pullrequest": {
        "id": 4,
        "branch": "rawhide",
        "branch_from": "steam/#1",
        "commit_start": OLD,
        "commit_stop": HEAD,
        "status": "Open",
        "project": PROJECT,
        "repo_from": FORK,
        "remote_git": None,
        "last_updated": "1577836800",
        "user": {"name": "author"},
        "comments": [
            {"id": 1, "comment": "old", "user": {"name": "early"}, "notification": False},
            {
                "id": 2,
                "comment": "/packit build",
                "user": {"name": "commenter"},
                "notification": False,
                "date_created": "1577836801",
            },
        ],
    },
}
PUSH: dict[str, Any] = {
    "agent": "pusher",
    "branch": "refs/heads/f40",
    "old_commit": OLD,
    "start_commit": OLD,
    "end_commit": HEAD,
    "forced": False,
    "repo": PROJECT,
}
#: The layout of 2015 and 2016.
OLD_PROJECT = {"id": 7, "name": "kettle", "parent": None, "user": {"name": "owner"}}
OLD_FORK = {"id": 8, "name": "kettle", "parent": OLD_PROJECT, "user": {"name": "author"}}


def on_the_hook(topic: str, msg: dict[str, Any], instance: str, fullname: str) -> dict[str, Any]:
    signed = {**msg, "pagure_instance": instance, "project_fullname": fullname}
    return {"i": 1, "msg": signed, "msg_id": "2024-0", "timestamp": 1, "topic": topic}


@pytest.mark.parametrize(
    ("topic", "action"),
    [
        ("pull-request.new", "opened"),
        ("pull-request.reopened", "reopened"),
        ("pull-request.updated", "synchronize"),
        ("pull-request.rebased", "synchronize"),
    ],
)
def test_pull_request_on_three_ways(event_of, topic, action):
    expected = PullRequestPagureEvent(
        action=action,
        pr_id=4,
        commit_sha=HEAD,
        user_login="author",
        base_repo_namespace="rpms",
        base_repo_name="kettle",
        base_repo_owner="author",
        base_ref="steam/#1",
        target_repo_namespace="rpms",
        target_repo_name="kettle",
        target_branch="rawhide",
        project_url="https://src.fedoraproject.org/rpms/kettle",
        updated_at="2020-01-01T00:00:00Z",
    )
    hook = on_the_hook(topic, PULL_REQUEST, "https://src.fedoraproject.org/", "rpms/kettle")
    assert event_of("fedora-messaging", BUS + topic, PULL_REQUEST) == expected
    assert event_of("centosmsg", f"git.centos.org/{topic}", PULL_REQUEST) == expected
    assert event_of("pagure", topic, hook) == expected
    assert expected.same_as


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        (
            {"pullrequest.repo_from": None},
            {"base_repo_namespace": None, "base_repo_name": None, "base_repo_owner": None},
        ),
        (
            {"pullrequest.project.namespace": None, "pullrequest.project.url_path": "kettle"},
            {"target_repo_namespace": None},
        ),
        ({"pullrequest.status": True}, {"pr_id": 4}),
        ({"pullrequest.project": {"url_path": "fork/author"}}, {"target_repo_name": "author"}),
        (
            {"pullrequest.project": FORK},
            {"project_url": FORK["full_url"], "target_repo_namespace": "rpms", "target_repo_name": "kettle"},
        ),
        (
            {"pullrequest.project": {"url_path": "group/sub/kettle"}},
            {
                "target_repo_namespace": "group/sub",
                "target_repo_name": "kettle",
                "project_url": "https://src.fedoraproject.org/group/sub/kettle",
            },
        ),
        (
            {"pullrequest.project.full_url": "https://pagure.io/kettle"},
            {"project_url": "https://pagure.io/kettle"},
        ),
    ],
)
def test_pull_request_variants(event_of, changed, changes, facts):
    event = event_of("fedora-messaging", BUS + "pull-request.new", changed(PULL_REQUEST, changes))
    assert {name: event.facts()[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("source", "event_type", "project_url"),
    [
        (
            "fedora-messaging",
            "org.fedoraproject.prod.pagure.pull-request.new",
            "https://src.fedoraproject.org/kettle",
        ),
        (
            "fedora-messaging",
            "org.fedoraproject.stg.pagure.pull-request.new",
            "https://src.stg.fedoraproject.org/kettle",
        ),
        ("fedora-messaging", "io.pagure.prod.pagure.pull-request.new", "https://pagure.io/kettle"),
        ("fedora-messaging", "io.pagure.dev.pagure.pull-request.new", "https://stg.pagure.io/kettle"),
        ("centosmsg", "git.stg.centos.org/pull-request.new", "https://git.stg.centos.org/kettle"),
    ],
)
def test_messages_of_2016_have_no_address(event_of, changed, source, event_type, project_url):
    body = changed(PULL_REQUEST, {"pullrequest.project": OLD_PROJECT, "pullrequest.repo_from": OLD_FORK})
    event = event_of(source, event_type, body)
    assert (event.project_url, event.target_repo_namespace, event.base_repo_owner) == (
        project_url,
        None,
        "author",
    )


def test_nobody_tells_which_pagure_it_is(refusal_of, changed):
    body = changed(PULL_REQUEST, {"pullrequest.project": OLD_PROJECT})
    why = "pullrequest.project.full_url: is missing, and nothing else tells which Pagure this is"
    assert refusal_of("pagure", "pull-request.new", body).malformed == why
    assert (
        refusal_of("fedora-messaging", "org.fedoraproject.dev.pagure.pull-request.new", body).malformed == why
    )


def test_commit_is_not_known_yet(refusal_of, changed):
    body = changed(PULL_REQUEST, {"pullrequest.commit_stop": None})
    assert "which commit" in refusal_of("pagure", "pull-request.new", body).ignored


def test_comment_added(event_of):
    event = event_of("fedora-messaging", BUS + "pull-request.comment.added", PULL_REQUEST)
    assert event == PullRequestCommentPagureEvent(
        action="created",
        pr_id=4,
        comment="/packit build",
        comment_id=2,
        commit_sha=HEAD,
        user_login="commenter",
        base_repo_namespace="rpms",
        base_repo_name="kettle",
        base_repo_owner="author",
        target_repo_namespace="rpms",
        target_repo_name="kettle",
        project_url="https://src.fedoraproject.org/rpms/kettle",
        updated_at="2020-01-01T00:00:01Z",
    )


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"pullrequest.commit_stop": None}, {"commit_sha": None}),
        ({"pullrequest.status": "Closed"}, {"comment": "/packit build"}),
        (
            {"pullrequest.comments": [{"comment": "hi"}], "agent": "acting"},
            {"user_login": "acting", "comment_id": None},
        ),
    ],
)
def test_comment_added_variants(event_of, changed, changes, facts):
    event = event_of("fedora-messaging", BUS + "pull-request.comment.added", changed(PULL_REQUEST, changes))
    assert {name: event.facts()[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pullrequest.comments": []}, "the message does not hold the comment"),
        ({"pullrequest.comments": ...}, "the message does not hold the comment"),
        (
            {"pullrequest.comments": [{"id": 3, "comment": "rebased onto x", "notification": True}]},
            "Pagure itself notes what happened to the pull request",
        ),
    ],
)
def test_comment_added_ignored(refusal_of, changed, changes, reason):
    answer = refusal_of("pagure", "pull-request.comment.added", changed(PULL_REQUEST, changes))
    assert answer.ignored == reason


EDITED = {
    "id": 1,
    "comment": "/packit test",
    "user": {"name": "early"},
    "editor": {"name": "editor"},
    "edited_on": "1577836802",
}


@pytest.mark.parametrize(
    ("comment", "user_login"),
    [(EDITED, "editor"), ({**EDITED, "editor": None}, "early"), ({"comment": "/packit test"}, "pagure")],
)
def test_comment_edited(event_of, comment, user_login):
    body = {**PULL_REQUEST, "comment": comment}
    event = event_of("fedora-messaging", BUS + "pull-request.comment.edited", body)
    assert (event.action, event.comment, event.user_login) == ("edited", "/packit test", user_login)


def test_comment_edited_without_the_comment(refusal_of):
    answer = refusal_of("pagure", "pull-request.comment.edited", PULL_REQUEST)
    assert answer.ignored == "the message does not hold the comment"


def test_push_to_a_package(event_of):
    event = event_of("fedora-messaging", BUS + "git.receive", PUSH)
    assert event == DistGitCommitEvent(
        repo_namespace="rpms",
        repo_name="kettle",
        branch="f40",
        commit_sha=HEAD,
        commit_sha_before=OLD,
        user_login="pusher",
        project_url="https://src.fedoraproject.org/rpms/kettle",
    )


@pytest.mark.parametrize(
    ("full_url", "namespace", "event_class"),
    [
        ("https://src.fedoraproject.org/rpms/kettle", "rpms", DistGitCommitEvent),
        ("https://src.stg.fedoraproject.org/rpms/kettle", "rpms", DistGitCommitEvent),
        ("http://127.0.0.1:5000/rpms/kettle", "rpms", DistGitCommitEvent),
        ("https://dist-git.example.com/modules/kettle", "modules", PushPagureEvent),
        ("https://src.fedoraproject.org/modules/kettle", "modules", PushPagureEvent),
        ("https://git.centos.org/rpms/kettle", "rpms", PushPagureEvent),
        ("https://pagure.io/kettle", None, PushPagureEvent),
        ("https://pagure.io/rpms/kettle", "rpms", PushPagureEvent),
    ],
)
def test_whose_push(event_of, changed, full_url, namespace, event_class):
    changes = {
        "repo.full_url": full_url,
        "repo.namespace": namespace,
        "repo.url_path": full_url.split("/", 3)[3],
    }
    event = event_of("pagure", "git.receive", changed(PUSH, changes))
    assert type(event) is event_class
    assert event.project_url == full_url


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"branch": "f40"}, {"branch": "f40"}),
        ({"branch": "refs/heads/a/b"}, {"branch": "a/b"}),
        ({"old_commit": "0" * 40}, {"commit_sha_before": None}),
        ({"old_commit": ...}, {"commit_sha_before": None}),
        ({"agent": "pagure", "pull_request_id": 4}, {"user_login": "pagure"}),
    ],
)
def test_push_variants(event_of, changed, changes, facts):
    event = event_of("fedora-messaging", BUS + "git.receive", changed(PUSH, changes))
    assert {name: event.facts()[name] for name in facts} == facts


def test_push_in_the_layout_of_2015(event_of):
    commit = {"branch": "refs/heads/main", "rev": HEAD, "agent": "git", "username": None, "repo": OLD_PROJECT}
    event = event_of("fedora-messaging", "io.pagure.prod.pagure.git.receive", {"commit": commit})
    assert event == PushPagureEvent(
        repo_namespace=None,
        repo_name="kettle",
        branch="main",
        commit_sha=HEAD,
        project_url="https://pagure.io/kettle",
    )


@pytest.mark.parametrize(
    "repo",
    [
        FORK,
        {**FORK, "parent": None},
        {**FORK, "full_url": None, "parent": None},
        {"name": "kettle", "namespace": "rpms", "parent": None, "full_url": FORK["full_url"]},
        {"fullname": "forks/author/rpms/kettle"},
        OLD_FORK,
    ],
)
def test_push_to_a_fork(refusal_of, repo):
    answer = refusal_of("fedora-messaging", BUS + "git.receive", {**PUSH, "repo": repo})
    assert answer.ignored == "a push to a fork changes nothing in the project, until there is a pull request"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"branch": "refs/tags/v1"}, "what has been pushed is no branch"),
        ({"end_commit": "0" * 40}, "a branch has been deleted: there is nothing to build"),
    ],
)
def test_push_ignored(refusal_of, changed, changes, reason):
    assert refusal_of("fedora-messaging", BUS + "git.receive", changed(PUSH, changes)).ignored == reason


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("end_commit", None, "end_commit: is missing or null"),
        ("end_commit", "HEAD", "end_commit: is no SHA of a commit"),
        ("repo", ["x"], "repo: is list, not dict"),
        ("repo.name", "../../x", "repo.name: is no name of a repository"),
        (
            "repo.full_url",
            "https://evil@src.fedoraproject.org/x/y",
            "repo.full_url: is no address of a project's page",
        ),
        ("branch", "a b", "branch: is no name of a branch or tag"),
    ],
)
def test_push_malformed(refusal_of, changed, path, value, why):
    assert refusal_of("fedora-messaging", BUS + "git.receive", changed(PUSH, {path: value})).malformed == why


@pytest.mark.parametrize(
    ("changes", "fullname"),
    [
        ({}, "rpms/mine"),
        ({"pullrequest.project.full_url": "https://src.fedoraproject.org/rpms/mine"}, "rpms/mine"),
        ({"pullrequest.project.name": "mine"}, "rpms/kettle"),
        ({"pullrequest.project.namespace": "tests"}, "rpms/kettle"),
        ({"pullrequest.project.full_url": "https://pagure.io/rpms/kettle"}, "rpms/kettle"),
    ],
)
def test_hook_cannot_speak_for_another_project(refusal_of, changed, changes, fullname):
    body = changed(PULL_REQUEST, changes)
    hook = on_the_hook("pull-request.new", body, "https://src.fedoraproject.org", fullname)
    why = "msg.pullrequest.project.full_url: is not the project in whose name the hook was sent"
    assert refusal_of("pagure", "pull-request.new", hook).malformed == why


def test_hook_cannot_be_passed_off_as_another_kind(refusal_of):
    hook = on_the_hook("pull-request.closed", PULL_REQUEST, "https://src.fedoraproject.org", "rpms/kettle")
    assert (
        refusal_of("pagure", "pull-request.new", hook).malformed == "topic: is not the one that was announced"
    )


def test_hook_of_a_fork(event_of, changed):
    body = changed(PULL_REQUEST, {"pullrequest.project": FORK})
    hook = on_the_hook("pull-request.new", body, "https://src.fedoraproject.org/", "forks/author/rpms/kettle")
    assert event_of("pagure", "pull-request.new", hook).project_url == FORK["full_url"]


@pytest.mark.parametrize("instance", ["javascript:x", "https://h/\x00", 7, [], "https://u:p@h", "x" * 5000])
def test_strange_instances(refusal_of, changed, instance):
    body = changed(PULL_REQUEST, {"pullrequest.project": OLD_PROJECT, "pagure_instance": instance})
    assert refusal_of("pagure", "pull-request.new", body).malformed.startswith("pagure_instance: is ")


@pytest.mark.parametrize(
    ("source", "event_type"),
    [
        ("pagure", "pull-request.closed"),
        ("pagure", "pull-request.tag.added"),
        ("pagure", "pull-request.flag.added"),
        ("pagure", "pull-request.initial_comment.edited"),
        ("pagure", "pagure.pull-request.new"),
        ("pagure", "git.branch.deletion"),
        ("pagure", "issue.comment.added"),
        ("pagure", "PULL-REQUEST.NEW"),
        ("fedora-messaging", "pull-request.new"),
        ("fedora-messaging", "org.fedoraproject.prod.trac.git.receive"),
        ("fedora-messaging", "org.fedoraproject.prod.pagure.request.assigned.added"),
        ("fedora-messaging", "org.fedoraproject.prod.pagure.git.receive.f40"),
        ("fedora-messaging", "org.centos.prod.pagure.git.receive"),
        ("centosmsg", "pull-request.new"),
        ("centosmsg", "git.centos.org/pull-request.new/x"),
        ("centosmsg", "/pull-request.new"),
        ("centosmsg", "git.centos.org/"),
        ("github", "pull-request.new"),
    ],
)
def test_lookalikes(refusal_of, source, event_type):
    assert refusal_of(source, event_type, {**PUSH, **PULL_REQUEST}).ignored
