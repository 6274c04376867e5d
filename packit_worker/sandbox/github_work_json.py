"""How the stand-in for GitHub writes work as JSON: pull requests, issues, comments, checks.

Used inside the sandbox only.

Shapes: https://docs.github.com/rest (pages Pull requests, Issues, Reactions, Checks, Commits).
"""

import hashlib

from packit_worker.sandbox.github_json import Json, PlaceShapes, node_id
from packit_worker.sandbox.github_state import (
    Account,
    CheckRun,
    Comment,
    CommitStatus,
    Issue,
    PullRequest,
    Reaction,
    Repository,
)

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


class Shapes(PlaceShapes):
    """Writes everything as JSON."""

    def pull(self, pull: PullRequest, *, whole: bool = True) -> Json:
        """A pull request; `whole` adds what only the single one has."""
        repository = self._state.repository(pull.repository)
        url = f"{self._api}/repos/{repository.full_name}"
        here, issue = f"{url}/pulls/{pull.number}", f"{url}/issues/{pull.number}"
        web = f"{self._web}/{repository.full_name}/pull/{pull.number}"
        links = {
            "self": here,
            "html": web,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{here}/comments",
            "review_comment": url + "/pulls/comments{/number}",
            "commits": f"{here}/commits",
            "statuses": f"{url}/statuses/{pull.head_sha}",
        }
        shape: Json = {
            **self._discussion(pull),
            "url": here,
            "id": pull.id,
            "node_id": node_id("PR", pull.id),
            "html_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
            "issue_url": issue,
            "commits_url": links["commits"],
            "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"],
            "comments_url": links["comments"],
            "statuses_url": links["statuses"],
            "requested_reviewers": [],
            "requested_teams": [],
            "merged_at": pull.closed_at if pull.merged else None,
            "merge_commit_sha": pull.merge_commit_sha,
            "draft": pull.draft,
            "head": self._end(pull.head_owner, pull.head_branch, pull.head_sha, pull.head_repository),
            "base": self._end(repository.owner.login, pull.base_branch, pull.base_sha, repository.full_name),
            "_links": {name: {"href": link} for name, link in links.items()},
            "auto_merge": None,
        }
        if whole:
            shape |= {
                "merged": pull.merged,
                "mergeable": True,
                "rebaseable": True,
                "mergeable_state": "draft" if pull.draft else "clean",
                "merged_by": None,
                "comments": len(pull.comments),
                "review_comments": 0,
                "maintainer_can_modify": True,
                "commits": len(pull.commits),
                "additions": 1,
                "deletions": 0,
                "changed_files": 1,
            }
        return shape

    def _end(self, owner: str | None, branch: str, sha: str, full_name: str | None) -> Json:
        repository = self._state.repositories.get((full_name or "").lower())
        account = self._state.account(owner) if owner else None
        return {
            "label": f"{owner or 'unknown repository'}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self.user(account),
            "repo": self.repository(repository, with_parent=False) if repository else None,
        }

    def issue(self, issue: Issue) -> Json:
        """An issue, or a pull request seen as one."""
        url = f"{self._api}/repos/{issue.repository}"
        here = f"{url}/issues/{issue.number}"
        kind = "pull" if issue.is_pull_request else "issues"
        shape = {
            **self._discussion(issue),
            "url": here,
            "repository_url": url,
            "labels_url": here + "/labels{/name}",
            "comments_url": f"{here}/comments",
            "events_url": f"{here}/events",
            "timeline_url": f"{here}/timeline",
            "html_url": f"{self._web}/{issue.repository}/{kind}/{issue.number}",
            "id": issue.id,
            "node_id": node_id("I", issue.id),
            "comments": len(issue.comments),
            "reactions": self._reactions(f"{here}/reactions", issue.reactions),
            "performed_via_github_app": self.app() if issue.via_app else None,
            "state_reason": issue.state_reason,
        }
        if isinstance(issue, PullRequest):
            web = shape["html_url"]
            shape["draft"] = issue.draft
            shape["pull_request"] = {
                "url": f"{url}/pulls/{issue.number}",
                "html_url": web,
                "diff_url": f"{web}.diff",
                "patch_url": f"{web}.patch",
                "merged_at": issue.closed_at if issue.merged else None,
            }
        return shape

    def _discussion(self, issue: Issue) -> Json:
        assignees = [self.user(self._state.account(login)) for login in issue.assignees]
        return {
            "number": issue.number,
            "state": issue.state,
            "locked": False,
            "title": issue.title,
            "user": self.user(issue.author),
            "body": issue.body,
            "labels": [self.label(issue.repository, name) for name in issue.labels],
            "assignee": assignees[0] if assignees else None,
            "assignees": assignees,
            "milestone": None,
            "active_lock_reason": None,
            "author_association": self._association(issue.repository, issue.author),
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "closed_at": issue.closed_at,
        }

    def _association(self, full_name: str, author: Account | None) -> str:
        repository = self._state.repository(full_name)
        if author is None:
            return "NONE"
        if author is repository.owner:
            return "OWNER"
        return "COLLABORATOR" if author.login in repository.permissions else "NONE"

    def label(self, full_name: str, name: str) -> Json:
        """A label."""
        color = self._state.repository(full_name).labels.get(name, "ededed")
        number = int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:6], 16)
        url = f"{self._api}/repos/{full_name}/labels/{name}"
        return {"id": number, "node_id": node_id("LA", number), "url": url, "name": name, "color": color} | {
            "default": False,
            "description": None,
        }

    def comment(self, comment: Comment) -> Json:
        """A comment of an issue or pull request."""
        url = f"{self._api}/repos/{comment.repository}"
        issue = self._state.issue(comment.repository, comment.number)
        kind = "pull" if issue.is_pull_request else "issues"
        here = f"{url}/issues/comments/{comment.id}"
        return {
            "url": here,
            "html_url": f"{self._web}/{comment.repository}/{kind}/{comment.number}#issuecomment-{comment.id}",
            "issue_url": f"{url}/issues/{comment.number}",
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "user": self.user(comment.author),
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "body": comment.body,
            "author_association": self._association(comment.repository, comment.author),
            "reactions": self._reactions(f"{here}/reactions", comment.reactions),
            "performed_via_github_app": self.app() if comment.via_app else None,
        }

    def _reactions(self, url: str, reactions: list[Reaction]) -> Json:
        counts = {name: sum(reaction.content == name for reaction in reactions) for name in REACTIONS}
        return {"url": url, "total_count": len(reactions), **counts}

    def reaction(self, reaction: Reaction) -> Json:
        """A reaction."""
        return {
            "id": reaction.id,
            "node_id": node_id("REA", reaction.id),
            "user": self.user(reaction.user),
            "content": reaction.content,
            "created_at": reaction.created_at,
        }

    def status(self, full_name: str, sha: str, status: CommitStatus) -> Json:
        """A commit status."""
        return {
            "url": f"{self._api}/repos/{full_name}/statuses/{sha}",
            "avatar_url": f"{self._web}/avatars/{status.creator.id}",
            "id": status.id,
            "node_id": node_id("SC", status.id),
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": status.created_at,
            "updated_at": status.created_at,
            "creator": self.user(status.creator),
        }

    def check_run(self, check: CheckRun) -> Json:
        """A check run."""
        repository = self._state.repository(check.repository)
        url = f"{self._api}/repos/{repository.full_name}"
        here = f"{url}/check-runs/{check.id}"
        return {
            "id": check.id,
            "name": check.name,
            "node_id": node_id("CR", check.id),
            "head_sha": check.head_sha,
            "external_id": check.external_id,
            "url": here,
            "html_url": f"{self._web}/{repository.full_name}/runs/{check.id}",
            "details_url": check.details_url or f"{self._web}/apps/{self._app['slug']}",
            "status": check.status,
            "conclusion": check.conclusion,
            "started_at": check.started_at,
            "completed_at": check.completed_at,
            "output": {
                "title": check.output.get("title"),
                "summary": check.output.get("summary"),
                "text": check.output.get("text"),
                "annotations_count": len(check.output.get("annotations") or []),
                "annotations_url": f"{here}/annotations",
            },
            "check_suite": {"id": check.suite_id},
            "app": self.app(),
            "pull_requests": [],
        }

    def check_suite(self, repository: Repository, sha: str, suite_id: int) -> Json:
        """The App's check suite of a commit."""
        url = f"{self._api}/repos/{repository.full_name}/check-suites/{suite_id}"
        commit = repository.commits[sha]
        return {
            "id": suite_id,
            "node_id": node_id("CS", suite_id),
            "head_branch": None,
            "head_sha": sha,
            "status": "queued",
            "conclusion": None,
            "url": url,
            "before": None,
            "after": None,
            "pull_requests": [],
            "app": self.app(),
            "created_at": commit.at,
            "updated_at": commit.at,
            "latest_check_runs_count": sum(check.head_sha == sha for check in repository.checks.values()),
            "check_runs_url": f"{url}/check-runs",
            "head_commit": {"id": sha, "message": commit.message, "timestamp": commit.at},
        }
