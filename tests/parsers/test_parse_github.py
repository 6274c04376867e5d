"""GitHub's webhooks: which of them become events, with which facts, and why the others do not."""

from __future__ import annotations

from typing import Any

import pytest

from events.github import (
    CheckRunRerunEvent,
    CheckSuiteRerunEvent,
    InstallationEvent,
    IssueCommentEvent,
    PullRequestCommentGHEvent,
    PullRequestGHEvent,
    PushGithubGHEvent,
    ReleaseEvent,
)
from parsers import github

HEAD = "0123456789abcdef0123456789abcdef01234567"
OLD = "89abcdef0123456789abcdef0123456789abcdef"
ZEROS = "0" * 40

REPOSITORY = {
    "name": "kettle",
    "full_name": "teapots/kettle",
    "owner": {"login": "teapots", "type": "Organization"},
    "private": False,
    "html_url": "https://github.com/teapots/kettle",
    "url": "https://api.github.com/repos/teapots/kettle",
}
COMMON = {"repository": REPOSITORY, "sender": {"login": "sender", "id": 5}, "installation": {"id": 77}}

PULL_REQUEST: dict[str, Any] = {
    "action": "opened",
    "number": 12,
    "pull_request": {
        "number": 12,
        "draft": True,
        "body": None,
        "user": {"login": "author"},
        "head": {
            "ref": "feature/steam#2",
            "sha": HEAD,
            "repo": {"name": "my-kettle", "owner": {"login": "forker"}},
        },
        "base": {"ref": "main", "sha": OLD, "repo": {"name": "kettle", "owner": {"login": "teapots"}}},
    },
    **COMMON,
}
COMMENT: dict[str, Any] = {
    "action": "created",
    "issue": {"number": 3, "user": {"login": "opener"}},
    "comment": {"id": 900, "body": "/packit build", "user": {"login": "commenter", "type": "User"}},
    **COMMON,
}
PUSH: dict[str, Any] = {
    "ref": "refs/heads/stable/#3.1",
    "before": OLD,
    "after": HEAD,
    "deleted": False,
    "head_commit": {"id": HEAD},
    "commits": [],
    "pusher": {"name": "pusher"},
    **COMMON,
}
RELEASE: dict[str, Any] = {
    "action": "published",
    "release": {"tag_name": "v1/2.0", "name": None, "author": {"login": "release-bot"}},
    **COMMON,
}
CHECK_RUN: dict[str, Any] = {
    "action": "rerequested",
    "check_run": {
        "id": 4001,
        "name": "rpm-build:fedora-43-x86_64:a:b",
        "head_sha": HEAD,
        "external_id": "0a1b2c",
        "status": "completed",
        "conclusion": "failure",
        "app": {"id": 55, "slug": "kettle-app"},
        "check_suite": {"id": 900, "head_sha": HEAD, "pull_requests": []},
        "pull_requests": [],
    },
    **COMMON,
}
CHECK_SUITE: dict[str, Any] = {
    "action": "rerequested",
    "check_suite": {
        "id": 900,
        "head_branch": None,
        "head_sha": HEAD,
        "pull_requests": [],
        "app": {"id": 55, "slug": "kettle-app"},
    },
    **COMMON,
}
INSTALLATION: dict[str, Any] = {
    "action": "created",
    "installation": {
        "id": 77,
        "account": {
            "login": "teapots",
            "id": 8,
            "type": "Organization",
            "html_url": "https://github.com/teapots",
        },
        "created_at": 1577836800,
    },
    "repositories": [{"full_name": "teapots/kettle"}, {"full_name": "teapots/.github"}],
    "sender": {"login": "admin", "id": 6},
}


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronize"])
def test_pull_request(event_of, changed, action):
    event = event_of("github", "pull_request", changed(PULL_REQUEST, {"action": action}))
    assert event == PullRequestGHEvent(
        action=action,
        pr_id=12,
        commit_sha=HEAD,
        user_login="author",
        base_repo_namespace="forker",
        base_repo_name="my-kettle",
        base_ref="feature/steam#2",
        target_repo_namespace="teapots",
        target_repo_name="kettle",
        target_branch="main",
        project_url="https://github.com/teapots/kettle",
        project_is_private=False,
        installation_id=77,
    )
    assert event.subject == "https://github.com/teapots/kettle/pull/12"


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"pull_request.user": None}, {"user_login": "ghost"}),
        ({"installation": ...}, {"installation_id": None}),
        ({"repository.private": True}, {"project_is_private": True}),
        ({"repository.private": ...}, {"project_is_private": None}),
        (
            {"repository.html_url": "http://git.example:8443/teapots/kettle/"},
            {"project_url": "http://git.example:8443/teapots/kettle"},
        ),
    ],
)
def test_pull_request_variants(event_of, changed, changes, facts):
    event = event_of("github", "pull_request", changed(PULL_REQUEST, changes))
    assert {name: event.facts()[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": "closed"}, "a pull request being closed brings no new commits"),
        ({"action": "labeled"}, "a pull request being labeled brings no new commits"),
        ({"action": "edited"}, "a pull request being edited brings no new commits"),
        ({"pull_request.head.repo": None}, "the fork of this pull request has been deleted"),
        ({"action": "opened\x00"}, "a pull request being opened\\x00 brings no new commits"),
    ],
)
def test_pull_request_ignored(refusal_of, changed, changes, reason):
    assert refusal_of("github", "pull_request", changed(PULL_REQUEST, changes)).ignored == reason


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("pull_request.head", ..., "pull_request.head: is missing or null"),
        ("pull_request.head.sha", "", "pull_request.head.sha: is missing or null"),
        ("pull_request.head.sha", 7, "pull_request.head.sha: is int, not str"),
        ("pull_request.head.sha", "--upload-pack=x", "pull_request.head.sha: is no SHA of a commit"),
        ("pull_request.head.ref", "-rf", "pull_request.head.ref: is no name of a branch or tag"),
        ("pull_request.head.repo.name", "../x", "pull_request.head.repo.name: is no name of a repository"),
        ("pull_request.head.repo.name", "..", "pull_request.head.repo.name: is no name of a repository"),
        ("pull_request.user", "author", "pull_request.user: is str, not an object"),
        ("pull_request", [1], "pull_request: is list, not an object"),
        ("number", True, "number: is bool, not int"),
        ("number", "12", "number: is str, not int"),
        ("number", 0, "number: is no number of anything: it must be positive and fit into 64 bits"),
        ("number", 10**400, "number: is no number of anything: it must be positive and fit into 64 bits"),
        ("number", float("nan"), "number: is float, not int"),
        (
            "repository.html_url",
            "javascript:alert(1)",
            "repository.html_url: is no address of a project's page",
        ),
        (
            "repository.html_url",
            "https://u:p@h/a/b",
            "repository.html_url: is no address of a project's page",
        ),
        ("repository.private", "no", "repository.private: is str, not bool"),
    ],
)
def test_pull_request_malformed(refusal_of, changed, path, value, why):
    answer = refusal_of("github", "pull_request", changed(PULL_REQUEST, {path: value}))
    assert answer.malformed == why


