"""Reading deliveries: from the stored message to its event, or to the reason why there is none."""

from __future__ import annotations

import logging

from events.families import PullRequest
from packit_worker.intake import Unreadable, decode
from packit_worker.journal import JournalUnavailable, events
from packit_worker.journal.base import State
from packit_worker.journal.claims import Claim, LostClaim, take
from packit_worker.journal.deliveries import Delivery
from packit_worker.pipeline import Shop
from parsers.parsing import parse
from parsers.sending import Sending, held

log = logging.getLogger(__name__)


def read(shop: Shop, delivery_id: str) -> None:
    """Parse a delivery, write its event down, send the event's task. Two transactions; nothing a second time."""
    try:
        with shop.journal.write() as session:
            taken = take(session, Delivery, delivery_id, shop.lease)
        if taken is None:
            log.debug("delivery %s is not to be had: read, held, or with another worker", delivery_id)
            return
        _read(shop, *taken)
    except LostClaim as lost:
        log.warning("%s", lost)
    except JournalUnavailable as error:
        log.error("delivery %s is left to the sweeper: %s", delivery_id, error)


def _read(shop: Shop, claim: Claim, delivery: Delivery) -> None:
    if delivery.attempts > shop.settings.limits.max_attempts:
        with shop.journal.write() as session:
            claim.finish(session, State.DEAD, "its parser died every time; packit-worker replay tries again")
        return
    made = _parse(delivery)
    if not isinstance(made, Sending):
        with shop.journal.write() as session:
            claim.finish(session, *made)
        return
    event_id = events.new_id()
    with shop.journal.write() as session:
        is_new = events.record(
            session,
            id=event_id,
            delivery_id=delivery.id,
            task=made.task,
            lane=made.queue,
            kwargs=made.kwargs,
            subject=made.event.subject,
            same_as=made.event.same_as,
        )
        if not is_new:
            claim.finish(session, State.IGNORED, "the same fact came in another delivery")
            return
        if isinstance(made.event, PullRequest):
            events.supersede(session, subject=made.event.subject, task=made.task, by=event_id)
        claim.finish(session, State.DONE, None)
    shop.hints.sending(made, event_id=event_id, delivery_id=delivery.id)


def _parse(delivery: Delivery) -> Sending | tuple[State, str]:
    """The task to be sent, or how reading ended without one."""
    try:
        body = decode(delivery.body or b"")
    except Unreadable as error:
        return State.MALFORMED, str(error)
    with held() as sendings:
        parsed = parse(delivery.source, delivery.event_type, body)
    if parsed.malformed is not None:
        return State.MALFORMED, parsed.malformed
    if parsed.ignored is not None:
        return State.IGNORED, parsed.ignored
    (sending,) = sendings
    return sending
