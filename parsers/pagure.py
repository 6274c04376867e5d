"""Pagure, on three ways: its signed HTTP hooks, Fedora Messaging, and the MQTT broker of git.centos.org.

https://docs.pagure.org/pagure/usage/using_webhooks.html; the bodies are the same on all three, except that hooks add
``pagure_instance`` and ``project_fullname``. Topics: ``pull-request.new`` in hooks, ``pagure.pull-request.new`` on
Fedora Messaging, ``git.centos.org/pull-request.new`` on MQTT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from events.base import Event, Primitive
from events.dist_git import DistGitCommitEvent
from events.pagure import PullRequestCommentPagureEvent, PullRequestPagureEvent, PushPagureEvent
from parsers.dist_git import push_event
from parsers.forms import branch, is_zeros, login, moment, name, namespace, number, page, ref, sha, site
from parsers.payload import Ignored, Payload
from parsers.registry import Parser, parses
from parsers.sending import send

#: The Pagure that speaks under a prefix of Fedora Messaging's topics. MQTT names the host itself.
INSTANCES: dict[str, str | None] = {
    "org.fedoraproject.prod": "https://src.fedoraproject.org",
    "org.fedoraproject.stg": "https://src.stg.fedoraproject.org",
    "io.pagure.prod": "https://pagure.io",
    "io.pagure.stg": "https://stg.pagure.io",
    "io.pagure.dev": "https://stg.pagure.io",
    # somebody's own machine
    "org.fedoraproject.dev": None,
}


def _topic(topic: str, *sends: type[Event]) -> Callable[[Parser], Parser]:
    """Register a parser for a topic on all three ways."""

    def register(parser: Parser) -> Parser:
        parses("pagure", topic, sends=sends)(parser)
        parses("centosmsg", topic, sends=sends)(parser)
        parses("fedora-messaging", f"pagure.{topic}", sends=sends)(parser)
        return parser

    return register


@_topic("pull-request.new", PullRequestPagureEvent)
def pull_request_new(payload: Payload) -> None:
    """A pull request was opened."""
    _pull_request(payload, "opened")


@_topic("pull-request.reopened", PullRequestPagureEvent)
def pull_request_reopened(payload: Payload) -> None:
    """A closed pull request was opened again."""
    _pull_request(payload, "reopened")


@_topic("pull-request.updated", PullRequestPagureEvent)
@_topic("pull-request.rebased", PullRequestPagureEvent)
def pull_request_updated(payload: Payload) -> None:
    """New commits: pushed on top, or rebased."""
    _pull_request(payload, "synchronize")


@_topic("pull-request.comment.added", PullRequestCommentPagureEvent)
def comment_added(payload: Payload) -> None:
    """The new comment is the last of the pull request's; the agent need not be who wrote it."""
    pull_request = payload.part("pullrequest")
    if not pull_request.optional("comments", list):
        raise Ignored("the message does not hold the comment")
    comment = pull_request.part("comments.-1")
    if comment.optional("notification", bool):
        raise Ignored("Pagure itself notes what happened to the pull request")
    _comment(payload, comment, "created", author="user.name", written="date_created")


@_topic("pull-request.comment.edited", PullRequestCommentPagureEvent)
def comment_edited(payload: Payload) -> None:
    """The edited comment stands beside the pull request; what it says now is the editor's word."""
    if not payload.has("comment"):
        raise Ignored("the message does not hold the comment")
    comment = payload.part("comment")
    author = "editor.name" if comment.has("editor.name") else "user.name"
    _comment(payload, comment, "edited", author=author, written="edited_on")


@_topic("git.receive", DistGitCommitEvent, PushPagureEvent)
def git_receive(payload: Payload) -> None:
    """New commits on a branch; in 2015 a message per commit, with everything under ``commit``.

    Forks push on the same topic under the name of the project they were forked from.
    """
    if payload.has("commit"):
        push, head, author = payload.part("commit"), "rev", "username"
    else:
        push, head, author = payload, "end_commit", "agent"
    repo = _repo(payload, push.part("repo"))
    if repo.is_fork:
        raise Ignored("a push to a fork changes nothing in the project, until there is a pull request")
    git_ref = push.dig("branch")
    if git_ref.startswith("refs/") and not git_ref.startswith("refs/heads/"):
        raise Ignored("what has been pushed is no branch")
    if is_zeros(push.dig(head)):
        raise Ignored("a branch has been deleted: there is nothing to build")
    before = push.read_optional("old_commit", sha)
    send(
        push_event(repo.namespace, repo.url),
        repo_namespace=repo.namespace,
        repo_name=repo.name,
        branch=push.read("branch", branch),
        commit_sha=push.read(head, sha),
        commit_sha_before=None if before is None or is_zeros(before) else before,
        user_login=push.read_optional(author, login),
        project_url=repo.url,
    )