@pytest.mark.parametrize("action", ["created", "edited"])
def test_comment_on_a_pull_request(event_of, changed, action):
    changes = {
        "issue.pull_request": {"url": "https://api"},
        "action": action,
        "sender": {"login": "commenter"},
    }
    body = changed(COMMENT, changes)
    assert event_of("github", "issue_comment", body) == PullRequestCommentGHEvent(
        action=action,
        pr_id=3,
        comment="/packit build",
        comment_before=None if action == "created" else "/packit build",
        comment_id=900,
        user_login="commenter",
        user_is_bot=False,
        target_repo_namespace="teapots",
        target_repo_name="kettle",
        project_url="https://github.com/teapots/kettle",
        project_is_private=False,
        installation_id=77,
    )


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, {"user_login": "commenter", "user_is_bot": False, "comment": "/packit build"}),
        (
            {"comment.user": {"login": "packit[bot]", "type": "Bot"}},
            {"user_login": "packit[bot]", "user_is_bot": True},
        ),
        ({"comment.user": None}, {"user_login": "ghost", "user_is_bot": None}),
        ({"comment.body": ""}, {"comment": ""}),
        ({"comment.body": None}, {"comment": ""}),
        ({"comment.body": "naïve\r\n\U0001f4a3"}, {"comment": "naïve\r\n\U0001f4a3"}),
        ({"issue.pull_request": None}, {"issue_id": 3}),
        ({"action": "edited", "sender": {"login": "commenter"}}, {"action": "edited"}),
    ],
)
def test_comment_on_an_issue(event_of, changed, changes, facts):
    event = event_of("github", "issue_comment", changed(COMMENT, changes))
    assert type(event) is IssueCommentEvent
    assert {name: event.facts()[name] for name in facts} == facts
    assert event.subject == "https://github.com/teapots/kettle/issues/3"


