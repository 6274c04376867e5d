"""What the stand-in for GitLab tells in its hooks. Used inside the sandbox only.

https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers: the token stands in a header as it is, and
nothing is signed.
"""

import json
import uuid

from packit_worker.sandbox.github_webhooks import NO_COMMIT, Delivery
from packit_worker.sandbox.gitlab_json import GitLabShapes, Json
from packit_worker.sandbox.gitlab_state import GitLabError, GitLabProject, GitLabState, Note


def delivery(event: str, body: Json, instance: str, token: str) -> Delivery:
    """The message as GitLab posts it; a retry has the same Idempotency-Key."""
    key = str(uuid.uuid4())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/18.5.0",
        "Idempotency-Key": key,
        "X-Gitlab-Event": event,
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        "X-Gitlab-Instance": instance,
        "X-Gitlab-Token": token,
        "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
    }
    return Delivery(key, headers, json.dumps(body).encode())


class GitLabMessages:
    """Writes the bodies of hooks."""

    def __init__(self, state: GitLabState, shapes: GitLabShapes) -> None:
        self._state = state
        self._shapes = shapes

    def merge_request(self, project: GitLabProject, iid: int, action: str, by: str | None = None) -> Json:
        """``Merge Request Hook``; an ``update`` tells the commit before (`oldrev`) after a push only."""
        found = self._state.merge_request(project.path, iid)
        told = self._shapes.hook_merge_request(project, found)
        attributes: Json = {**told, "action": action}
        if action == "update" and found.before is not None:
            attributes["oldrev"] = found.before
        actor = self._state.user(by) if by else found.author
        return {
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "user": self._shapes.user(actor),
            "project": self._shapes.hook_project(project),
            "labels": told["labels"],
            "object_attributes": attributes,
            "changes": {},
        }

    def note(
        self,
        project: GitLabProject,
        note: Note,
        *,
        merge_request: int | None = None,
        issue: int | None = None,
        action: str = "create",
    ) -> Json:
        """``Note Hook``."""
        kind = "MergeRequest" if merge_request is not None else "Issue"
        body: Json = {
            "object_kind": "note",
            "event_type": "confidential_note" if note.internal else "note",
            "user": self._shapes.user(note.author),
            "project_id": project.id,
            "project": self._shapes.hook_project(project),
            "object_attributes": {
                "id": note.id,
                "note": note.body,
                "noteable_type": kind,
                "author_id": note.author.id,
                "system": note.system,
                "internal": note.internal,
                "action": action,
                "created_at": note.created_at,
                "updated_at": note.updated_at,
            },
        }
        if merge_request is not None:
            found = self._state.merge_request(project.path, merge_request)
            body["merge_request"] = self._shapes.hook_merge_request(project, found)
        elif issue is not None:
            told = self._state.issue(project.path, issue)
            body["issue"] = {
                "id": told.id,
                "iid": told.iid,
                "title": told.title,
                "state": told.state,
                "confidential": told.confidential,
                "labels": self._shapes.hook_labels(told.labels),
            }
        else:
            raise GitLabError(400, "A note needs a merge request or an issue")
        return body

    def push(
        self,
        project: GitLabProject,
        ref: str,
        *,
        before: str | None = None,
        after: str | None = None,
        by: str = "alice",
    ) -> Json:
        """``Push Hook`` or ``Tag Push Hook`` of a full ref; by default of where it is now."""
        now = project.repository.find(ref)
        after = after or now or NO_COMMIT
        gone = after == NO_COMMIT
        parents = () if gone else project.repository.commit_text(after).parents
        before = before or (parents[0] if parents else NO_COMMIT)
        user = self._state.user(by)
        return {
            "object_kind": "tag_push" if ref.startswith("refs/tags/") else "push",
            "before": before,
            "after": after,
            "ref": ref,
            "checkout_sha": None if gone else after,
            "user_id": user.id,
            "user_name": user.username.capitalize(),
            "user_username": user.username,
            "project_id": project.id,
            "project": self._shapes.hook_project(project),
            "commits": [] if gone else [{"id": after}],
            "total_commits_count": 0 if gone else 1,
        }

    def release(self, project: GitLabProject, tag: str, action: str = "create") -> Json:
        """``Release Hook``."""
        release = next((one for one in project.releases if one.tag == tag), None)
        if release is None:
            raise GitLabError(404, f"No release {tag}")
        return {
            "object_kind": "release",
            "action": action,
            "tag": tag,
            "name": release.name,
            "description": "",
            "url": f"{self._shapes.page(project)}/-/releases/{tag}",
            "project": self._shapes.hook_project(project),
            "commit": {"id": project.repository.find(f"refs/tags/{tag}")},
        }
