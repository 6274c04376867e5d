"""Showing checks on the forge: the work of the lane ``report``. The newest wanted state of a check wins."""

from __future__ import annotations

import logging
import time

from sqlalchemy.orm import Session

from events.base import REPORT
from packit_worker import metrics, sentry, tracing, urgency
from packit_worker.broker.celery_app import SHOW_CHECK
from packit_worker.effecting import Calls, Effecting
from packit_worker.errors import NotFound, Refused, TemporaryError, in_short
from packit_worker.interrupting import TimedOut, Watch
from packit_worker.journal import JournalUnavailable, checks, story
from packit_worker.journal.base import State
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import Claim, LostClaim, take
from packit_worker.journal.effects import Effect
from packit_worker.journal.heart import Heart
from packit_worker.ports import Posted
from packit_worker.retrying import Retrying
from packit_worker.shop import Shop

log = logging.getLogger(__name__)

CHECK = "check"
#: A forge may be away for long; its users' checks are worth more attempts than a handler's run.
ATTEMPTS = 20


def show(shop: Shop, heart: Heart, check_id: str, *, since: float | None = None) -> None:
    """Show a check's wanted state, and go on while newer ones come in.

    ``since``: when the event behind it came up, in seconds since the epoch, where that is known.
    """
    try:
        while True:
            with shop.journal.write() as session:
                taken = take(session, CheckRow, check_id, shop.lease)
            if taken is None:
                log.info(
                    "check %s is not to be had: unknown, shown, with another worker, or not yet due", check_id
                )
                return
            limit = shop.limit(REPORT)
            row = taken[1]
            with (
                tracing.delivery(_delivery(shop, row), SHOW_CHECK, event=row.event_id, check=row.name),
                sentry.working(SHOW_CHECK, project=row.project_url, event=row.event_id, check=check_id),
                heart.beating_for(taken[0], limit.hard) as beat,
                Watch(limit, beat),
            ):
                if not _show(shop, *taken, since):
                    return
    except LostClaim as lost:
        log.warning("%s", lost)
    except TimedOut as late:
        # Its lease runs out, and the attempt has counted.
        log.error("showing check %s %s", check_id, late)
    except JournalUnavailable as error:
        log.error("check %s is left to the sweeper: %s", check_id, error)


def _delivery(shop: Shop, row: CheckRow) -> str | None:
    """The delivery that a check is shown for, for whoever traces it."""
    if not tracing.is_on() or row.event_id is None:
        return None
    with shop.journal.read() as session:
        return story.delivery_of(session, row.event_id)


def _show(shop: Shop, claim: Claim, row: CheckRow, since: float | None) -> bool:
    """Show one version. True when a newer one is wanted by now."""
    if row.attempts > ATTEMPTS:
        return _close(shop, claim, row, State.DEAD, "whoever showed it died every time")
    retrying = Retrying(row.attempts, ATTEMPTS, since=row.wanted_at)
    try:
        if row.shown_version < row.version:
            _tell(shop, claim, row, since)
    except (LostClaim, JournalUnavailable):
        raise
    except TemporaryError as error:
        if retrying.another(error):
            assert retrying.at is not None
            with shop.journal.write() as session:
                claim.put_back(session, retrying.at, str(error), attempt_counts=retrying.counts)
            metrics.job_retries.labels(REPORT).inc()
            return False
        sentry.report(error, "show_check")
        return _close(shop, claim, row, State.DEAD, str(error))
    except (Refused, NotFound) as error:
        return _close(shop, claim, row, State.DEAD, f"the forge does not take it: {error}")
    except Exception as error:
        log.exception("showing check %s has a bug", row.id)
        sentry.report(error, "show_check")
        return _close(shop, claim, row, State.DEAD, f"a bug: {in_short(error)}")
    return _close(shop, claim, row, State.DONE, None)


def _tell(shop: Shop, claim: Claim, row: CheckRow, since: float | None) -> None:
    project = shop.services.forge(row.project_url).project(row.project_url, row.installation_id)
    wanted = row.as_state()
    effecting = Effecting(shop.journal, claim, lease=shop.lease, settle=shop.settle)

    def is_shown(session: Session, posted: Posted) -> None:
        checks.shown(session, row.id, row.version, posted.id, posted.url)

    def exists(session: Session, posted: Posted) -> None:
        checks.shown(session, row.id, 0, posted.id, posted.url)

    def update() -> Posted:
        project.update_check(there.id, wanted)
        return there

    if row.external_id is None:
        # Its creation has one key for all versions: an earlier version may have been created without an answer.
        created = False

        def create() -> Posted:
            nonlocal created
            created = True
            return project.create_check(wanted)

        calls = Calls(create, lambda: project.find_check(wanted))
        with urgency.first_status():
            there = effecting.once(
                _effect(row, "create"),
                calls,
                lambda session, posted: is_shown(session, posted) if created else exists(session, posted),
                # What was refused in an earlier version may be what the newer one has left out.
                ask_again=True,
            )
        if created:
            if since is not None:
                metrics.first_status_seconds.observe(max(time.time() - since, 0.0))
            return
    else:
        there = Posted(id=row.external_id, url=row.external_url)
    # One effect per version: what was shown, and when, stays in the journal. Changing a check a second time changes
    # nothing, so there is nothing to look for; but a change without an answer has to settle, or it might overtake
    # the next.
    effecting.once(_effect(row, str(row.version)), Calls(update, lambda: None), is_shown)


def _effect(row: CheckRow, what: str) -> Effect:
    return Effect(
        key=f"{CHECK}/{row.id}/{what}",
        kind=CHECK,
        event_id=row.event_id,
        request={
            "name": row.name,
            "commit": row.commit_sha,
            "status": row.status,
            "conclusion": row.conclusion,
            "title": row.title,
        },
    )


def _close(shop: Shop, claim: Claim, row: CheckRow, state: State, reason: str | None) -> bool:
    """Let go of the check; True when it is to be taken up again, because a newer version came in meanwhile."""
    with shop.journal.write() as session:
        claim.finish(session, state, reason)
        return checks.reopen_if_newer(session, row.id, row.version)