def test_comment_edited_by_somebody_else(refusal_of, changed):
    answer = refusal_of("github", "issue_comment", changed(COMMENT, {"action": "edited"}))
    assert answer.ignored == "the comment was edited by somebody else than its author"


def test_comment_deleted(refusal_of, changed):
    answer = refusal_of("github", "issue_comment", changed(COMMENT, {"action": "deleted"}))
    assert answer.ignored == "a comment being deleted asks for nothing"


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "x" * 200_000])
def test_comment_that_no_task_can_carry(refusal_of, changed, text):
    answer = refusal_of("github", "issue_comment", changed(COMMENT, {"comment.body": text}))
    assert answer.malformed.startswith("comment: ")


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, {"branch": "stable/#3.1", "commit_sha": HEAD, "commit_sha_before": OLD, "user_login": "sender"}),
        ({"before": ZEROS}, {"commit_sha": HEAD, "commit_sha_before": None}),
        ({"head_commit": None, "commits": ["text", 1]}, {"commit_sha": HEAD}),
        (
            {"repository.owner": {"name": "teapots"}, "sender": ...},
            {"repo_namespace": "teapots", "user_login": "pusher"},
        ),
    ],
)
def test_push(event_of, changed, changes, facts):
    event = event_of("github", "push", changed(PUSH, changes))
    assert type(event) is PushGithubGHEvent
    assert {name: event.facts()[name] for name in facts} == facts
    assert event.subject == "https://github.com/teapots/kettle/tree/stable/%233.1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"deleted": True, "after": ZEROS, "head_commit": None},
            "a branch has been deleted: there is nothing to build",
        ),
        ({"deleted": ..., "after": ZEROS}, "a branch has been deleted: there is nothing to build"),
        ({"ref": "refs/tags/v1"}, "a tag has been pushed; what matters is the release"),
        ({"ref": "refs/tags/v1", "deleted": True}, "a tag has been pushed; what matters is the release"),
        ({"ref": "refs/notes/commits"}, "what has been pushed is no branch"),
        ({"ref": "HEAD"}, "what has been pushed is no branch"),
    ],
)
def test_push_ignored(refusal_of, changed, changes, reason):
    assert refusal_of("github", "push", changed(PUSH, changes)).ignored == reason


@pytest.mark.parametrize(
    "ref", ["refs/heads/", "refs/heads//x", "refs/heads/a..b", "refs/heads/-x", "refs/heads/a b"]
)
def test_push_to_no_branch(refusal_of, changed, ref):
    assert refusal_of("github", "push", changed(PUSH, {"ref": ref})).malformed.startswith("ref: is ")


def test_release(event_of):
    assert event_of("github", "release", RELEASE) == ReleaseEvent(
        repo_namespace="teapots",
        repo_name="kettle",
        tag_name="v1/2.0",
        user_login="sender",
        project_url="https://github.com/teapots/kettle",
        project_is_private=False,
        installation_id=77,
    )


@pytest.mark.parametrize("action", ["created", "released", "prereleased", "edited", "deleted", "unpublished"])
def test_release_ignored(refusal_of, changed, action):
    answer = refusal_of("github", "release", changed(RELEASE, {"action": action}))
    assert answer.ignored == f"a release being {action} is not its publication, which is told separately"


