"""How the stand-in for GitHub writes its things as JSON, with the fields of the REST API.

Used inside the sandbox only.

Shapes: https://docs.github.com/rest (pages Repositories, Commits, Releases, Apps).
"""

import base64
from typing import Any

from packit_worker.sandbox.git_objects import object_id
from packit_worker.sandbox.github_commit import Commit
from packit_worker.sandbox.github_state import (
    Account,
    GitHubState,
    Installation,
    Release,
    Repository,
)

Json = dict[str, Any]
PERMISSIONS = {
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
EVENTS = ["check_run", "check_suite", "issue_comment", "issues", "pull_request", "push", "release"]
REPOSITORY_LISTS = [
    "forks",
    "teams",
    "hooks",
    "events",
    "tags",
    "languages",
    "stargazers",
    "contributors",
    "subscribers",
    "subscription",
    "merges",
    "downloads",
    "deployments",
]
REPOSITORY_TEMPLATES = {
    "keys": "keys{/key_id}",
    "collaborators": "collaborators{/collaborator}",
    "issue_events": "issues/events{/number}",
    "assignees": "assignees{/user}",
    "branches": "branches{/branch}",
    "blobs": "git/blobs{/sha}",
    "git_tags": "git/tags{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_commits": "git/commits{/sha}",
    "trees": "git/trees{/sha}",
    "statuses": "statuses/{sha}",
    "commits": "commits{/sha}",
    "comments": "comments{/number}",
    "issue_comment": "issues/comments{/number}",
    "contents": "contents/{+path}",
    "compare": "compare/{base}...{head}",
    "archive": "{archive_format}{/ref}",
    "issues": "issues{/number}",
    "pulls": "pulls{/number}",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "labels": "labels{/name}",
    "releases": "releases{/id}",
}


class PlaceShapes:
    """Writes the places of work as JSON: accounts, repositories, commits, releases, the App.

    `web` is where the pages are, `api` where the REST API is.
    """

    def __init__(self, state: GitHubState, app: Json, web: str, api: str) -> None:
        self._state = state
        self._app = app
        self._web = web
        self._api = api

    def app(self) -> Json:
        """The GitHub App."""
        return {
            **self._app,
            "owner": self.user(self._state.account("sandbox-apps", "Organization")),
            "html_url": f"{self._web}/apps/{self._app['slug']}",
            "external_url": self._web,
            "permissions": PERMISSIONS,
            "events": EVENTS,
        }

    def user(self, account: Account | None) -> Json | None:
        """A user, an organisation or a bot; None for a deleted one."""
        if account is None:
            return None
        url = f"{self._api}/users/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id("U", account.id),
            "avatar_url": f"{self._web}/avatars/{account.id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self._web}/{account.login}",
            "followers_url": f"{url}/followers",
            "following_url": url + "/following{/other_user}",
            "gists_url": url + "/gists{/gist_id}",
            "starred_url": url + "/starred{/owner}{/repo}",
            "subscriptions_url": f"{url}/subscriptions",
            "organizations_url": f"{url}/orgs",
            "repos_url": f"{url}/repos",
            "events_url": url + "/events{/privacy}",
            "received_events_url": f"{url}/received_events",
            "type": account.type,
            "user_view_type": "public",
            "site_admin": False,
        }

    def organization(self, account: Account) -> Json:
        """An organisation as webhooks show it."""
        url = f"{self._api}/orgs/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id("O", account.id),
            "url": url,
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events",
            "hooks_url": f"{url}/hooks",
            "issues_url": f"{url}/issues",
            "members_url": url + "/members{/member}",
            "public_members_url": url + "/public_members{/member}",
            "avatar_url": f"{self._web}/avatars/{account.id}",
            "description": "",
        }

    def repository(self, repository: Repository, *, with_parent: bool = True) -> Json:
        """A repository."""
        url = f"{self._api}/repos/{repository.full_name}"
        web = f"{self._web}/{repository.full_name}"
        open_issues = sum(issue.state == "open" for issue in repository.issues.values())
        shape: Json = {
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "visibility": "private" if repository.private else "public",
            "owner": self.user(repository.owner),
            "html_url": web,
            "description": repository.description,
            "fork": repository.fork_of is not None,
            "url": url,
            **{f"{name}_url": f"{url}/{name}" for name in REPOSITORY_LISTS},
            **{f"{name}_url": f"{url}/{path}" for name, path in REPOSITORY_TEMPLATES.items()},
            "created_at": repository.created_at,
            "updated_at": repository.created_at,
            "pushed_at": repository.created_at,
            "git_url": f"git:{web.partition(':')[2]}.git",
            "ssh_url": f"ssh://git@{web.partition('//')[2]}.git",
            "clone_url": f"{web}.git",
            "svn_url": web,
            "homepage": None,
            "size": 1,
            "stargazers_count": 0,
            "watchers_count": 0,
            "language": None,
            "has_issues": repository.has_issues,
            "has_projects": True,
            "has_downloads": True,
            "has_wiki": False,
            "has_pages": False,
            "has_discussions": False,
            "forks_count": 0,
            "mirror_url": None,
            "archived": repository.archived,
            "disabled": False,
            "open_issues_count": open_issues,
            "license": None,
            "allow_forking": True,
            "is_template": False,
            "topics": [],
            "forks": 0,
            "open_issues": open_issues,
            "watchers": 0,
            "default_branch": repository.default_branch,
        }
        origin = self._state.repositories.get((repository.fork_of or "").lower())
        if origin is not None and with_parent:
            shape["parent"] = shape["source"] = self.repository(origin, with_parent=False)
        return shape

    def commit(self, full_name: str, commit: Commit) -> Json:
        """A commit as the commits API shows it."""
        url = f"{self._api}/repos/{full_name}"
        name = commit.author or "ghost"
        person = {"name": name, "email": f"{name}@users.noreply.example.com", "date": commit.at}
        known = self.user(self._state.account(commit.author)) if commit.author else None
        return {
            "sha": commit.sha,
            "node_id": node_id("C", commit.sha),
            "url": f"{url}/commits/{commit.sha}",
            "html_url": f"{self._web}/{full_name}/commit/{commit.sha}",
            "comments_url": f"{url}/commits/{commit.sha}/comments",
            "commit": {
                "message": commit.message,
                "author": person,
                "committer": person,
                "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
                "url": f"{url}/git/commits/{commit.sha}",
                "comment_count": 0,
                "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
            },
            "author": known,
            "committer": known,
            "parents": [{"sha": sha, "url": f"{url}/commits/{sha}"} for sha in commit.parents],
        }

    def release(self, full_name: str, release: Release) -> Json:
        """A release."""
        url = f"{self._api}/repos/{full_name}"
        web = f"{self._web}/{full_name}/releases"
        return {
            "url": f"{url}/releases/{release.id}",
            "assets_url": f"{url}/releases/{release.id}/assets",
            "upload_url": url + f"/releases/{release.id}/assets{{?name,label}}",
            "html_url": f"{web}/tag/{release.tag_name}",
            "id": release.id,
            "node_id": node_id("RE", release.id),
            "author": self.user(release.author),
            "tag_name": release.tag_name,
            "target_commitish": release.target,
            "name": release.name,
            "draft": release.draft,
            "prerelease": release.prerelease,
            "immutable": False,
            "created_at": release.created_at,
            "published_at": None if release.draft else release.created_at,
            "updated_at": release.created_at,
            "assets": [],
            "tarball_url": f"{url}/tarball/{release.tag_name}",
            "zipball_url": f"{url}/zipball/{release.tag_name}",
            "body": release.body,
        }

    def installation(self, installation: Installation) -> Json:
        """The App's installation on an account."""
        account = installation.account
        return {
            "id": installation.id,
            "client_id": self._app["client_id"],
            "account": self.user(account),
            "repository_selection": installation.repository_selection,
            "access_tokens_url": f"{self._api}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self._api}/installation/repositories",
            "html_url": f"{self._web}/settings/installations/{installation.id}",
            "app_id": self._app["id"],
            "app_slug": self._app["slug"],
            "target_id": account.id,
            "target_type": account.type,
            "permissions": PERMISSIONS,
            "events": EVENTS,
            "created_at": installation.created_at,
            "updated_at": installation.created_at,
            "single_file_name": None,
            "has_multiple_single_files": False,
            "single_file_paths": [],
            "suspended_by": None,
            "suspended_at": installation.created_at if installation.suspended else None,
        }


def node_id(kind: str, number: int | str) -> str:
    """An opaque global id, as GraphQL has them."""
    return f"{kind}_{base64.urlsafe_b64encode(str(number).encode()).decode().rstrip('=')}"


def blob_sha(content: bytes) -> str:
    """The id git gives to a file of this content."""
    return object_id("blob", content)
