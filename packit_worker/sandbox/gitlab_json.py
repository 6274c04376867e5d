"""GitLab's JSON: of its API, and of its hooks. Used inside the sandbox only.

Sources: https://docs.gitlab.com/api/rest/ and https://docs.gitlab.com/user/project/integrations/webhook_events/. Of two
fields that say the same, the one that clients read is there.
"""

from typing import Any

from packit_worker.sandbox.gitlab_state import (
    VISIBILITY,
    GitLabIssue,
    GitLabProject,
    GitLabRelease,
    GitLabUser,
    MergeRequest,
    Note,
    Status,
)

Json = dict[str, Any]


class GitLabShapes:
    """Writes JSON with addresses below `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    # the API's

    def user(self, user: GitLabUser) -> Json:
        """A user, as authors and members are shown."""
        return {
            "id": user.id,
            "username": user.username,
            "name": user.username.capitalize(),
            "state": "active",
            "web_url": f"{self._url}/{user.username}",
        }

    def project(self, project: GitLabProject) -> Json:
        """A project."""
        shape: Json = {
            "id": project.id,
            "name": project.name,
            "path": project.name,
            "path_with_namespace": project.path,
            "default_branch": project.repository.default_branch,
            "visibility": project.visibility,
            "issues_enabled": project.issues_enabled,
            "web_url": self.page(project),
            "http_url_to_repo": f"{self.page(project)}.git",
            "namespace": {"full_path": project.namespace},
        }
        if project.forked_from is not None:
            shape["forked_from_project"] = {
                "id": project.forked_from.id,
                "path_with_namespace": project.forked_from.path,
            }
        return shape

    def merge_request(self, project: GitLabProject, found: MergeRequest) -> Json:
        """A merge request."""
        return {
            "id": found.id,
            "iid": found.iid,
            "project_id": project.id,
            "title": found.title,
            "description": found.description,
            "state": found.state,
            "draft": found.draft,
            "author": self.user(found.author),
            "source_branch": found.source_branch,
            "target_branch": found.target_branch,
            "source_project_id": found.source.id if found.source else None,
            "target_project_id": project.id,
            "sha": found.sha,
            "labels": found.labels,
            "web_url": f"{self.page(project)}/-/merge_requests/{found.iid}",
        }

    def issue(self, project: GitLabProject, found: GitLabIssue) -> Json:
        """An issue."""
        return {
            "id": found.id,
            "iid": found.iid,
            "project_id": project.id,
            "title": found.title,
            "description": found.description,
            "state": found.state,
            "confidential": found.confidential,
            "author": self.user(found.author),
            "labels": found.labels,
            "created_at": found.created_at,
            "web_url": f"{self.page(project)}/-/issues/{found.iid}",
        }

    def note(self, note: Note) -> Json:
        """A comment."""
        return {
            "id": note.id,
            "body": note.body,
            "author": self.user(note.author),
            "system": note.system,
            "internal": note.internal,
            "created_at": note.created_at,
            "updated_at": note.updated_at,
        }

    def status(self, status: Status) -> Json:
        """A commit status."""
        return {
            "id": status.id,
            "sha": status.sha,
            "ref": status.ref,
            "status": status.status,
            "name": status.name,
            "target_url": status.target_url,
            "description": status.description,
            "created_at": status.created_at,
            "author": self.user(status.author),
        }

    def release(self, project: GitLabProject, release: GitLabRelease) -> Json:
        """A release."""
        return {
            "tag_name": release.tag,
            "name": release.name,
            "upcoming_release": release.upcoming,
            "commit": {"id": project.repository.find(f"refs/tags/{release.tag}")},
        }

    def page(self, project: GitLabProject) -> str:
        """The page of a project."""
        return f"{self._url}/{project.path}"

    # the hooks'

    def hook_project(self, project: GitLabProject) -> Json:
        """A project, as hooks tell of it; `namespace` is for people."""
        page = self.page(project)
        return {
            "id": project.id,
            "name": project.name.capitalize(),
            "description": None,
            "web_url": page,
            "git_http_url": f"{page}.git",
            "namespace": project.namespace.rpartition("/")[2].capitalize(),
            "visibility_level": VISIBILITY[project.visibility],
            "path_with_namespace": project.path,
            "default_branch": project.repository.default_branch,
            "homepage": page,
            "http_url": f"{page}.git",
        }

    def hook_merge_request(self, project: GitLabProject, found: MergeRequest) -> Json:
        """A merge request, in its own hook and in those of its comments."""
        text = project.repository.commit_text(found.sha)
        return {
            "id": found.id,
            "iid": found.iid,
            "author_id": found.author.id,
            "title": found.title,
            "description": found.description,
            "state": found.state,
            "draft": found.draft,
            "source_branch": found.source_branch,
            "target_branch": found.target_branch,
            "source_project_id": found.source.id if found.source else None,
            "target_project_id": project.id,
            "source": self.hook_project(found.source) if found.source else None,
            "target": self.hook_project(project),
            "last_commit": {"id": found.sha, "message": text.message, "author": {"name": text.author}},
            "labels": self.hook_labels(found.labels),
            "url": f"{self.page(project)}/-/merge_requests/{found.iid}",
        }

    @staticmethod
    def hook_labels(labels: list[str]) -> list[Json]:
        """Labels, as hooks tell of them."""
        return [{"id": number, "title": label} for number, label in enumerate(labels, 1)]