def _pull_request(payload: Payload, action: str) -> None:
    """The agent is who did it, or ``pagure`` itself: the author stands in the pull request."""
    pull_request = payload.part("pullrequest")
    if not pull_request.has("commit_stop"):
        raise Ignored("Pagure does not tell yet which commit this pull request brings")
    send(
        PullRequestPagureEvent,
        action=action,
        commit_sha=pull_request.read("commit_stop", sha),
        user_login=pull_request.read("user.name", login),
        base_ref=pull_request.read_optional("branch_from", ref),
        target_branch=pull_request.read_optional("branch", ref),
        updated_at=pull_request.read_optional("last_updated", moment),
        **_between(payload, pull_request),
    )


def _comment(payload: Payload, comment: Payload, action: str, *, author: str, written: str) -> None:
    pull_request = payload.part("pullrequest")
    send(
        PullRequestCommentPagureEvent,
        action=action,
        comment=comment.dig("comment"),
        comment_id=comment.read_optional("id", number),
        commit_sha=pull_request.read_optional("commit_stop", sha),
        user_login=comment.read_optional(author, login) or payload.read("agent", login),
        updated_at=comment.read_optional(written, moment),
        **_between(payload, pull_request),
    )


def _between(payload: Payload, pull_request: Payload) -> dict[str, Primitive]:
    """Between which repositories the pull request is: ``repo_from`` is null when the fork is gone."""
    target = _repo(payload, pull_request.part("project"))
    fork = pull_request.part("repo_from") if pull_request.has("repo_from") else None
    source = _place(fork) if fork else None
    return {
        "pr_id": pull_request.read("id", number),
        "project_url": target.url,
        "target_repo_namespace": target.namespace,
        "target_repo_name": target.name,
        "base_repo_namespace": source.namespace if source else None,
        "base_repo_name": source.name if source else None,
        "base_repo_owner": fork.read_optional("user.name", login) if fork else None,
    }


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a project is on its Pagure: ``path`` comes after the host, ``fork/<owner>/`` in front for a fork."""

    namespace: str | None
    name: str
    path: str
    is_fork: bool


@dataclass(frozen=True, kw_only=True)
class _Repo(_Place):
    """A project with the address of its page."""

    url: str


def _place(project: Payload) -> _Place:
    """Older messages leave out the namespace and the path, minimal ones everything but the path."""
    path = project.read_optional("url_path", namespace) or _path(project)
    is_fork = path.startswith("fork/") or project.has("parent")
    return _Place(
        namespace=_namespace(project, _owned(path)),
        name=project.read_optional("name", name) or path.rpartition("/")[2],
        path=path,
        is_fork=is_fork,
    )


def _path(project: Payload) -> str:
    fullname = project.read_optional("fullname", namespace)
    if fullname:
        return _path_of(fullname)
    parts = [project.read_optional("namespace", namespace), project.read("name", name)]
    if project.has("parent"):
        parts = ["fork", project.read("user.name", name), *parts]
    return "/".join(part for part in parts if part)


def _path_of(fullname: str) -> str:
    """Forks are called ``forks/<owner>/...`` and shown at ``fork/<owner>/...``."""
    return f"fork/{fullname.removeprefix('forks/')}" if fullname.startswith("forks/") else fullname


def _owned(path: str) -> list[str]:
    """Namespace and name in a path, without the owner of a fork."""
    return path.split("/")[2:] if path.startswith("fork/") else path.split("/")


def _namespace(project: Payload, owned: list[str]) -> str | None:
    """The namespace that is told, else what stands in front of the name in the path."""
    told = project.read_optional("namespace", namespace)
    return told or "/".join(owned[:-1]) or None


def _repo(payload: Payload, project: Payload) -> _Repo:
    place = _place(project)
    home = _home(payload)
    url = project.read_optional("full_url", page) or (home and f"{home}/{place.path}")
    if not url:
        raise project.malformed("full_url", "is missing, and nothing else tells which Pagure this is")
    _check_signer(payload, project, place, url)
    return _Repo(
        namespace=place.namespace,
        name=place.name,
        path=place.path,
        is_fork=place.is_fork or "/fork/" in url,
        url=url,
    )


def _home(payload: Payload) -> str | None:
    """The address of the Pagure that speaks: in hooks in the signed body, on buses in the topic."""
    told = payload.read_optional("pagure_instance", site)
    if told or payload.origin is None:
        return told
    return INSTANCES.get(payload.origin, f"https://{payload.origin}")


def _check_signer(payload: Payload, project: Payload, place: _Place, url: str) -> None:
    """A hook is signed by one project, which it names; it cannot speak for another one."""
    fullname = payload.read_optional("project_fullname", namespace)
    home = payload.read_optional("pagure_instance", site)
    if fullname is None or home is None:
        return
    path = _path_of(fullname)
    told = "/".join(filter(None, (place.namespace, place.name)))
    if url != f"{home}/{path}" or told != "/".join(_owned(path)):
        raise project.malformed("full_url", "is not the project in whose name the hook was sent")
