"""GitLab's project hooks: https://docs.gitlab.com/user/project/integrations/webhook_events/

The event type is the value of ``X-Gitlab-Event``. Group hooks are the same messages; system hooks are none of ours.
"""

from __future__ import annotations

import re

from events.base import Primitive
from events.gitlab import (
    IssueCommentGitlabEvent,
    MergeRequestCommentGitlabEvent,
    MergeRequestGitlabEvent,
    PushGitlabEvent,
    ReleaseGitlabEvent,
)
from parsers.forms import branch, is_zeros, login, name, namespace, number, page, ref, sha
from parsers.payload import Ignored, Payload
from parsers.registry import parses
from parsers.sending import send

SOURCE = "gitlab"

#: Characters of the names of labels.
MAX_LABELS = 6000

#: What a merge request's hook calls them, and what they are called here. Others (approved, merge...) bring no commits.
ACTIONS = {"open": "opened", "reopen": "reopened", "update": "update"}

#: Accounts of access tokens of projects and groups, and those that GitLab itself speaks as:
#: https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects
_BOT = re.compile(r"(?:project|group)_\d+_bot(?:_?[0-9a-z]+)?|service_account_\w+|support-bot|alert-bot")

#: GitLab's number for a project that everybody can read; 10 is "internal", which the world cannot.
PUBLIC = 20


@parses(SOURCE, "Merge Request Hook", sends=[MergeRequestGitlabEvent])
def merge_request(payload: Payload) -> None:
    """New commits to look at. Who acts (``user``) brought them: the author is told by a number only."""
    told = payload.part("object_attributes")
    action = told.optional("action") or "open"  # before GitLab 8 there was none
    if action not in ACTIONS:
        raise Ignored(f"a merge request being changed by {action} brings no new commits")
    if action == "update" and not told.has("oldrev"):
        raise Ignored("an update of a merge request that leaves its commits as they are asks for nothing")
    state = told.optional("state")
    if state not in (None, "opened", "reopened"):
        raise Ignored(f"nothing is built for a merge request that is {state}")
    if not told.has("source"):
        raise Ignored("the fork of this merge request has been deleted")
    if not told.has("last_commit"):
        raise Ignored("GitLab does not tell yet which commit this merge request brings")
    source_namespace, source_name = _names(told, "source")
    send(
        MergeRequestGitlabEvent,
        action=ACTIONS[action],
        commit_sha=told.read("last_commit.id", sha),
        user_login=payload.read("user.username", login),
        base_repo_namespace=source_namespace,
        base_repo_name=source_name,
        base_ref=told.read_optional("source_branch", ref),
        labels=_labels(payload if payload.has("labels") else told, "labels"),
        **_into(payload, told),
    )


@parses(SOURCE, "Note Hook", sends=[MergeRequestCommentGitlabEvent, IssueCommentGitlabEvent])
def note(payload: Payload) -> None:
    """A comment on a merge request or an issue; also on a commit or a snippet, which ask for nothing."""
    told = payload.part("object_attributes")
    if told.optional("system", bool):
        raise Ignored("GitLab itself notes what happened")
    if payload.optional("event_type") == "confidential_note" or told.optional("internal", bool):
        raise Ignored(_CONFIDENTIAL)
    kind = told.optional("noteable_type")
    if kind == "MergeRequest":
        _merge_request_note(payload, payload.part("merge_request"))
    elif kind == "Issue":
        _issue_note(payload, payload.part("issue"))
    else:
        raise Ignored(f"a comment on a {kind or 'thing without a name'} asks for nothing")


@parses(SOURCE, "Confidential Note Hook")
def confidential_note(_: Payload) -> None:
    """A comment that the world must not see."""
    raise Ignored(_CONFIDENTIAL)


@parses(SOURCE, "Push Hook", sends=[PushGitlabEvent])
def push(payload: Payload) -> None:
    """New commits on a branch: ``after`` is its head, whatever is first or last in the list of commits."""
    git_ref = payload.dig("ref")
    if not git_ref.startswith("refs/heads/"):
        raise Ignored("what has been pushed is no branch")
    if is_zeros(payload.dig("after")):
        raise Ignored("a branch has been deleted: there is nothing to build")
    before = payload.read_optional("before", sha)
    repo_namespace, repo_name = _names(payload, "project")
    send(
        PushGitlabEvent,
        repo_namespace=repo_namespace,
        repo_name=repo_name,
        branch=payload.read("ref", branch),
        commit_sha=payload.read("after", sha),
        commit_sha_before=None if before is None or is_zeros(before) else before,
        user_login=payload.read_optional("user_username", login),
        default_branch=payload.read_optional("project.default_branch", ref),
        **_project(payload),
    )


