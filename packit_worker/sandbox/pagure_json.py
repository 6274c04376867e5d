"""How the stand-in for Pagure writes its things as JSON, in its API, its hooks and its messages.

Used inside the sandbox only.

Source: https://pagure.io/api/0/ and https://pagure.io/pagure-messages.
"""

from typing import Any

from packit_worker.sandbox.pagure_state import (
    LEVELS,
    Flag,
    PagureComment,
    PagureIssue,
    PagureProject,
    PagurePullRequest,
    PagureUser,
)

Json = dict[str, Any]


class PagureShapes:
    """Writes JSON; `web` is where the pages are."""

    def __init__(self, web: str) -> None:
        self._web = web

    def user(self, user: PagureUser | None) -> Json | None:
        """A user; None for nobody."""
        if user is None:
            return None
        path = f"user/{user.name}"
        return {
            "name": user.name,
            "fullname": user.fullname,
            "url_path": path,
            "full_url": f"{self._web}/{path}",
        }

    def project(self, project: PagureProject) -> Json:
        """A project; a fork with what it was forked from."""
        return {
            "id": project.id,
            "name": project.name,
            "namespace": project.namespace,
            "fullname": project.fullname,
            "url_path": project.url_path,
            "full_url": f"{self._web}/{project.url_path}",
            "description": project.description,
            "parent": self.project(project.parent) if project.parent else None,
            "user": self.user(project.user),
            "access_users": {level: list(project.access_users.get(level, [])) for level in LEVELS},
            "access_groups": {level: list(project.access_groups.get(level, [])) for level in LEVELS[1:]},
            "tags": [],
            "priorities": {},
            "custom_keys": [],
            "close_status": ["Invalid", "Insufficient data", "Fixed", "Duplicate"],
            "milestones": {},
            "date_created": project.date_created,
            "date_modified": project.date_created,
        }

    def comment(self, comment: PagureComment) -> Json:
        """A comment."""
        return {
            "id": comment.id,
            "comment": comment.comment,
            "user": self.user(comment.user),
            "notification": comment.notification,
            "date_created": comment.date_created,
            "edited_on": comment.edited_on,
            "editor": self.user(comment.editor),
            "parent": None,
            "commit": None,
            "tree": None,
            "filename": None,
            "line": None,
            "reactions": {},
        }

    def pull_request(self, project: PagureProject, pull: PagurePullRequest) -> Json:
        """A pull request to a project."""
        return {
            "id": pull.id,
            "uid": pull.uid,
            "full_url": f"{self._web}/{project.url_path}/pull-request/{pull.id}",
            "title": pull.title,
            "initial_comment": pull.initial_comment,
            "branch": pull.branch,
            "project": self.project(project),
            "branch_from": pull.branch_from,
            "repo_from": self.project(pull.repo_from) if pull.repo_from else None,
            "remote_git": None,
            "commit_start": pull.commit_start,
            "commit_stop": pull.commit_stop,
            "status": pull.status,
            "user": self.user(pull.user),
            "assignee": None,
            "closed_by": self.user(pull.closed_by),
            "tags": list(pull.tags),
            "comments": [self.comment(comment) for comment in pull.comments],
            "date_created": pull.date_created,
            "updated_on": pull.last_updated,
            "last_updated": pull.last_updated,
            "closed_at": pull.closed_at,
            "cached_merge_status": "unknown",
            "threshold_reached": None,
        }

    def issue(self, project: PagureProject, issue: PagureIssue) -> Json:
        """An issue of a project."""
        return {
            "id": issue.id,
            "full_url": f"{self._web}/{project.url_path}/issue/{issue.id}",
            "title": issue.title,
            "content": issue.content,
            "status": issue.status,
            "close_status": issue.close_status,
            "private": issue.private,
            "user": self.user(issue.user),
            "assignee": self.user(issue.assignee),
            "tags": list(issue.tags),
            "comments": [self.comment(comment) for comment in issue.comments],
            "blocks": [],
            "depends": [],
            "milestone": None,
            "priority": None,
            "custom_fields": [],
            "closed_by": None,
            "date_created": issue.date_created,
            "last_updated": issue.last_updated,
            "closed_at": issue.closed_at,
        }

    def flag(self, flag: Flag) -> Json:
        """A flag, of a commit or of a pull request. Pagure does not show its uid."""
        shape = {
            "username": flag.username,
            "comment": flag.comment,
            "url": flag.url,
            "status": flag.status,
            "percent": flag.percent,
            "user": self.user(flag.user),
            "date_created": flag.date_created,
            "date_updated": flag.date_updated,
        }
        place = "commit_hash" if flag.pull_request_uid is None else "pull_request_uid"
        return shape | {place: getattr(flag, place)}
