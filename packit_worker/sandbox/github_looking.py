"""What tests see of the stand-in for GitHub: checks, comments, issues as JSON. Used inside the sandbox only.

`packit_worker.sandbox.github.GitHub` offers all of it to tests, demo and control server.
"""

from packit_worker.sandbox.github_json import Json
from packit_worker.sandbox.github_state import CheckRun, GitHubState
from packit_worker.sandbox.github_work_json import Shapes


class Looking:
    """Reads the state. All methods may be called from any thread."""

    state: GitHubState

    def shapes(self) -> Shapes:
        """The writer of JSON for the current request."""
        raise NotImplementedError

    def checks(self, repository: str, sha: str) -> list[Json]:
        """All check runs of a commit in order of creation, with `writes`, `history` and `actions` added.

        `details_url` is what was sent: None where GitHub would show the App's own page.
        """
        with self.state.lock:
            found = self.state.repository(repository)
            return [self._seen(check) for check in found.checks.values() if check.head_sha == sha]

    def _seen(self, check: CheckRun) -> Json:
        return self.shapes().check_run(check) | {
            "details_url": check.details_url,
            "actions": check.actions,
            "writes": check.writes,
            "history": list(check.history),
        }

    def statuses(self, repository: str, sha: str) -> list[Json]:
        """All commit statuses of a commit in order of creation."""
        with self.state.lock:
            found = self.state.repository(repository)
            return [self.shapes().status(found.full_name, sha, one) for one in found.statuses.get(sha, [])]

    def comments(self, repository: str, number: int) -> list[Json]:
        """The comments of an issue or pull request, oldest first; with `writes` and the list `reacted`."""
        with self.state.lock:
            return [
                self.shapes().comment(comment)
                | {"writes": comment.writes, "reacted": [reaction.content for reaction in comment.reactions]}
                for comment in self.state.issue(repository, number).comments
            ]

    def issues(self, repository: str) -> list[Json]:
        """The issues of a repository, oldest first, without its pull requests."""
        with self.state.lock:
            found = self.state.repository(repository).issues.values()
            return [self.shapes().issue(issue) for issue in found if not issue.is_pull_request]

    def pull_requests(self, repository: str) -> list[Json]:
        """The pull requests of a repository, oldest first."""
        with self.state.lock:
            numbers = [
                one.number for one in self.state.repository(repository).issues.values() if one.is_pull_request
            ]
            return [self.shapes().pull(self.state.pull(repository, number)) for number in numbers]
