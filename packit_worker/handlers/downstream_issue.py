"""The one issue upstream about a release that could not be proposed: opened, kept up to date, closed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from packit_worker import releases
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, Refused
from packit_worker.handlers.base import Context
from packit_worker.journal import checks
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.ports import Conclusion, Posted
from packit_worker.reporting import names, texts
from packit_worker.situation.job import Job

ISSUE, CLOSED = "release_issue", "close_issue"


def update(
    context: Context, job: Job, tag: str, failed: Mapping[str, str], done: set[str], open_one: bool
) -> str:
    """Have the issue say what is the matter now; closed, where nothing is. Returns a note.

    ``failed``: the branches of this run that failed, and why; ``done``: those that did not. ``open_one``: whether there
    is to be an issue, where there is none.
    """
    assert context.origin is not None
    project, url = context.project(), context.origin.event.project_url
    marker = releases.marker(url, tag)
    key = f"{ISSUE}/{hashlib.sha256(marker.encode()).hexdigest()}"
    with context.journal.read() as session:
        there = session.get(EffectRow, key)
    known = there is not None and there.state == EffectState.CONFIRMED
    if not known and not (open_one and failed):
        return ""
    failing = [*failed.items(), *_of_others(context, job, {*failed, *done})]
    title = texts.propose_failed_title(tag)
    body = texts.propose_failed_body(tag, failing, marker)
    request = {"project": url, "tag": tag}
    written = False

    def create() -> Posted:
        nonlocal written
        written = True
        return project.create_issue(title, body)

    try:
        posted = context.desk.once(
            ISSUE, tag, request, Calls(create, lambda: project.find_issue(marker)), key=key
        )
        if written:
            return f"opened the issue {posted.url}"

        def change() -> Posted:
            if failing:
                project.update_issue(int(posted.id), title, body)
            else:
                project.close_issue(int(posted.id))
            return posted

        # Saying the same a second time changes nothing, so there is nothing to look for.
        context.desk.once(
            ISSUE if failing else CLOSED,
            tag,
            request,
            Calls(change, lambda: None),
            key=f"{key}/{context.event_id}/{job.key}",
        )
    except (NotFound, Refused) as error:
        return f"no issue: {error}"
    return f"{'updated' if failing else 'closed'} the issue {posted.url}"


def close(context: Context, job: Job, number: int, branches: set[str]) -> str:
    """Close the issue that a comment asked in, where the release is proposed for all branches of all jobs by now."""
    if any(row.conclusion != Conclusion.SUCCESS for row in _others(context, job, branches)):
        return ""
    project = context.project()

    def send() -> Posted:
        project.close_issue(number)
        return Posted(id=str(number))

    try:
        # Closing a second time changes nothing, so there is nothing to look for.
        context.desk.once(CLOSED, str(number), {"number": number}, Calls(send, lambda: None))
    except (NotFound, Refused) as error:
        return f"the issue could not be closed: {error}"
    return "closed the issue that it was asked for in"


def _of_others(context: Context, job: Job, branches: set[str]) -> list[tuple[str, str]]:
    """Branches that this release could not be proposed for by other jobs, and by this one at another time."""
    return [
        (row.target, row.title)
        for row in _others(context, job, branches)
        if row.conclusion == Conclusion.FAILURE
    ]


def _others(context: Context, job: Job, branches: set[str]) -> list[CheckRow]:
    """The checks of this release that are not about these branches of the job."""
    assert context.origin is not None and context.origin.commit_sha is not None
    with context.journal.read() as session:
        return [
            row
            for row in checks.of_commit(session, context.origin.event.project_url, context.origin.commit_sha)
            if row.kind == names.PROPOSE_DOWNSTREAM and not (row.job == job.key and row.target in branches)
        ]
