"""Reading deliveries: from the stored message to its event, or to the reason why there is none."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from events.base import PARSE, Event
from events.families import PullRequest, Rerun
from packit_worker import metrics, sentry, tracing
from packit_worker.broker.celery_app import PARSE_MESSAGE
from packit_worker.broker.hints import COUNTED, priority_of, scope_of
from packit_worker.errors import TemporaryError, in_short
from packit_worker.intake import Unreadable, decode
from packit_worker.interrupting import TimedOut, Watch
from packit_worker.journal import JournalUnavailable, events
from packit_worker.journal.base import State
from packit_worker.journal.claims import Claim, LostClaim, take
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.heart import Heart
from packit_worker.retrying import Retrying
from packit_worker.shop import Shop
from packit_worker.situation import reruns
from parsers.parsing import Parsed, parse
from parsers.sending import Sending, held

log = logging.getLogger(__name__)

#: What makes sendings of a body: ``parsers.parsing.parse``.
Parser = Callable[[str, "str | None", Any], Parsed]


def read(shop: Shop, heart: Heart, delivery_id: str, *, parser: Parser = parse) -> None:
    """Parse a delivery, write its event down, send the event's task. Two transactions; nothing a second time.

    A parser that fails has a bug, or this release does not know what the next will: it is tried again as often as
    anything else, and then given up with the traceback, to be replayed.
    """
    try:
        with shop.journal.write() as session:
            taken = take(session, Delivery, delivery_id, shop.lease)
        if taken is None:
            log.info("delivery %s is not to be had: unknown, read, held, or with another worker", delivery_id)
            return
        claim, delivery = taken
        limit = shop.limit(PARSE)
        with (
            tracing.delivery(delivery_id, PARSE_MESSAGE),
            sentry.working(PARSE_MESSAGE, delivery=delivery_id),
        ):
            try:
                with heart.beating_for(claim, limit.hard) as beat, Watch(limit, beat):
                    _read(shop, claim, delivery, parser)
            except (LostClaim, JournalUnavailable):
                raise
            except (Exception, TimedOut) as error:
                log.exception("the parser of delivery %s has a bug", delivery_id)
                _failed(shop, claim, delivery, error)
    except LostClaim as lost:
        log.warning("%s", lost)
    except JournalUnavailable as error:
        log.error("delivery %s is left to the sweeper: %s", delivery_id, error)


def _failed(shop: Shop, claim: Claim, delivery: Delivery, error: BaseException) -> None:
    retrying = Retrying(delivery.attempts, shop.settings.limits.max_attempts)
    what = in_short(error)
    with shop.journal.write() as session:
        if retrying.another(TemporaryError(what)):
            assert retrying.at is not None
            claim.put_back(session, retrying.at, f"its parser failed with {what}")
        else:
            trace = "".join(traceback.format_exception(error))
            why = f"its parser failed with {what}; packit-worker replay tries again\n{trace}"
            claim.finish(session, State.DEAD, why)
    if retrying.at is not None:
        metrics.job_retries.labels(PARSE).inc()
    else:
        sentry.report(error, "parse_message")


def _read(shop: Shop, claim: Claim, delivery: Delivery, parser: Parser) -> None:
    if delivery.attempts > shop.settings.limits.max_attempts:
        with shop.journal.write() as session:
            claim.finish(session, State.DEAD, "its parser died every time; packit-worker replay tries again")
        return
    made = _parse(delivery, parser)
    if not isinstance(made, Sending):
        with shop.journal.write() as session:
            claim.finish(session, *made)
        return
    to_send: list[tuple[str, Sending]] = []
    with shop.journal.write() as session:
        for event, subject in _events(session, made.event):
            sending = replace(made, event=event, kwargs=event.facts())
            event_id = events.new_id()
            is_new = events.record(
                session,
                id=event_id,
                delivery_id=delivery.id,
                task=sending.task,
                lane=sending.queue,
                kwargs=sending.kwargs,
                subject=subject,
                same_as=event.same_as,
            )
            if is_new:
                to_send.append((event_id, sending))
            if is_new and isinstance(event, PullRequest):
                events.supersede(session, subject=subject, task=sending.task, by=event_id)
        if not to_send:
            claim.finish(session, State.IGNORED, "the same fact came in another delivery")
            return
        scope = scope_of(made.kwargs.get("project_url"))
        waiting = events.waiting_of(session, scope, COUNTED) if scope else 0
        claim.finish(session, State.DONE, None)
    priority = priority_of(max(waiting - len(to_send), 0))
    for event_id, sending in to_send:
        shop.hints.sending(sending, event_id=event_id, delivery_id=delivery.id, priority=priority)


def _events(session: Session, event: Event) -> Sequence[tuple[Event, str]]:
    """What is written down of what was read, each with its subject: one event, or a re-run for each subject."""
    return reruns.split(session, event) if isinstance(event, Rerun) else [(event, event.subject)]


def _parse(delivery: Delivery, parser: Parser) -> Sending | tuple[State, str]:
    """The task to be sent, or how reading ended without one."""
    try:
        body = decode(delivery.body or b"")
    except Unreadable as error:
        return State.MALFORMED, str(error)
    with held() as sendings:
        parsed = parser(delivery.source, delivery.event_type, body)
    if parsed.malformed is not None:
        return State.MALFORMED, parsed.malformed
    if parsed.ignored is not None:
        return State.IGNORED, parsed.ignored
    (sending,) = sendings
    return sending
