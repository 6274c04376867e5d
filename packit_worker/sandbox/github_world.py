"""The hand that moves the stand-in for GitHub: what people do on the site. Used inside the sandbox only.

`packit_worker.sandbox.github.GitHub` offers all of it to tests, demo and control server.
"""

from collections.abc import Mapping, Sequence

from packit_worker.sandbox.github_pull_requests import PullRequests
from packit_worker.sandbox.github_state import (
    ROLES,
    Account,
    Comment,
    GitHubError,
    GitHubState,
    Installation,
    Issue,
    Release,
    Repository,
)


class World(PullRequests):
    """Changes the state as people do. All methods may be called from any thread."""

    state: GitHubState

    def add_account(self, login: str, type: str = "User") -> Account:
        """A user (``User``), an organisation (``Organization``) or a bot (``Bot``)."""
        with self.state.lock:
            return self.state.account(login, type)

    def add_repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        default_branch: str = "main",
        permissions: Mapping[str, str] | None = None,
        installation_id: int | None = None,
        files: Mapping[str, str | bytes] | None = None,
        description: str | None = None,
        owner_type: str = "Organization",
        has_issues: bool = True,
        archived: bool = False,
        fork_of: str | None = None,
    ) -> Repository:
        """Make a repository with one commit; with an `installation_id` the App is installed on it, else it is not.

        `permissions` maps logins to a role: admin, maintain, write, triage, read.
        """
        owner, _, name = full_name.partition("/")
        roles = dict(permissions or {})
        unknown = sorted(set(roles.values()) - set(ROLES))
        if unknown:
            raise ValueError(f"Unknown roles {unknown}; known are {sorted(ROLES)}")
        with self.state.lock:
            repository = Repository(
                self.state.next_id(),
                self.state.account(owner, owner_type),
                name,
                private,
                default_branch,
                description,
                roles,
                installation_id,
                fork_of,
                has_issues,
                archived,
            )
            self.state.repositories[full_name.lower()] = repository
            for login in roles:
                self.state.account(login)
            given = files if files is not None else {"README.md": f"# {name}\n"}
            first = self.state.commit(repository, given, message="Initial commit", author=owner)
            repository.branches[default_branch] = first.sha
            if installation_id is not None:
                self.state.installations.setdefault(
                    installation_id, Installation(installation_id, repository.owner)
                )
            return repository

    def rename_repository(self, old: str, new: str) -> Repository:
        """Give a repository another full name; who asks for the former one is sent on."""
        owner, _, name = new.partition("/")
        with self.state.lock:
            repository = self.state.repository(old)
            del self.state.repositories[old.lower()]
            self.state.moved[old.lower()] = repository.id
            repository.owner, repository.name = self.state.account(owner), name
            self.state.repositories[new.lower()] = repository
            for issue in repository.issues.values():
                issue.repository = repository.full_name
                for comment in issue.comments:
                    comment.repository = repository.full_name
            for check in repository.checks.values():
                check.repository = repository.full_name
            return repository

    def install(
        self, account: str, installation_id: int | None = None, *, account_type: str = "User"
    ) -> Installation:
        """Install the App on an account and all repositories it has."""
        with self.state.lock:
            owner = self.state.account(account, account_type)
            number = installation_id or self.state.next_id()
            if number not in self.state.installations:
                self.state.installations[number] = Installation(number, owner)
            for repository in self.state.repositories.values():
                if repository.owner is owner:
                    repository.installation_id = number
            return self.state.installations[number]

    def uninstall(self, installation_id: int) -> None:
        """Remove an installation of the App."""
        with self.state.lock:
            self.state.installations.pop(installation_id, None)
            for repository in self.state.repositories.values():
                if repository.installation_id == installation_id:
                    repository.installation_id = None

    def suspend(self, installation_id: int, suspended: bool = True) -> None:
        """Suspend an installation, or wake it up again."""
        with self.state.lock:
            self.state.installations[installation_id].suspended = suspended

    def push(
        self,
        repository: str,
        *,
        branch: str | None = None,
        files: Mapping[str, str | bytes | None] | None = None,
        author: str = "alice",
        message: str = "Direct change",
    ) -> str:
        """Commit to a branch, made from the default one if it is new; the new SHA."""
        with self.state.lock:
            found = self.state.repository(repository)
            branch = branch or found.default_branch
            parent = found.branches.get(branch, found.branches[found.default_branch])
            commit = self.state.commit(found, files or {}, message=message, author=author, parent=parent)
            found.branches[branch] = commit.sha
            return commit.sha

    def add_tag(self, repository: str, tag: str, target: str | None = None) -> str:
        """Tag a commit, by default that of the default branch; its SHA."""
        with self.state.lock:
            found = self.state.repository(repository)
            commit = found.find(target or found.default_branch)
            if commit is None:
                raise GitHubError(404, f"No commit found for the ref {target}")
            found.tags[tag] = commit.sha
            return commit.sha

    def add_release(
        self,
        repository: str,
        tag: str,
        *,
        name: str | None = None,
        body: str = "",
        author: str | None = None,
        prerelease: bool = False,
    ) -> Release:
        """Publish a release; the tag is made if there is none."""
        with self.state.lock:
            found = self.state.repository(repository)
            if tag not in found.tags:
                self.add_tag(repository, tag)
            user = self.state.account(author or found.owner.login)
            release = Release(
                self.state.next_id(), tag, name or tag, body, user, found.default_branch, prerelease
            )
            found.releases.append(release)
            return release

    def add_issue(
        self,
        repository: str,
        *,
        title: str,
        body: str | None = None,
        author: str | None = "alice",
        labels: Sequence[str] = (),
        via_app: bool = False,
    ) -> Issue:
        """Open an issue; `author` None is a deleted user."""
        with self.state.lock:
            found = self.state.repository(repository)
            type = "Bot" if via_app else "User"
            issue = Issue(
                id=self.state.next_id(),
                number=self._next_number(found),
                repository=found.full_name,
                title=title,
                body=body,
                author=self.state.account(author, type) if author is not None else None,
                via_app=via_app,
            )
            for label in labels:
                self.add_label(issue, label)
            found.issues[issue.number] = issue
            return issue

    def add_label(self, issue: Issue, label: str) -> None:
        """Put a label on an issue or a pull request; made if there is none."""
        with self.state.lock:
            self.state.repository(issue.repository).labels.setdefault(label, "ededed")
            if label not in issue.labels:
                issue.labels.append(label)

    def add_comment(
        self, repository: str, number: int, body: str, *, author: str | None = "alice"
    ) -> Comment:
        """Comment on an issue or a pull request as a person; `author` None is a deleted user."""
        with self.state.lock:
            account = self.state.account(author) if author is not None else None
            return self.state.add_comment(self.state.issue(repository, number), body, account)