def test_installation(event_of):
    assert event_of("github", "installation", INSTALLATION) == InstallationEvent(
        action="created",
        installation_id=77,
        account_login="teapots",
        account_id=8,
        account_url="https://github.com/teapots",
        account_type="Organization",
        sender_login="admin",
        sender_id=6,
        created_at="2020-01-01T00:00:00Z",
        repositories="teapots/kettle,teapots/.github",
    )


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        (
            {"installation.created_at": "2021-04-28T22:32:21.000-04:00"},
            {"created_at": "2021-04-29T02:32:21Z"},
        ),
        ({"installation.created_at": ...}, {"created_at": None}),
        ({"installation.created_at": "once upon a time"}, {"created_at": None}),
        ({"installation.created_at": 10**30}, {"created_at": None}),
        ({"repositories": ...}, {"repositories": ""}),
        ({"sender": None}, {"sender_login": None, "sender_id": None}),
    ],
)
def test_installation_variants(event_of, changed, changes, facts):
    event = event_of("github", "installation", changed(INSTALLATION, changes))
    assert {name: event.facts()[name] for name in facts} == facts


def test_repositories_added(event_of, changed):
    body = changed(INSTALLATION, {"action": "added", "repositories": ..., "repositories_removed": []})
    body["repositories_added"] = [{"full_name": "teapots/cup"}]
    event = event_of("github", "installation_repositories", body)
    assert (event.action, event.repositories) == ("added", "teapots/cup")


def test_installation_with_thousands_of_repositories(event_of, changed):
    names = [f"teapots/repository-number-{number}" for number in range(9_000)]
    body = changed(INSTALLATION, {"repositories": [{"full_name": name} for name in names]})
    kept = event_of("github", "installation", body).repositories.split(",")
    assert kept == names[: len(kept)]
    assert len(",".join([*kept, names[len(kept)]])) > github.MAX_REPOSITORIES


@pytest.mark.parametrize(
    ("event_type", "action"),
    [
        ("installation", "deleted"),
        ("installation", "suspend"),
        ("installation", "unsuspend"),
        ("installation", "new_permissions_accepted"),
        ("installation_repositories", "removed"),
        ("integration_installation", "created"),
        ("integration_installation_repositories", "added"),
        ("ping", None),
        ("installation_target", "renamed"),
        ("github_app_authorization", "revoked"),
    ],
)
def test_installation_ignored(refusal_of, changed, event_type, action):
    assert refusal_of("github", event_type, changed(INSTALLATION, {"action": action})).ignored


def test_installation_of_nobody(refusal_of, changed):
    answer = refusal_of("github", "installation", changed(INSTALLATION, {"installation.account": None}))
    assert answer.malformed == "installation.account.login: is missing or null"


@pytest.mark.parametrize(
    "event_type",
    [
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "pull_request_target",
        "commit_comment",
        "create",
        "delete",
        "check_run ",
        "workflow_run",
        "PULL_REQUEST",
        "pull_request ",
        "",
        None,
    ],
)
def test_lookalikes(refusal_of, event_type):
    body = {**PULL_REQUEST, **COMMENT, **PUSH, **RELEASE, **INSTALLATION}
    assert "asks nothing of us" in refusal_of("github", event_type, body).ignored


def test_edited_comment(event_of, changed):
    changes = {"action": "edited", "changes": {"body": {"from": ""}}, "sender": {"login": "commenter"}}
    body = changed(COMMENT, changes)
    assert event_of("github", "issue_comment", body).comment_before == ""


def test_labels(event_of, changed):
    labels = [{"name": "ready"}, {"name": "needs, review"}]
    body = changed(PULL_REQUEST, {"pull_request.labels": labels})
    assert event_of("github", "pull_request", body).labels == "ready\nneeds, review"
    body = changed(PULL_REQUEST, {"pull_request.labels": []})
    assert event_of("github", "pull_request", body).labels == ""


