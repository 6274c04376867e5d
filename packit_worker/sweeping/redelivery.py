"""Webhooks that did not arrive: found in GitHub's list of what it sent, and asked for again.

GitHub does not try twice by itself. What it sends again comes in by the front door, under the guid of the first time,
and takes the way of every other delivery. Only a GitHub App can ask. Used by the sweeper; two may run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.journal import deliveries, effects
from packit_worker.journal.base import now
from packit_worker.journal.database import insert
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import Effect, EffectRow, EffectState
from packit_worker.ports import SentWebhook, SentWebhooks
from packit_worker.shop import Shop
from parsers.parsing import parse
from parsers.sending import held

log = logging.getLogger(__name__)

SOURCE = "github"
KIND = "redelivery"
#: For so long GitHub can send again: https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
WINDOW = timedelta(days=3)
#: What was looked at before is looked at again for so long: clocks differ, and lists lag.
OVERLAP = timedelta(minutes=10)
#: How often one delivery is asked for. One that never arrives is refused by something in front of us.
ATTEMPTS = 5
#: How many deliveries are asked for at once, and how long the others wait: GitHub wants eighty writes a minute at most,
#: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
MOST = 80
PAUSE = timedelta(minutes=1)

_BATCH = 100
#: The row whose ``sent_at`` is when somebody last began to look, and ``confirmed_at`` up to when all was looked at.
_LOOK = "redelivery"


class _Enough(Exception):
    """As many were asked for as may be in one look."""


def ask_for_missed(shop: Shop) -> int:
    """Ask GitHub to send again what did not arrive, if it is time for it. Returns how many were asked for.

    One statement when it is not. Raises JournalUnavailable.
    """
    interval, webhooks = shop.settings.limits.redelivery_interval, shop.services.webhooks
    if not interval or webhooks is None:
        return 0
    begun = now()
    with shop.journal.write() as session:
        turn = _take_turn(session, begun, timedelta(seconds=interval))
    if turn is None:
        return 0
    looked_at = turn[0]
    since = begun - WINDOW if looked_at is None else max(begun - WINDOW, looked_at - OVERLAP)
    asked = 0
    done: dict[str, datetime] = {}
    try:
        missed = list(_missed(shop, webhooks.deliveries(since), only_failed=looked_at is None))
        # The oldest first, in the order in which it happened.
        for sent in reversed(missed):
            asked += _ask(shop, webhooks, sent)
            if asked >= MOST:
                raise _Enough
        done = {"confirmed_at": begun}
    except _Enough:
        log.warning("asked GitHub for %d missed deliveries, the others are asked for in a minute", asked)
        done = {"sent_at": begun - timedelta(seconds=interval) + PAUSE}
    except (NotFound, Refused, TemporaryError) as error:
        log.warning("cannot look for missed deliveries: %s", error)
    if done:
        with shop.journal.write() as session:
            session.execute(
                update(EffectRow).where(EffectRow.key == _LOOK).values(state=EffectState.CONFIRMED, **done)
            )
    return asked


def _take_turn(session: Session, begun: datetime, interval: timedelta) -> tuple[datetime | None] | None:
    """Be the one who looks now: up to when all was looked at; None when it is not time, or another one looks."""
    statement = (
        insert(session, EffectRow)
        .values(
            key=_LOOK,
            kind=KIND,
            request={},
            state=EffectState.SENT,
            sends=1,
            created_at=begun,
            sent_at=begun,
        )
        .on_conflict_do_update(
            index_elements=["key"],
            set_={"state": EffectState.SENT, "sends": EffectRow.sends + 1, "sent_at": begun},
            where=EffectRow.sent_at <= begun - interval,
        )
        .returning(EffectRow.confirmed_at)
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else (row[0],)


def _missed(shop: Shop, sent: Iterable[SentWebhook], *, only_failed: bool) -> Iterator[SentWebhook]:
    """What the journal does not have and somebody waits for; the rest of it is written down as of no interest.

    ``only_failed``: whatever was answered well counts as arrived. So it is at the first look: what was answered before
    this journal began was somebody else's.
    """
    seen: set[str] = set()
    sent = iter(sent)
    while batch := list(islice(sent, _BATCH)):
        newest: dict[str, SentWebhook] = {}
        for one in batch:
            if one.guid not in seen:
                newest[one.guid] = one
                seen.add(one.guid)
        if only_failed:
            newest = {guid: one for guid, one in newest.items() if one.failed}
        with shop.journal.write() as session:
            known = set(session.execute(select(Delivery.id).where(Delivery.id.in_(newest))).scalars())
            missed = [one for guid, one in newest.items() if guid not in known]
            reasons = {one.guid: _of_no_interest(one) for one in missed}
            for one in missed:
                if (reason := reasons[one.guid]) is not None:
                    _write_off(session, one, reason)
        yield from (one for one in missed if reasons[one.guid] is None)


def _of_no_interest(sent: SentWebhook) -> str | None:
    """Why nothing would follow from a webhook, where its kind and action alone tell."""
    with held():
        parsed = parse(SOURCE, sent.event_type, {"action": sent.action})
    return parsed.ignored


def _write_off(session: Session, sent: SentWebhook, reason: str) -> None:
    deliveries.record(
        session,
        id=sent.guid,
        source=SOURCE,
        event_type=sent.event_type,
        headers={"X-Missed": f"sent at {sent.delivered_at.isoformat()}, answered {sent.status_code}"},
        body=b"",
        ignored=f"it did not arrive, and was not asked for again: {reason}",
    )


def _ask(shop: Shop, webhooks: SentWebhooks, sent: SentWebhook) -> int:
    """Ask for one delivery, and write it down. Returns how often, that is once or not at all. Raises TemporaryError."""
    effect = Effect(
        key=f"{KIND}/{sent.guid}",
        kind=KIND,
        event_id=None,
        request={"event": sent.event_type, "action": sent.action, "status_code": sent.status_code},
    )
    with shop.journal.write() as session:
        before = session.get(EffectRow, effect.key)
        if before is not None and (before.state == EffectState.REFUSED or before.sends >= ATTEMPTS):
            return 0
        # No look-up and no wait: intake takes a guid once, however often it comes.
        effects.begin(session, effect, anew=(EffectState.PLANNED, EffectState.SENT, EffectState.CONFIRMED))
    try:
        webhooks.redeliver(sent.id)
    except (NotFound, Refused) as error:
        log.warning("GitHub does not send %s again: %s", sent.guid, error)
        with shop.journal.write() as session:
            effects.refuse(session, effect.key, str(error))
        return 0
    except TemporaryError as error:
        with shop.journal.write() as session:
            effects.unanswered(session, effect.key, str(error))
        raise
    with shop.journal.write() as session:
        effects.confirm(session, effect.key, str(sent.id), None)
    log.info("asked GitHub to send %s %s again", sent.event_type, sent.guid)
    return 1
