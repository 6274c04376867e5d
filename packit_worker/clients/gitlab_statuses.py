"""How checks are shown on GitLab: as commit statuses, which become jobs of the commit's pipeline. Only for ``clients``.

https://docs.gitlab.com/api/commits/#set-commit-pipeline-status. The pipeline of a merge request is one of the project
that its commits come from: in somebody's fork, where we may have no say, a comment takes the place of the status.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from typing import Any

from gitlab.v4.objects import Project

from packit_worker.clients.gitlab_access import Api, talking
from packit_worker.clients.gitlab_notes import Notes
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.ports import CheckState, CheckStatus, Conclusion, Posted
from packit_worker.reporting.texts import check_as_comment

log = logging.getLogger(__name__)

#: Characters of a status' description and address.
LONGEST = 255
#: Seconds for which it is believed that a commit is the head of no merge request.
NO_MERGE_REQUEST_FOR = 60.0
#: Commits whose places are remembered.
PLACES_KEPT = 1000

UNDER_WAY = {CheckStatus.QUEUED: "pending", CheckStatus.IN_PROGRESS: "running"}
STATES = {
    Conclusion.SUCCESS: "success",
    Conclusion.NEUTRAL: "success",
    Conclusion.SKIPPED: "success",
    Conclusion.FAILURE: "failed",
    Conclusion.ACTION_REQUIRED: "failed",
    Conclusion.TIMED_OUT: "failed",
    Conclusion.CANCELLED: "canceled",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the pipeline of a commit is: a branch of a project, which is the head of a merge request."""

    project: int
    branch: str
    merge_request: int
    #: Whether the project is another one than the merge request's.
    is_fork: bool


class Places:
    """The places of commits, as far as they are known. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, Place | None]] = {}

    def get(self, project: str, sha: str) -> tuple[Place | None] | None:
        """The place, or that there is none; None where it has to be looked for."""
        at, place = self._known.get((project, sha), (0.0, None))
        fresh = at and time.monotonic() - at < NO_MERGE_REQUEST_FOR
        return (place,) if place or fresh else None

    def put(self, project: str, sha: str, place: Place | None) -> None:
        """Remember what was found."""
        self._known[project, sha] = time.monotonic(), place
        while len(self._known) > PLACES_KEPT:
            self._known.pop(next(iter(self._known)), None)


class Statuses:
    """The statuses of one project; ``url`` is its page."""

    def __init__(self, api: Api, places: Places, project: Project, url: str, notes: Notes) -> None:
        self._api = api
        self._places = places
        self._project = project
        self._url = url
        self._notes = notes

    def set(self, check: CheckState) -> Posted:
        """Set the status. One call, and one now and then to find its pipeline; for a fork that is not ours, up to four.

        GitLab takes no news of what is still under way: then the status stays as it is, which is nearly the same.
        Raises NotFound for a commit that is not in the project.
        """
        place = self._place(check.commit_sha)
        if place is None:
            return self._set(self._project, check, None)
        try:
            return self._set(self._api.projects.get(place.project, lazy=True), check, place.branch)
        except (NotFound, Refused) as error:
            if not place.is_fork or not _is_no_say(error):
                raise
            log.info("no status in the fork of %s!%s: %s", self._url, place.merge_request, error)
        return self._say(check, place.merge_request)

    def find(self, check: CheckState) -> Posted | None:
        """The newest status of this name, if it says what ours shall say: it has no place for the marker.

        Also the comment that stands for it. Up to three calls.
        """
        place = self._place(check.commit_sha)
        project = self._api.projects.get(place.project, lazy=True) if place else self._project
        newest = self._newest(project, check)
        wanted = self._wanted(check)
        if newest and all(newest.get("status" if key == "state" else key) == wanted[key] for key in wanted):
            return Posted(id=str(newest["id"]), url=newest.get("target_url"))
        if place is not None:
            return self._notes.find("merge_requests", place.merge_request, _marker(check))
        return None

    def _set(self, project: Project, check: CheckState, branch: str | None) -> Posted:
        wanted = {**self._wanted(check), **({"ref": branch} if branch else {})}
        try:
            with talking(write=True):
                made = project.commits.get(check.commit_sha, lazy=True).statuses.create(wanted).attributes
                return Posted(id=str(made["id"]), url=made.get("target_url"))
        except Refused as error:
            if error.status == 409:
                raise TemporaryError(str(error)) from error
            stays = error.status == 400 and "cannot transition status" in error.answer.lower()
            if not stays or check.status is CheckStatus.COMPLETED:
                raise
            there = self._newest(project, check)
            if there is None:
                raise
            return Posted(id=str(there["id"]), url=there.get("target_url"))

    def _newest(self, project: Project, check: CheckState) -> dict[str, Any] | None:
        with talking():
            listed = project.commits.get(check.commit_sha, lazy=True).statuses.list(
                name=check.name, per_page=100, get_all=False
            )
            ours = [one.attributes for one in listed if one.attributes["name"] == check.name]
            return max(ours, key=lambda one: int(one["id"]), default=None)

    def _wanted(self, check: CheckState) -> dict[str, str]:
        done = check.status is CheckStatus.COMPLETED and check.conclusion is not None
        state = STATES[check.conclusion] if done and check.conclusion else UNDER_WAY[check.status]
        url = check.url if check.url and len(check.url) <= LONGEST else self._url
        title = check.title if len(check.title) <= LONGEST else f"{check.title[: LONGEST - 1]}…"
        return {"state": state, "name": check.name, "target_url": url, "description": title}

    def _say(self, check: CheckState, merge_request: int) -> Posted:
        """Comment how a check went; nothing until it ends. Each name has one comment, about the newest commit."""
        if check.status is not CheckStatus.COMPLETED:
            return Posted(id=check.marker)
        text = check_as_comment(check.name, check.commit_sha, check.title, check.summary, check.url)
        name = f"<!-- packit_worker:{_digest(check.name)} -->"
        body = f"{text}\n\n{name}\n{_marker(check)}"
        there = self._notes.find("merge_requests", merge_request, name)
        if there is None:
            return self._notes.create("merge_requests", merge_request, body)
        self._notes.update("merge_requests", merge_request, there.id, body)
        return there

    def _place(self, sha: str) -> Place | None:
        """The open merge request whose head the commit is, or else was; the newest, of several."""
        known = self._places.get(self._url, sha)
        if known is not None:
            return known[0]
        with talking():
            listed = self._project.commits.get(sha, lazy=True).merge_requests(per_page=100, get_all=False)
            opened = [one for one in listed if one["state"] == "opened"]
            newest = max(opened, key=lambda one: (one.get("sha") == sha, int(one["iid"])), default=None)
            place = None
            if newest is not None and newest.get("source_project_id") is not None:
                place = Place(
                    project=int(newest["source_project_id"]),
                    branch=str(newest["source_branch"]),
                    merge_request=int(newest["iid"]),
                    is_fork=newest["source_project_id"] != newest["target_project_id"],
                )
        self._places.put(self._url, sha, place)
        return place


def _is_no_say(error: NotFound | Refused) -> bool:
    return isinstance(error, NotFound) or error.status in (401, 403)


def _marker(check: CheckState) -> str:
    """By it a comment is known that says all that this state does."""
    said = "\n".join((check.marker, str(check.conclusion), check.title, check.summary))
    return f"<!-- packit_worker:{_digest(said)} -->"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
