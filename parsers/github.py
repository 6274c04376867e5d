"""GitHub webhooks: https://docs.github.com/en/webhooks/webhook-events-and-payloads."""

from __future__ import annotations

from events.base import Primitive
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
from parsers.forms import branch, is_zeros, link, login, moment, name, namespace, number, page, ref, sha
from parsers.payload import Ignored, Payload
from parsers.registry import parses
from parsers.sending import send

SOURCE = "github"

#: Whom GitHub shows as the author of what a deleted account has left behind.
GHOST = "ghost"

#: Characters of the names of repositories that an installation may bring: an organisation can have thousands.
MAX_REPOSITORIES = 60_000

#: Characters of the names of labels: a hundred labels of fifty characters, which is what GitHub allows.
MAX_LABELS = 6000


@parses(SOURCE, "pull_request", sends=[PullRequestGHEvent])
def pull_request(payload: Payload) -> None:
    """New commits to look at. Who acts (``sender``) need not be the author; drafts are opened like the others."""
    action = payload.dig("action")
    if action not in ("opened", "reopened", "synchronize"):
        raise Ignored(f"a pull request being {action} brings no new commits")
    payload.dig("pull_request.head", dict)
    if not payload.has("pull_request.head.repo"):
        raise Ignored("the fork of this pull request has been deleted")
    send(
        PullRequestGHEvent,
        action=action,
        pr_id=payload.read("number", number),
        commit_sha=payload.read("pull_request.head.sha", sha),
        user_login=_login(payload, "pull_request.user"),
        base_repo_namespace=payload.read("pull_request.head.repo.owner.login", namespace),
        base_repo_name=payload.read("pull_request.head.repo.name", name),
        base_ref=payload.read("pull_request.head.ref", ref),
        target_repo_namespace=payload.read("pull_request.base.repo.owner.login", namespace),
        target_repo_name=payload.read("pull_request.base.repo.name", name),
        target_branch=payload.read_optional("pull_request.base.ref", ref),
        labels=_labels(payload, "pull_request.labels"),
        **_project(payload),
    )


@parses(SOURCE, "issue_comment", sends=[PullRequestCommentGHEvent, IssueCommentEvent])
def issue_comment(payload: Payload) -> None:
    """A comment on an issue, or on a pull request: GitHub counts both with the same numbers.

    ``issue.user`` is who opened it, and not the owner of the fork; a comment tells no commit.
    """
    action = payload.dig("action")
    if action not in ("created", "edited"):
        raise Ignored(f"a comment being {action} asks for nothing")
    if action == "edited" and _login(payload, "sender") != _login(payload, "comment.user"):
        # Whoever may write to a project may edit what others have said, who would then have asked for it.
        raise Ignored("the comment was edited by somebody else than its author")
    if payload.has("issue.pull_request"):
        send(
            PullRequestCommentGHEvent,
            action=action,
            pr_id=payload.read("issue.number", number),
            target_repo_namespace=payload.read("repository.owner.login", namespace),
            target_repo_name=payload.read("repository.name", name),
            labels=_labels(payload, "issue.labels"),
            **_comment(payload),
            **_project(payload),
        )
    else:
        send(
            IssueCommentEvent,
            action=action,
            issue_id=payload.read("issue.number", number),
            repo_namespace=payload.read("repository.owner.login", namespace),
            repo_name=payload.read("repository.name", name),
            **_comment(payload),
            **_project(payload),
        )


@parses(SOURCE, "push", sends=[PushGithubGHEvent])
def push(payload: Payload) -> None:
    """New commits on a branch; ``after`` is its head, whatever stands in the list of commits (it may be empty)."""
    git_ref = payload.dig("ref")
    if git_ref.startswith("refs/tags/"):
        raise Ignored("a tag has been pushed; what matters is the release")
    if not git_ref.startswith("refs/heads/"):
        raise Ignored("what has been pushed is no branch")
    if payload.optional("deleted", bool) or is_zeros(payload.dig("after")):
        raise Ignored("a branch has been deleted: there is nothing to build")
    before = payload.read_optional("before", sha)
    send(
        PushGithubGHEvent,
        repo_namespace=_owner(payload),
        repo_name=payload.read("repository.name", name),
        branch=payload.read("ref", branch),
        commit_sha=payload.read("after", sha),
        commit_sha_before=None if before is None or is_zeros(before) else before,
        user_login=payload.read_optional("sender.login", login) or payload.optional("pusher.name"),
        default_branch=payload.read_optional("repository.default_branch", ref),
        **_project(payload),
    )


@parses(SOURCE, "release", sends=[ReleaseEvent])
def release(payload: Payload) -> None:
    """One release is told several times: as created, published, released... Only ``published`` counts."""
    action = payload.dig("action")
    if action != "published":
        raise Ignored(f"a release being {action} is not its publication, which is told separately")
    send(
        ReleaseEvent,
        repo_namespace=_owner(payload),
        repo_name=payload.read("repository.name", name),
        tag_name=payload.read("release.tag_name", ref),
        user_login=payload.read_optional("sender.login", login)
        or payload.read_optional("release.author.login", login),
        **_project(payload),
    )