@parses(SOURCE, "Tag Push Hook")
def tag_push(_: Payload) -> None:
    """A tag was pushed, or deleted."""
    raise Ignored("a tag has been pushed; what matters is the release")


@parses(SOURCE, "Release Hook", sends=[ReleaseGitlabEvent])
def release(payload: Payload) -> None:
    """A release was made. One for a date to come is told when it is made, and not again on its day."""
    action = payload.dig("action")
    if action != "create":
        raise Ignored(f"a release being changed by {action} is not its publication, which is told separately")
    repo_namespace, repo_name = _names(payload, "project")
    send(
        ReleaseGitlabEvent,
        repo_namespace=repo_namespace,
        repo_name=repo_name,
        tag_name=payload.read("tag", ref),
        **_project(payload),
    )


@parses(SOURCE, "System Hook")
def system_hook(_: Payload) -> None:
    """What an administrator's hook for a whole GitLab tells."""
    raise Ignored("system hooks are not served: add the hook to the project, or to its group")


_CONFIDENTIAL = "the comment is confidential, and everybody can read what this service does about it"


def _merge_request_note(payload: Payload, merge_request: Payload) -> None:
    """Of one that is not open, no commit is told: whoever asks the forge for it then says so to the commenter."""
    is_open = merge_request.optional("state") in (None, "opened", "reopened")
    source_namespace, source_name = (
        _names(merge_request, "source") if merge_request.has("source") else (None, None)
    )
    send(
        MergeRequestCommentGitlabEvent,
        commit_sha=merge_request.read_optional("last_commit.id", sha) if is_open else None,
        base_repo_namespace=source_namespace,
        base_repo_name=source_name,
        labels=_labels(merge_request, "labels"),
        **_comment(payload),
        **_into(payload, merge_request),
    )


def _issue_note(payload: Payload, issue: Payload) -> None:
    if issue.optional("confidential", bool):
        raise Ignored(_CONFIDENTIAL)
    repo_namespace, repo_name = _names(payload, "project")
    send(
        IssueCommentGitlabEvent,
        issue_id=issue.read("iid", number),
        repo_namespace=repo_namespace,
        repo_name=repo_name,
        **_comment(payload),
        **_project(payload),
    )


def _comment(payload: Payload) -> dict[str, Primitive]:
    """What was said, and by whom."""
    told = payload.part("object_attributes")
    action = told.optional("action") or "create"  # before GitLab 16 there was none, and edits were not told
    if action == "update":
        raise Ignored("a comment was edited, and GitLab does not tell what it said before: write a new one")
    if action != "create":
        raise Ignored(f"a comment being changed by {action} asks for nothing")
    user = payload.read("user.username", login)
    return {
        "action": "created",
        "comment": told.optional("note") or "",
        "comment_id": told.read("id", number),
        "user_login": user,
        "user_is_bot": True if _BOT.fullmatch(user) else None,
    }


def _into(payload: Payload, merge_request: Payload) -> dict[str, Primitive]:
    """Where a merge request goes. ``iid`` is its number; ``id`` counts those of the whole GitLab."""
    target_namespace, target_name = _names(payload, "project")
    return {
        "pr_id": merge_request.read("iid", number),
        "target_repo_namespace": target_namespace,
        "target_repo_name": target_name,
        "target_branch": merge_request.read_optional("target_branch", ref),
        **_project(payload),
    }


def _project(payload: Payload) -> dict[str, Primitive]:
    visibility = payload.optional("project.visibility_level", int)
    return {
        "project_url": payload.read("project.web_url", page),
        "project_is_private": None if visibility is None else visibility < PUBLIC,
    }


def _names(payload: Payload, project: str) -> tuple[str, str]:
    """Namespace and name: ``namespace`` beside them is the words people read. Groups can be nested."""
    where = f"{project}.path_with_namespace"
    path, web_url = payload.read(where, namespace), payload.read(f"{project}.web_url", page)
    above, _, last = path.rpartition("/")
    if not above:
        raise payload.malformed(where, "names no namespace")
    if not web_url.endswith(f"/{path}"):
        raise payload.malformed(where, "is not where the project's page is")
    return above, name(last)


def _labels(payload: Payload, path: str) -> str | None:
    """The names of labels, one a line."""
    if not payload.has(path):
        return None
    names = [item.optional("title") or "" for item in payload.parts(path)]
    return "\n".join(each for each in names if each)[:MAX_LABELS]
