"""The hand that moves pull requests of the stand-in for GitHub: from forks, and from branches of a repository itself.

Used inside the sandbox only; part of `packit_worker.sandbox.github_world`.
"""

from collections.abc import Mapping

from packit_worker.sandbox.clock import iso_now
from packit_worker.sandbox.github_state import Account, GitHubState, PullRequest, Repository


class PullRequests:
    """Changes the state as people do. All methods may be called from any thread."""

    state: GitHubState

    def open_pull_request(
        self,
        repository: str,
        *,
        author: str | None = "alice",
        files: Mapping[str, str | bytes | None] | None = None,
        title: str = "Improve things",
        body: str | None = "",
        draft: bool = False,
        fork: bool = True,
        branch: str | None = None,
        base: str | None = None,
        deleted_fork: bool = False,
    ) -> PullRequest:
        """Open a pull request whose commit lays `files` over the base (None removes one).

        `author` None is a deleted user. With `fork` the branch is in the author's fork, which `deleted_fork` removes.
        """
        with self.state.lock:
            upstream = self.state.repository(repository)
            base_branch = base or upstream.default_branch
            base_sha = upstream.branches[base_branch]
            number = self._next_number(upstream)
            commit = self.state.commit(upstream, files or {}, message=title, author=author, parent=base_sha)
            head: Repository | None = upstream
            if fork:
                head = None if deleted_fork or author is None else self._fork(upstream, author)
            head_branch = branch or f"change-{number}"
            if head is not None:
                head.commits[commit.sha] = commit
                head.branches[head_branch] = commit.sha
            pull = PullRequest(
                id=self.state.next_id(),
                number=number,
                repository=upstream.full_name,
                title=title,
                body=body,
                author=self.state.account(author) if author is not None else None,
                head_sha=commit.sha,
                head_branch=head_branch,
                head_owner=(author if fork else upstream.owner.login),
                head_repository=head.full_name if head else None,
                base_sha=base_sha,
                base_branch=base_branch,
                commits=[commit.sha],
                draft=draft,
            )
            self._merge_for_test(upstream, pull)
            upstream.issues[number] = pull
            return pull

    def request_pull(
        self,
        repository: Repository,
        head: str,
        base: str,
        author: Account,
        title: str,
        body: str | None,
        *,
        via_app: bool = False,
    ) -> PullRequest:
        """A pull request from a branch of the same repository that is there."""
        with self.state.lock:
            pull = PullRequest(
                id=self.state.next_id(),
                number=self._next_number(repository),
                repository=repository.full_name,
                title=title,
                body=body,
                author=author,
                via_app=via_app,
                head_sha=repository.branches[head],
                head_branch=head,
                head_owner=repository.owner.login,
                head_repository=repository.full_name,
                base_sha=repository.branches[base],
                base_branch=base,
                commits=[repository.branches[head]],
            )
            self._merge_for_test(repository, pull)
            repository.issues[pull.number] = pull
            return pull

    def open_pulls_from(
        self, repository: Repository, head: str, base: str | None = None
    ) -> list[PullRequest]:
        """The open pull requests from a branch of the same repository, for one branch or for any."""
        return [
            pull
            for pull in repository.issues.values()
            if isinstance(pull, PullRequest)
            and (pull.state, pull.head_repository, pull.head_branch) == ("open", repository.full_name, head)
            and base in (None, pull.base_branch)
        ]

    def follow_branches(self, repository: Repository) -> None:
        """Let open pull requests from branches of the same repository have what was pushed to them."""
        with self.state.lock:
            for branch, sha in repository.branches.items():
                for pull in self.open_pulls_from(repository, branch):
                    if pull.head_sha != sha:
                        pull.head_sha, pull.updated_at = sha, iso_now()
                        pull.commits.append(sha)
                        self._merge_for_test(repository, pull)

    def push_to_pull_request(
        self,
        repository: str,
        number: int,
        *,
        files: Mapping[str, str | bytes | None] | None = None,
        message: str = "More of it",
    ) -> PullRequest:
        """Add a commit to a pull request, which then has a new `head_sha`."""
        with self.state.lock:
            upstream, pull = self.state.repository(repository), self.state.pull(repository, number)
            author = pull.author.login if pull.author else None
            commit = self.state.commit(
                upstream, files or {}, message=message, author=author, parent=pull.head_sha
            )
            head = self.state.repositories.get((pull.head_repository or "").lower())
            if head is not None:
                head.commits[commit.sha] = commit
                head.branches[pull.head_branch] = commit.sha
            pull.head_sha, pull.updated_at = commit.sha, iso_now()
            pull.commits.append(commit.sha)
            self._merge_for_test(upstream, pull)
            return pull

    def close_pull_request(self, repository: str, number: int, *, merged: bool = False) -> PullRequest:
        """Close a pull request; merged, its head becomes the base branch's."""
        with self.state.lock:
            pull = self.state.pull(repository, number)
            pull.state, pull.merged, pull.closed_at = "closed", merged, iso_now()
            if merged:
                self.state.repository(repository).branches[pull.base_branch] = pull.head_sha
            return pull

    def _next_number(self, repository: Repository) -> int:
        return max(repository.issues, default=0) + 1

    def _fork(self, upstream: Repository, owner: str) -> Repository:
        """The fork of `owner`, made if there is none."""
        key = f"{owner}/{upstream.name}"
        known = self.state.repositories.get(key.lower())
        if known is not None:
            return known
        fork = Repository(
            self.state.next_id(),
            self.state.account(owner),
            upstream.name,
            upstream.private,
            upstream.default_branch,
            fork_of=upstream.full_name,
            branches=dict(upstream.branches),
            commits=dict(upstream.commits),
        )
        self.state.repositories[key.lower()] = fork
        return fork

    def _merge_for_test(self, upstream: Repository, pull: PullRequest) -> None:
        merged = self.state.commit(upstream, {}, message="Merge", author=None, parent=pull.head_sha)
        pull.merge_commit_sha = merged.sha
