"""What the stand-in for GitHub knows: accounts, repositories, commits, pull requests, checks.

Used inside the sandbox only.
"""

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from packit_worker.sandbox.clock import iso_from, iso_now
from packit_worker.sandbox.git_objects import object_id, tree_id
from packit_worker.sandbox.github_commit import Commit, text_of

READ, NONE = "read", "none"
ROLES = {
    "admin": "admin",
    "maintain": "write",
    "write": "write",
    "triage": "read",
    "read": "read",
    "none": "none",
}
"""Role name -> what the field `permission` says for it."""
STORY_BEGINS = 1_767_225_600
"""The time of all first commits, in seconds since the epoch: the beginning of 2026."""


class GitHubError(Exception):
    """An answer of GitHub that is not a success."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


class MovedRepository(GitHubError):
    """A repository is asked for under a name it had before; `number` is its id."""

    def __init__(self, number: int) -> None:
        super().__init__(301, "Moved Permanently")
        self.number = number


@dataclass
class Account:
    """A user, an organisation or a bot."""

    login: str
    id: int
    type: str = "User"


@dataclass
class Reaction:
    """A reaction to a comment or an issue."""

    id: int
    content: str
    user: Account
    created_at: str = field(default_factory=iso_now)


@dataclass
class Comment:
    """A comment of an issue or a pull request. `author` None is a deleted user."""

    id: int
    repository: str
    number: int
    body: str
    author: Account | None
    via_app: bool = False
    created_at: str = field(default_factory=iso_now)
    updated_at: str = field(default_factory=iso_now)
    reactions: list[Reaction] = field(default_factory=list)
    writes: int = 1


@dataclass
class CheckRun:
    """A check run. `writes` counts the POST and the PATCHes; `history` keeps what each of them left."""

    id: int
    suite_id: int
    repository: str
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    details_url: str | None = None
    external_id: str = ""
    started_at: str | None = None
    completed_at: str | None = None
    output: dict[str, Any] = field(default_factory=dict)
    actions: list[dict[str, str]] = field(default_factory=list)
    writes: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class CommitStatus:
    """A commit status."""

    id: int
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    created_at: str = field(default_factory=iso_now)


@dataclass(kw_only=True)
class Issue:
    """An issue. Pull requests are issues too."""

    id: int
    number: int
    repository: str
    title: str
    body: str | None
    author: Account | None
    via_app: bool = False
    state: str = "open"
    state_reason: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    created_at: str = field(default_factory=iso_now)
    updated_at: str = field(default_factory=iso_now)
    closed_at: str | None = None
    is_pull_request: bool = False


@dataclass(kw_only=True)
class PullRequest(Issue):
    """A pull request. `head_repository` None is a fork that was deleted."""

    head_sha: str
    head_branch: str
    head_owner: str | None
    head_repository: str | None
    base_sha: str
    base_branch: str
    commits: list[str]
    draft: bool = False
    merged: bool = False
    merge_commit_sha: str | None = None
    is_pull_request: bool = True


@dataclass
class Release:
    """A release of a tag."""

    id: int
    tag_name: str
    name: str
    body: str
    author: Account
    target: str
    prerelease: bool = False
    draft: bool = False
    created_at: str = field(default_factory=iso_now)


@dataclass
class Installation:
    """The App installed on an account."""

    id: int
    account: Account
    repository_selection: str = "all"
    suspended: bool = False
    created_at: str = field(default_factory=iso_now)


@dataclass
class Repository:
    """A repository with everything in it."""

    id: int
    owner: Account
    name: str
    private: bool = False
    default_branch: str = "main"
    description: str | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    installation_id: int | None = None
    fork_of: str | None = None
    has_issues: bool = True
    archived: bool = False
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    statuses: dict[str, list[CommitStatus]] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    created_at: str = field(default_factory=iso_now)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    def permission(self, login: str) -> str:
        """The role of `login`: of a collaborator, of the owner, of anybody."""
        if login.lower() == self.owner.login.lower():
            return "admin"
        for name, role in self.permissions.items():
            if name.lower() == login.lower():
                return role
        return NONE if self.private else READ

    def find(self, ref: str) -> Commit | None:
        """The commit of a branch, a tag, a full ref, HEAD or a SHA (seven characters at least)."""
        if ref == "HEAD":
            ref = self.default_branch
        for prefix, names in (
            ("refs/heads/", self.branches),
            ("heads/", self.branches),
            ("refs/tags/", self.tags),
            ("tags/", self.tags),
        ):
            if ref.startswith(prefix) and ref.removeprefix(prefix) in names:
                return self.commits[names[ref.removeprefix(prefix)]]
        parts = ref.removeprefix("refs/").split("/")
        if len(parts) == 3 and parts[0] == "pull" and parts[1].isdigit():
            pull = self.issues.get(int(parts[1]))
            if isinstance(pull, PullRequest):
                merged = pull.merge_commit_sha if parts[2] == "merge" else pull.head_sha
                return self.commits.get(merged or "")
        sha = self.branches.get(ref) or self.tags.get(ref) or ref
        if sha in self.commits:
            return self.commits[sha]
        if len(ref) >= 7:
            return next(
                (commit for known, commit in self.commits.items() if known.startswith(ref.lower())), None
            )
        return None


class GitHubState:
    """All of it, behind one lock: hold `lock` while reading or writing anything."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Back to an empty GitHub."""
        with self.lock:
            self.accounts: dict[str, Account] = {}
            self.repositories: dict[str, Repository] = {}
            self.installations: dict[int, Installation] = {}
            self.comments: dict[int, Comment] = {}
            self.moved: dict[str, int] = {}
            self._ids = itertools.count(1001)
            self._seconds = itertools.count(1)

    def next_id(self) -> int:
        """A number nothing else has."""
        return next(self._ids)

    def account(self, login: str, type: str = "User") -> Account:
        """The account `login`, made if there is none."""
        if login.lower() not in self.accounts:
            self.accounts[login.lower()] = Account(login, self.next_id(), type)
        return self.accounts[login.lower()]

    def repository(self, full_name: str) -> Repository:
        """The repository, whatever the case of its name. Raises GitHubError: 404, or 301 for a former name."""
        found = self.repositories.get(full_name.lower())
        if found is not None:
            return found
        if full_name.lower() in self.moved:
            raise MovedRepository(self.moved[full_name.lower()])
        raise GitHubError(404, "Not Found")

    def issue(self, full_name: str, number: int) -> Issue:
        """The issue or pull request. Raises GitHubError 404."""
        issue = self.repository(full_name).issues.get(number)
        if issue is None:
            raise GitHubError(404, "Not Found")
        return issue

    def pull(self, full_name: str, number: int) -> PullRequest:
        """The pull request. Raises GitHubError 404, for an issue too."""
        issue = self.issue(full_name, number)
        if not isinstance(issue, PullRequest):
            raise GitHubError(404, "Not Found")
        return issue

    def commit(
        self,
        repository: Repository,
        files: Mapping[str, str | bytes | None],
        *,
        message: str,
        author: str | None,
        parent: str | None = None,
    ) -> Commit:
        """Make a commit on top of `parent`; a content of None removes the file.

        Commits have times of their own, a second apart, so that a SHA nothing else has is the same in every run of the
        same story.
        """
        tree = dict(repository.commits[parent].files) if parent else {}
        for path, content in files.items():
            if content is None:
                tree.pop(path, None)
            else:
                tree[path] = content.encode() if isinstance(content, str) else content
        at = iso_from(STORY_BEGINS + next(self._seconds))
        unnamed = Commit("", tree, message, author, (parent,) if parent else (), at, tree_id(tree))
        commit = replace(unnamed, sha=object_id("commit", text_of(unnamed).encode()))
        repository.commits[commit.sha] = commit
        return commit

    def add_comment(
        self, issue: Issue, body: str, author: Account | None, *, via_app: bool = False
    ) -> Comment:
        """Append a comment to an issue or a pull request."""
        comment = Comment(self.next_id(), issue.repository, issue.number, body, author, via_app)
        issue.comments.append(comment)
        issue.updated_at = comment.created_at
        self.comments[comment.id] = comment
        return comment
