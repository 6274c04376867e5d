"""GitLab's hooks: what each becomes, and what none of them becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from events.gitlab import (
    IssueCommentGitlabEvent,
    MergeRequestCommentGitlabEvent,
    MergeRequestGitlabEvent,
    PushGitlabEvent,
    ReleaseGitlabEvent,
)

OLD, HEAD, NO_COMMIT = "a" * 40, "b" * 40, "0" * 40
PAGE = "https://gitlab.example.org/teapots/copper/kettle"

PROJECT: dict[str, Any] = {
    "id": 7,
    "name": "A kettle",
    "namespace": "copper",
    "web_url": PAGE,
    "path_with_namespace": "teapots/copper/kettle",
    "visibility_level": 20,
    "default_branch": "main",
}
FORK: dict[str, Any] = {
    "id": 8,
    "name": "A kettle",
    "namespace": "Author of Things",
    "web_url": "https://gitlab.example.org/author/kettle",
    "path_with_namespace": "author/kettle",
    "visibility_level": 20,
}
#: What hooks tell of a merge request, both in its own and in those of its comments.
MERGE_REQUEST: dict[str, Any] = {
    "id": 1234567,
    "iid": 4,
    "state": "opened",
    "draft": True,
    "source_branch": "steam/1",
    "target_branch": "main",
    "source": FORK,
    "target": PROJECT,
    "last_commit": {"id": HEAD},
    "labels": [{"id": 1, "title": "rpm"}, {"id": 2, "title": "no ci"}],
}
MERGE: dict[str, Any] = {
    "object_kind": "merge_request",
    "event_type": "merge_request",
    "user": {"id": 3, "name": "The Author", "username": "author"},
    "project": PROJECT,
    "labels": MERGE_REQUEST["labels"],
    "object_attributes": {**MERGE_REQUEST, "action": "open"},
}
NOTE: dict[str, Any] = {
    "object_kind": "note",
    "event_type": "note",
    "user": {"id": 5, "username": "commenter"},
    "project": PROJECT,
    "object_attributes": {
        "id": 99,
        "note": "/packit build",
        "noteable_type": "MergeRequest",
        "system": False,
        "internal": False,
        "action": "create",
    },
    "merge_request": MERGE_REQUEST,
}
ISSUE_NOTE: dict[str, Any] = {
    **{key: value for key, value in NOTE.items() if key != "merge_request"},
    "object_attributes": {**NOTE["object_attributes"], "noteable_type": "Issue"},
    "issue": {"id": 7654321, "iid": 4, "state": "opened", "confidential": False},
}
PUSH: dict[str, Any] = {
    "object_kind": "push",
    "before": OLD,
    "after": HEAD,
    "checkout_sha": HEAD,
    "ref": "refs/heads/rel/1.0",
    "user_username": "pusher",
    "project": PROJECT,
    "commits": [{"id": HEAD}, {"id": "c" * 40}],
}
RELEASE: dict[str, Any] = {
    "object_kind": "release",
    "action": "create",
    "tag": "v1.0",
    "name": "The first",
    "project": PROJECT,
    "commit": {"id": HEAD},
}

EventOf = Callable[..., Any]
Changed = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


def test_a_merge_request_is_a_pull_request_with_its_own_number(event_of: EventOf) -> None:
    event = event_of("gitlab", "Merge Request Hook", MERGE)

    assert event == MergeRequestGitlabEvent(
        project_url=PAGE,
        project_is_private=False,
        action="opened",
        pr_id=4,
        commit_sha=HEAD,
        user_login="author",
        base_repo_namespace="author",
        base_repo_name="kettle",
        base_ref="steam/1",
        target_repo_namespace="teapots/copper",
        target_repo_name="kettle",
        target_branch="main",
        labels="rpm\nno ci",
    )
    assert event.subject == f"{PAGE}/-/merge_requests/4"
    assert event.head_ref == "refs/merge-requests/4/head"


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"object_attributes.action": "reopen"}, "reopened"),
        ({"object_attributes.action": "update", "object_attributes.oldrev": OLD}, "update"),
        ({"object_attributes.action": ...}, "opened"),
    ],
)
def test_what_brings_commits(
    event_of: EventOf, changed: Changed, changes: dict[str, Any], action: str
) -> None:
    assert event_of("gitlab", "Merge Request Hook", changed(MERGE, changes)).action == action


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"object_attributes.action": "update"}, "leaves its commits as they are"),
        *(
            ({"object_attributes.action": action}, f"{action} brings no new commits")
            for action in ("approved", "unapproved", "approval", "unapproval", "close", "merge")
        ),
        (
            {
                "object_attributes.action": "update",
                "object_attributes.oldrev": OLD,
                "object_attributes.state": "closed",
            },
            "that is closed",
        ),
        ({"object_attributes.source": None}, "fork of this merge request has been deleted"),
        ({"object_attributes.last_commit": None}, "does not tell yet which commit"),
        ({"object_attributes.last_commit": ...}, "does not tell yet which commit"),
    ],
)
def test_what_brings_none(refusal_of: EventOf, changed: Changed, changes: dict[str, Any], words: str) -> None:
    assert words in refusal_of("gitlab", "Merge Request Hook", changed(MERGE, changes)).ignored


def test_a_project_speaks_for_the_namespace_of_its_page_only(refusal_of: EventOf, changed: Changed) -> None:
    for path in ("approved/kettle", "kettle", "copper/../kettle"):
        refusal = refusal_of(
            "gitlab", "Merge Request Hook", changed(MERGE, {"project.path_with_namespace": path})
        )
        assert refusal.malformed.startswith("project.path_with_namespace")


@pytest.mark.parametrize(("level", "is_private"), [(0, True), (10, True), (20, False), (None, None)])
def test_what_the_world_cannot_read_is_private(
    event_of: EventOf, changed: Changed, level: int | None, is_private: bool | None
) -> None:
    event = event_of("gitlab", "Merge Request Hook", changed(MERGE, {"project.visibility_level": level}))
    assert event.project_is_private is is_private


def test_a_comment_on_a_merge_request(event_of: EventOf) -> None:
    event = event_of("gitlab", "Note Hook", NOTE)

    assert event == MergeRequestCommentGitlabEvent(
        project_url=PAGE,
        project_is_private=False,
        action="created",
        pr_id=4,
        comment="/packit build",
        comment_id=99,
        commit_sha=HEAD,
        user_login="commenter",
        base_repo_namespace="author",
        base_repo_name="kettle",
        target_repo_namespace="teapots/copper",
        target_repo_name="kettle",
        target_branch="main",
        labels="rpm\nno ci",
    )
    assert event.subject == f"{PAGE}/-/merge_requests/4"


@pytest.mark.parametrize(
    "changes",
    [
        {"merge_request.state": "closed"},
        {"merge_request.state": "merged"},
        {"merge_request.last_commit": None},
        {"merge_request.last_commit": ...},
    ],
)
def test_where_no_commit_may_be_taken_from_a_comment_the_forge_is_asked(
    event_of: EventOf, changed: Changed, changes: dict[str, Any]
) -> None:
    assert event_of("gitlab", "Note Hook", changed(NOTE, changes)).commit_sha is None


def test_a_comment_on_what_comes_from_a_deleted_fork(event_of: EventOf, changed: Changed) -> None:
    event = event_of("gitlab", "Note Hook", changed(NOTE, {"merge_request.source": None}))
    assert (event.base_repo_namespace, event.base_repo_name, event.commit_sha) == (None, None, HEAD)


def test_a_comment_on_an_issue(event_of: EventOf) -> None:
    event = event_of("gitlab", "Note Hook", ISSUE_NOTE)

    assert event == IssueCommentGitlabEvent(
        project_url=PAGE,
        project_is_private=False,
        action="created",
        issue_id=4,
        comment="/packit build",
        comment_id=99,
        user_login="commenter",
        repo_namespace="teapots/copper",
        repo_name="kettle",
    )
    assert event.subject == f"{PAGE}/-/issues/4"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"object_attributes.system": True}, "GitLab itself"),
        ({"object_attributes.internal": True}, "confidential"),
        ({"event_type": "confidential_note"}, "confidential"),
        ({"object_attributes.action": "update"}, "write a new one"),
        ({"object_attributes.noteable_type": "Commit"}, "a comment on a Commit"),
        ({"object_attributes.noteable_type": "Snippet"}, "a comment on a Snippet"),
    ],
)
def test_comments_that_ask_for_nothing(
    refusal_of: EventOf, changed: Changed, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal_of("gitlab", "Note Hook", changed(NOTE, changes)).ignored


def test_a_confidential_issue_is_not_talked_about(refusal_of: EventOf, changed: Changed) -> None:
    refusal = refusal_of("gitlab", "Note Hook", changed(ISSUE_NOTE, {"issue.confidential": True}))
    assert "confidential" in refusal.ignored
    assert "confidential" in refusal_of("gitlab", "Confidential Note Hook", ISSUE_NOTE).ignored


@pytest.mark.parametrize(
    ("login", "is_bot"),
    [
        ("project_7_bot", True),
        ("project_7_bot_4ffca233d8298ea1", True),
        ("group_12_bot1", True),
        ("service_account_group_12_abc", True),
        ("support-bot", True),
        ("robota", None),
        ("project_bot_fan", None),
    ],
)
def test_accounts_of_tokens_are_programs(
    event_of: EventOf, changed: Changed, login: str, is_bot: bool | None
) -> None:
    assert event_of("gitlab", "Note Hook", changed(NOTE, {"user.username": login})).user_is_bot is is_bot


def test_a_push_is_known_by_where_the_branch_is_afterwards(event_of: EventOf, changed: Changed) -> None:
    event = event_of("gitlab", "Push Hook", PUSH)

    assert event == PushGitlabEvent(
        project_url=PAGE,
        project_is_private=False,
        repo_namespace="teapots/copper",
        repo_name="kettle",
        branch="rel/1.0",
        commit_sha=HEAD,
        commit_sha_before=OLD,
        user_login="pusher",
        default_branch="main",
    )
    assert event.subject == f"{PAGE}/-/tree/rel/1.0"
    fresh = event_of("gitlab", "Push Hook", changed(PUSH, {"before": NO_COMMIT, "commits": []}))
    assert (fresh.commit_sha, fresh.commit_sha_before) == (HEAD, None)


def test_pushes_with_nothing_to_build(refusal_of: EventOf, changed: Changed) -> None:
    deleted = changed(PUSH, {"after": NO_COMMIT, "checkout_sha": None, "commits": []})
    assert "has been deleted" in refusal_of("gitlab", "Push Hook", deleted).ignored
    tag = changed(PUSH, {"ref": "refs/tags/v1.0"})
    assert "no branch" in refusal_of("gitlab", "Push Hook", tag).ignored
    assert "the release" in refusal_of("gitlab", "Tag Push Hook", tag).ignored


def test_a_release(event_of: EventOf, refusal_of: EventOf, changed: Changed) -> None:
    event = event_of("gitlab", "Release Hook", RELEASE)

    assert event == ReleaseGitlabEvent(
        project_url=PAGE,
        project_is_private=False,
        repo_namespace="teapots/copper",
        repo_name="kettle",
        tag_name="v1.0",
    )
    assert event.subject == f"{PAGE}/-/releases/v1.0"
    for action in ("update", "delete"):
        assert action in refusal_of("gitlab", "Release Hook", changed(RELEASE, {"action": action})).ignored


@pytest.mark.parametrize("kind", ["System Hook", "Pipeline Hook", "Issue Hook", "Feature Flag Hook", "x"])
def test_other_kinds_are_ignored_with_a_reason(refusal_of: EventOf, kind: str) -> None:
    assert refusal_of("gitlab", kind, MERGE).ignored
