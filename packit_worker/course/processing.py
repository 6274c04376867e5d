"""The course of one event, from the hint to its end: claimed, taken through the four steps, its end written down."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace

from events.base import InvalidFact, UnknownTask, rebuild
from events.families import Result
from events.pipeline import in_place
from packit_worker import metrics, sentry, tracing, urgency
from packit_worker.course.ending import End
from packit_worker.errors import NotFound, NotYet, Refused, TemporaryError, in_short
from packit_worker.interrupting import TimedOut, Watch
from packit_worker.journal import JournalUnavailable
from packit_worker.journal.base import now
from packit_worker.journal.claims import Claim, LostClaim, take
from packit_worker.journal.events import EventRow
from packit_worker.journal.heart import Beat, Heart
from packit_worker.pipeline.ledger import Ledger
from packit_worker.pipeline.steps import Pipeline
from packit_worker.shop import Shop

log = logging.getLogger(__name__)


def process(shop: Shop, heart: Heart, event_id: str, priority: int = 0) -> None:
    """Process an event, if it is there to be had: open, due, not with another worker, and its subject's turn.

    What follows from it is hinted at with the ``priority`` that it had itself.
    """
    shop = replace(shop, hints=shop.hints.at(priority))
    with shop.journal.write() as session:
        taken = take(session, EventRow, event_id, shop.lease)
    if taken is None:
        log.info("event %s is not to be had: unknown, done, with another worker, or not yet due", event_id)
        return
    claim, row = taken
    if row.claim == 1:
        metrics.event_pickup_seconds.labels(row.lane).observe((now() - row.created_at).total_seconds())
    project = row.kwargs.get("project_url")
    with (
        tracing.delivery(row.delivery_id, row.task, event=row.id, lane=row.lane),
        sentry.working(row.task, project=project, delivery=row.delivery_id, event=row.id),
    ):
        try:
            with heart.beating_for(claim, shop.limit(row.lane).hard) as beat:
                _process(shop, claim, row, beat)
        except LostClaim as lost:
            log.warning("%s", lost)
        except JournalUnavailable as error:
            # The lease runs out and the sweeper hands the event to whoever can reach the journal.
            log.error("event %s is left to the sweeper: %s", event_id, error)
        except Exception as error:
            # The lease runs out here, too; when it has come to that too often, the event is given up in few words.
            log.exception("the end of event %s could not be written down", event_id)
            sentry.report(error, "pipeline")


def _process(shop: Shop, claim: Claim, row: EventRow, beat: Beat) -> None:
    end = End(shop, claim, row, Ledger(shop.journal, shop.hints, claim, row))
    if row.attempts > shop.settings.limits.max_attempts:
        end.dead("its worker died or hung every time", None)
        return
    try:
        event = rebuild(row.task, row.kwargs)
    except (UnknownTask, InvalidFact) as wrong:
        end.dead(f"this release cannot read the event: {wrong}", None)
        return
    watch = Watch(shop.limit(row.lane), beat)
    pipeline = Pipeline(shop, claim, row, event, watch)
    end = End(shop, claim, row, pipeline.ledger)
    try:
        # News of builds and tests come when the first status was shown long ago.
        with watch, in_place(pipeline), urgency.first_status(not isinstance(event, Result)):
            outcomes = event.process()
    except (LostClaim, JournalUnavailable):
        raise
    except (TemporaryError, TimedOut) as raised:
        # What is not a run's took too long: the next attempt may find the forge quicker.
        error = raised if isinstance(raised, TemporaryError) else TemporaryError(str(raised))
        if pipeline.retrying.another(error):
            pipeline.ledger.later(error)
            end.again(pipeline)
        elif isinstance(error, NotYet):
            pipeline.ledger.decide("origin", "ignored", "no order of ours turned up that it could belong to")
            end.over([])
        else:
            sentry.report(raised, "pipeline")
            end.dead(str(error), None)
    except (NotFound, Refused) as error:
        pipeline.ledger.decide("forge", "ignored", f"the forge does not help: {error}")
        end.over([])
    except Exception as error:
        log.exception("the pipeline has a bug")
        sentry.report(error, "pipeline")
        # A fresh ledger: what cannot be written down may be what the bug is about.
        end = End(shop, claim, row, Ledger(shop.journal, shop.hints, claim, row))
        end.dead(f"a bug: {in_short(error)}", traceback.format_exc())
    else:
        if pipeline.retrying.at is not None:
            end.again(pipeline)
        else:
            end.over(outcomes)
