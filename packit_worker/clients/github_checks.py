"""How checks are shown on GitHub: check runs for an App, commit statuses for an account. Only ``clients`` imports it.

https://docs.github.com/rest/checks/runs and https://docs.github.com/rest/commits/statuses
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

from ogr.services.github.check_run import GithubCheckRunResult, GithubCheckRunStatus
from ogr.services.github.project import GithubProject

from packit_worker.clients.github_access import carried_out
from packit_worker.errors import NotFound
from packit_worker.ports import CheckState, CheckStatus, Conclusion, Posted

#: Characters GitHub takes in a status' description.
DESCRIPTION_LIMIT = 140
#: Characters GitHub takes in a check run's summary; https://docs.github.com/rest/checks/runs
SUMMARY_LIMIT = 65535
#: Ours: what is longer than this is no title any more.
TITLE_LIMIT = 255

STATES = {
    None: "pending",
    Conclusion.SUCCESS: "success",
    Conclusion.NEUTRAL: "success",
    Conclusion.SKIPPED: "success",
    Conclusion.FAILURE: "failure",
    Conclusion.ACTION_REQUIRED: "failure",
    Conclusion.CANCELLED: "error",
    Conclusion.TIMED_OUT: "error",
}


class Checks(Protocol):
    """A way to show checks. Each operation is one call; ``project`` is the one in ogr's terms."""

    def create(self, project: GithubProject, check: CheckState) -> Posted:
        """Show the check for the first time."""

    def update(self, project: GithubProject, check_id: str, check: CheckState) -> None:
        """Change the check that was created with this id."""

    def find(self, project: GithubProject, check: CheckState) -> Posted | None:
        """The check with this commit, name and marker, if it is there."""


class CheckRuns:
    """Check runs: only an App may write them."""

    def create(self, project: GithubProject, check: CheckState) -> Posted:
        """Create the check run."""
        run = project.create_check_run(
            name=check.name,
            commit_sha=check.commit_sha,
            url=check.url,
            external_id=check.marker,
            status=GithubCheckRunStatus(check.status.value),
            conclusion=GithubCheckRunResult(check.conclusion.value) if check.conclusion else None,
            output=_output(check),
        )
        made = carried_out(run.raw_check_run.raw_data)
        return Posted(id=str(made["id"]), url=made.get("html_url"))

    def update(self, project: GithubProject, check_id: str, check: CheckState) -> None:
        """Change the check run, without reading it first."""
        if not check_id.isdigit():
            raise NotFound(f"GitHub has no check run {check_id!r}")
        change: dict[str, Any] = {
            "status": check.status.value,
            "external_id": check.marker,
            "output": _output(check),
        }
        if check.conclusion:
            change["conclusion"] = check.conclusion.value
        if check.url:
            change["details_url"] = check.url
        # By hand: PyGithub's edit does not show what was answered.
        _, changed = project.github_repo.requester.requestJsonAndCheck(
            "PATCH", f"{project.github_repo.url}/check-runs/{check_id}", input=change
        )
        carried_out(changed)

    def find(self, project: GithubProject, check: CheckState) -> Posted | None:
        """The newest check run of this name whose ``external_id`` is the marker."""
        commit = project.github_repo.get_commit(check.commit_sha)
        runs = commit.get_check_runs(check_name=check.name, filter="all")
        found = [run for run in runs if run.external_id == check.marker]
        newest = max(found, key=lambda run: run.id, default=None)
        return Posted(id=str(newest.id), url=newest.html_url) if newest else None


class CommitStatuses:
    """Commit statuses: any account with write access. They cannot be changed, only followed by a newer one."""

    def create(self, project: GithubProject, check: CheckState) -> Posted:
        """Set the status."""
        wanted = _status(check)
        # By hand: PyGithub's create_status reads the commit first.
        _, made = project.github_repo.requester.requestJsonAndCheck(
            "POST",
            f"{project.github_repo.url}/statuses/{quote(check.commit_sha, safe='')}",
            input={name: value for name, value in wanted.items() if value is not None},
        )
        return Posted(id=str(carried_out(made)["id"]), url=made.get("target_url"))

    def update(self, project: GithubProject, check_id: str, check: CheckState) -> None:
        """Set the status again; the older one is no more shown."""
        self.create(project, check)

    def find(self, project: GithubProject, check: CheckState) -> Posted | None:
        """A status has no place for the marker: the newest of this name, if it says what ours shall say."""
        wanted = _status(check)
        # By hand: PyGithub takes another address, which this page does not have any more.
        _, listed = project.github_repo.requester.requestJsonAndCheck(
            "GET",
            f"{project.github_repo.url}/commits/{quote(check.commit_sha, safe='')}/statuses",
            parameters={"per_page": 100},
        )
        newest = next((status for status in listed if status["context"] == check.name), None)
        if newest is None or any((newest.get(name) or None) != value for name, value in wanted.items()):
            return None
        return Posted(id=str(newest["id"]), url=newest.get("target_url"))


def shorten(text: str, limit: int) -> str:
    """The text cut in its middle: both its beginning and its end tell one from another."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def _output(check: CheckState) -> dict[str, str]:
    # GitHub refuses an empty summary.
    summary = check.summary or check.title
    return {"title": shorten(check.title, TITLE_LIMIT), "summary": shorten(summary, SUMMARY_LIMIT)}


def _status(check: CheckState) -> dict[str, str | None]:
    conclusion = check.conclusion if check.status is CheckStatus.COMPLETED else None
    return {
        "state": STATES[conclusion],
        "target_url": check.url,
        "description": shorten(check.title, DESCRIPTION_LIMIT),
        "context": check.name,
    }
