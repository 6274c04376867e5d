"""Comments on a pull request that the package configuration asks for: on builds that went well, on what failed."""

from __future__ import annotations

import hashlib
import logging

from events.families import PullRequest, PullRequestComment
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, Refused
from packit_worker.handlers.base import Context
from packit_worker.handlers.help import COMMENT
from packit_worker.reporting.comments import failure

log = logging.getLogger(__name__)


def comment(context: Context, about: str, text: str) -> None:
    """Say something on the pull request, once for what it is ``about``. On pushes and releases, nothing."""
    assert context.origin is not None
    event = context.origin.event
    match event:
        case PullRequest() | PullRequestComment():
            number = event.pr_id
        case _:
            return
    project = context.project()
    name = hashlib.sha256(about.encode()).hexdigest()
    marker = f"<!-- packit_worker:{name} -->"
    body = f"{text}\n\n{marker}"
    calls = Calls(lambda: project.create_comment(number, body), lambda: project.find_comment(number, marker))
    try:
        context.desk.once(COMMENT, name, {"number": number, "text": body}, calls, key=f"{COMMENT}/{name}")
    except (NotFound, Refused) as error:
        # The checks tell the same.
        log.info("no comment on %s: %s", event.subject, error)


def of_failure(context: Context, event_id: str, url: str | None, log_url: str | None) -> None:
    """Say what the job wants said where it fails (failure_comment), once for each commit and wording.

    ``event_id`` is that of the event that ordered; ``url`` the page of the build or test, ``log_url`` that of its log.
    https://packit.dev/docs/configuration#notifications
    """
    assert context.origin is not None and context.job is not None
    message = context.job.config.notifications.failure_message
    if not message:
        return
    commit = context.origin.commit_sha or ""
    values = {
        "commit_sha": commit,
        "packit_dashboard_url": f"{context.settings.server_url}/events/{event_id}",
        "external_dashboard_url": url or "",
        "logs_url": log_url or url or "",
    }
    # Of several chroots that fail one is enough.
    comment(context, f"{context.origin.event.subject} {commit} failed {message}", failure(message, values))