def test_check_run(event_of):
    event = event_of("github", "check_run", CHECK_RUN)
    assert event == CheckRunRerunEvent(
        check_external_id="0a1b2c",
        check_run_id=4001,
        check_name="rpm-build:fedora-43-x86_64:a:b",
        commit_sha=HEAD,
        repo_namespace="teapots",
        repo_name="kettle",
        user_login="sender",
        app_id=55,
        app_slug="kettle-app",
        project_url="https://github.com/teapots/kettle",
        project_is_private=False,
        installation_id=77,
    )
    assert event.subject == f"https://github.com/teapots/kettle/commit/{HEAD}"


def test_check_suite(event_of):
    assert event_of("github", "check_suite", CHECK_SUITE) == CheckSuiteRerunEvent(
        check_suite_id=900,
        commit_sha=HEAD,
        repo_namespace="teapots",
        repo_name="kettle",
        user_login="sender",
        app_id=55,
        app_slug="kettle-app",
        project_url="https://github.com/teapots/kettle",
        project_is_private=False,
        installation_id=77,
    )


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"check_run.app": None}, {"app_id": None, "app_slug": None}),
        ({"check_run.app": ...}, {"app_id": None, "app_slug": None}),
        ({"check_run.app": {"id": 2}}, {"app_id": 2, "app_slug": None}),
        ({"check_run.external_id": ""}, {"check_external_id": None}),
        ({"check_run.external_id": None}, {"check_external_id": None}),
        ({"check_run.external_id": "whatever others write"}, {"check_external_id": "whatever others write"}),
        ({"check_run.pull_requests": None}, {"commit_sha": HEAD}),
        ({"check_run.pull_requests": ..., "check_run.check_suite": None}, {"commit_sha": HEAD}),
        ({"sender": None}, {"user_login": "ghost"}),
        ({"sender.type": "User"}, {"user_login": "sender"}),
        ({"installation": ...}, {"installation_id": None}),
    ],
)
def test_check_run_variants(event_of, changed, changes, facts):
    event = event_of("github", "check_run", changed(CHECK_RUN, changes))
    assert {name: event.facts()[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("event_type", "sample", "changes", "reason"),
    [
        ("check_run", CHECK_RUN, {"action": "created"}, "a check being created asks for nothing"),
        ("check_run", CHECK_RUN, {"action": "completed"}, "a check being completed asks for nothing"),
        ("check_run", {"action": "completed"}, {}, "a check being completed asks for nothing"),
        (
            "check_run",
            CHECK_RUN,
            {"action": "requested_action"},
            "no check of this service has buttons of its own",
        ),
        (
            "check_run",
            CHECK_RUN,
            {"sender.type": "Bot"},
            "a program wants checks run again; that takes a person",
        ),
        (
            "check_suite",
            CHECK_SUITE,
            {"sender.type": "Bot"},
            "a program wants checks run again; that takes a person",
        ),
        (
            "check_suite",
            CHECK_SUITE,
            {"action": "requested"},
            "a check suite being requested asks for nothing: commits are told of as pull requests and pushes",
        ),
    ],
)
def test_checks_ignored(refusal_of, changed, event_type, sample, changes, reason):
    assert refusal_of("github", event_type, changed(sample, changes)).ignored == reason


@pytest.mark.parametrize(
    ("event_type", "sample", "changes", "why"),
    [
        ("check_run", CHECK_RUN, {"check_run": None}, "check_run.id: is missing or null"),
        ("check_run", CHECK_RUN, {"check_run.head_sha": "HEAD"}, "check_run.head_sha: is no SHA of a commit"),
        ("check_run", CHECK_RUN, {"check_run.app": "x"}, "check_run.app: is str, not an object"),
        ("check_run", CHECK_RUN, {"check_run.external_id": 7}, "check_run.external_id: is int, not str"),
        ("check_suite", CHECK_SUITE, {"check_suite": ...}, "check_suite.id: is missing or null"),
        ("check_suite", CHECK_SUITE, {"repository": None}, "repository.owner.name: is missing or null"),
        ("check_suite", {"action": "rerequested"}, {}, "check_suite.id: is missing or null"),
    ],
)
def test_checks_malformed(refusal_of, changed, event_type, sample, changes, why):
    assert refusal_of("github", event_type, changed(sample, changes)).malformed == why
