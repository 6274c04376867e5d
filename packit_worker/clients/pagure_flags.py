"""How checks are shown on Pagure: as flags of the commit, and of the pull requests whose head it is.

Only ``clients`` imports it. https://pagure.io/api/0/#commits-tab and https://pagure.io/api/0/#pull_requests-tab
"""

from __future__ import annotations

import hashlib
import time
from urllib.parse import quote

from ogr.services.pagure.project import PagureProject as OgrProject

from packit_worker.clients.pagure_access import talking
from packit_worker.errors import NotFound
from packit_worker.ports import CheckState, CheckStatus, Conclusion, Posted

#: Characters of a flag's uid: https://pagure.io/pagure/blob/master/f/pagure/lib/model.py
UID_LENGTH = 32
#: Characters; ours: what is longer is no line in a list of flags any more.
COMMENT_LIMIT = 140
#: Seconds for which it is believed that a commit is the head of no pull request.
NO_PULL_REQUEST_FOR = 60.0
#: Commits whose pull requests are remembered.
HEADS_KEPT = 1000


STATES = {
    None: "pending",
    Conclusion.SUCCESS: "success",
    Conclusion.NEUTRAL: "success",
    Conclusion.SKIPPED: "success",
    Conclusion.FAILURE: "failure",
    Conclusion.ACTION_REQUIRED: "failure",
    Conclusion.CANCELLED: "canceled",
    Conclusion.TIMED_OUT: "error",
}


class Heads:
    """Which pull requests have which commit as their head, as far as it is known. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, tuple[int, ...]]] = {}

    def get(self, project: str, sha: str) -> tuple[int, ...] | None:
        """The numbers of the pull requests; None where they have to be looked for."""
        at, numbers = self._known.get((project, sha), (0.0, ()))
        fresh = at and time.monotonic() - at < NO_PULL_REQUEST_FOR
        return numbers if numbers or fresh else None

    def put(self, project: str, sha: str, numbers: tuple[int, ...]) -> None:
        """Remember what was found."""
        self._known[project, sha] = time.monotonic(), numbers
        while len(self._known) > HEADS_KEPT:
            self._known.pop(next(iter(self._known)), None)


class Flags:
    """The flags of one project; ``path`` is its name, ``fallback_url`` what flags without a page link to."""

    def __init__(self, project: OgrProject, heads: Heads, path: str, fallback_url: str) -> None:
        self._project = project
        self._heads = heads
        self._path = path
        self._fallback_url = fallback_url

    def set(self, check: CheckState) -> Posted:
        """Set the flags of this check; those of the same marker are changed. Raises NotFound where none could be."""
        wanted = self._wanted(check)
        places = [("pull-request", str(number), "flag") for number in self._pull_requests(check.commit_sha)]
        flagged = False
        for place in (*places, ("c", quote(check.commit_sha, safe=""), "flag")):
            try:
                with talking(self._project.service, write=True):
                    self._project._call_project_api(*place, method="POST", data=wanted)
                flagged = True
            except NotFound:
                # The commits of a fork need not be in the project.
                if place[0] == "c" and not flagged:
                    raise
        return Posted(id=wanted["uid"], url=wanted["url"])

    def find(self, check: CheckState) -> Posted | None:
        """The newest flag of this name on the commit, if it says what ours shall say: Pagure does not show the uid."""
        wanted = self._wanted(check)
        try:
            with talking(self._project.service):
                listed = self._project._call_project_api("c", quote(check.commit_sha, safe=""), "flag")
                flags = [flag for flag in listed["flags"] if flag["username"] == check.name]
        except NotFound:
            return None
        if not flags or any(flags[0].get(key) != wanted[key] for key in ("comment", "url", "status")):
            return None
        return Posted(id=wanted["uid"], url=wanted["url"])

    def _wanted(self, check: CheckState) -> dict[str, str]:
        conclusion = check.conclusion if check.status is CheckStatus.COMPLETED else None
        title = check.title if len(check.title) <= COMMENT_LIMIT else f"{check.title[: COMMENT_LIMIT - 1]}…"
        return {
            "username": check.name,
            # Pagure takes no flag without words or without a link.
            "comment": title or check.status.value,
            "url": check.url or self._fallback_url,
            "status": STATES[conclusion],
            "uid": hashlib.sha256(check.marker.encode()).hexdigest()[:UID_LENGTH],
        }

    def _pull_requests(self, sha: str) -> tuple[int, ...]:
        """The pull requests whose head the commit is: open ones, else those that were closed meanwhile.

        Among the newest hundred of each. No call where they are known, else one or two.
        """
        known = self._heads.get(self._path, sha)
        if known is not None:
            return known
        numbers: tuple[int, ...] = ()
        for status in ("Open", "All"):
            with talking(self._project.service):
                asked = {"status": status, "per_page": 100}
                found = self._project._call_project_api("pull-requests", params=asked)
                numbers = tuple(int(one["id"]) for one in found["requests"] if one.get("commit_stop") == sha)
            if numbers:
                break
        self._heads.put(self._path, sha, numbers)
        return numbers