@parses(SOURCE, "check_run", sends=[CheckRunRerunEvent])
def check_run(payload: Payload) -> None:
    """Somebody pressed "Re-run" beside a check. ``pull_requests`` is empty for forks: the commit is what counts.

    GitHub tells every App of every check being created and completed, but only its owner of a check that is wanted
    again.
    """
    action = payload.dig("action")
    if action == "requested_action":
        raise Ignored("no check of this service has buttons of its own")
    if action != "rerequested":
        raise Ignored(f"a check being {action} asks for nothing")
    send(
        CheckRunRerunEvent,
        check_external_id=payload.optional("check_run.external_id") or None,
        check_run_id=payload.read("check_run.id", number),
        check_name=payload.dig("check_run.name"),
        **_rerun(payload, "check_run"),
    )


@parses(SOURCE, "check_suite", sends=[CheckSuiteRerunEvent])
def check_suite(payload: Payload) -> None:
    """Somebody pressed "Re-run all checks"."""
    action = payload.dig("action")
    if action != "rerequested":
        raise Ignored(
            f"a check suite being {action} asks for nothing: commits are told of as pull requests and pushes"
        )
    send(
        CheckSuiteRerunEvent,
        check_suite_id=payload.read("check_suite.id", number),
        **_rerun(payload, "check_suite"),
    )


@parses(SOURCE, "installation", sends=[InstallationEvent])
def installation(payload: Payload) -> None:
    """Somebody installed the App for an account."""
    action = payload.dig("action")
    if action != "created":
        raise Ignored(f"an installation being {action} lets nobody in")
    _installation(payload, action, "repositories")


@parses(SOURCE, "installation_repositories", sends=[InstallationEvent])
def installation_repositories(payload: Payload) -> None:
    """Somebody gave the App more repositories of an account."""
    action = payload.dig("action")
    if action != "added":
        raise Ignored(f"repositories being {action} lets nobody in")
    _installation(payload, action, "repositories_added")


@parses(SOURCE, "integration_installation", "integration_installation_repositories")
def integration_installation(_: Payload) -> None:
    """The name that Apps had before they were called so."""
    raise Ignored("GitHub tells this a second time, as installation or installation_repositories")


@parses(SOURCE, "ping")
def ping(_: Payload) -> None:
    """The first delivery of every new hook."""
    raise Ignored("a ping only tries whether somebody listens")


def _installation(payload: Payload, action: str, repositories: str) -> None:
    """The account is where the App is installed; the sender is who did it."""
    send(
        InstallationEvent,
        action=action,
        installation_id=payload.read("installation.id", number),
        account_login=payload.read("installation.account.login", login),
        account_id=payload.read_optional("installation.account.id", number),
        account_url=payload.read_optional("installation.account.html_url", link)
        or payload.read_optional("installation.account.url", link),
        account_type=payload.optional("installation.account.type"),
        sender_login=payload.read_optional("sender.login", login),
        sender_id=payload.read_optional("sender.id", number),
        created_at=payload.read_optional("installation.created_at", moment),
        repositories=_listed([item.dig("full_name") for item in payload.parts(repositories)]),
    )


def _project(payload: Payload) -> dict[str, Primitive]:
    return {
        "project_url": payload.read("repository.html_url", page),
        "project_is_private": payload.optional("repository.private", bool),
        "installation_id": payload.read_optional("installation.id", number),
    }


def _rerun(payload: Payload, what: str) -> dict[str, Primitive]:
    """What checks and suites that are wanted again have in common. A program pressing the button is not listened to.

    An App that asks for its own checks again, in answer to how they ended, would never come to an end.
    """
    head = payload.read(f"{what}.head_sha", sha)
    if payload.optional("sender.type") == "Bot":
        raise Ignored("a program wants checks run again; that takes a person")
    return {
        "commit_sha": head,
        "repo_namespace": _owner(payload),
        "repo_name": payload.read("repository.name", name),
        "user_login": _login(payload, "sender"),
        "app_id": payload.read_optional(f"{what}.app.id", number),
        "app_slug": payload.optional(f"{what}.app.slug"),
        **_project(payload),
    }


def _comment(payload: Payload) -> dict[str, Primitive]:
    kind = payload.optional("comment.user.type")
    text = payload.optional("comment.body") or ""
    before = payload.optional("changes.body.from")
    if before is None and payload.dig("action") == "edited":
        before = text  # an edit of something else
    return {
        "comment": text,
        "comment_before": before,
        "comment_id": payload.read("comment.id", number),
        "user_login": _login(payload, "comment.user"),
        "user_is_bot": None if kind is None else kind == "Bot",
    }


def _labels(payload: Payload, path: str) -> str | None:
    """The names of labels, one a line."""
    if not payload.has(path):
        return None
    names = [item.optional("name") or "" for item in payload.parts(path)]
    return "\n".join(name for name in names if name)[:MAX_LABELS]


def _login(payload: Payload, user: str) -> str:
    return payload.read_optional(f"{user}.login", login) or GHOST


def _owner(payload: Payload) -> str:
    """Pushes used to tell the ``name`` of the owner and no ``login``."""
    owner = payload.read_optional("repository.owner.login", namespace)
    return owner or payload.read("repository.owner.name", namespace)


def _listed(names: list[str]) -> str:
    """The names with commas between them: as many whole names as fit."""
    text = ",".join(names)
    return text if len(text) <= MAX_REPOSITORIES else text[: MAX_REPOSITORIES + 1].rpartition(",")[0]
