"""The course of one event, from the hint to its end: claimed, taken through the four steps, its end written down."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from events.base import InvalidFact, UnknownTask, rebuild
from events.families import Result
from events.outcome import Ending, Outcome
from events.pipeline import in_place
from packit_worker import metrics, origins, reruns, sentry, tracing, urgency
from packit_worker.errors import NotFound, NotYet, Refused, TemporaryError, in_short
from packit_worker.interrupting import TimedOut, Watch
from packit_worker.journal import JournalUnavailable, Session, builds, checks, events
from packit_worker.journal.base import State, now
from packit_worker.journal.claims import Beat, Claim, Heart, LostClaim, take
from packit_worker.journal.events import EventRow
from packit_worker.ledger import Ledger
from packit_worker.pipeline import Pipeline, Shop, end_waiting
from packit_worker.reporting import texts
from packit_worker.reporting.texts import Saying

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
            pipeline.later(error)
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


class End:
    """The ways in which work on an event ends. Each is one transaction, and the hints that follow from it."""

    def __init__(self, shop: Shop, claim: Claim, row: EventRow, ledger: Ledger) -> None:
        self._shop = shop
        self._claim = claim
        self._row = row
        self._ledger = ledger

    def over(self, outcomes: Sequence[Outcome]) -> None:
        """Everything is done that this lane can do."""
        lanes = [outcome.note for outcome in outcomes if outcome.ending == Ending.DEFERRED]
        with self._shop.journal.write() as session:
            self._ledger.write(session)
            if lanes:
                self._claim.put_back(session, now(), "the rest is for another lane")
                events.move(session, self._row.id, lanes[0])
                following = None
            else:
                state, reason = self._verdict(outcomes)
                if not outcomes and self._row.claim > 1:
                    # An earlier attempt had plans, and has shown them.
                    self._end_hanging(session, partial(texts.gave_up, reason, self._row.attempts))
                self._claim.finish(session, state, reason)
                following = events.next_of(session, self._row.subject)
        self._ledger.hint()
        if lanes:
            self._shop.hints.event(self._row, lane=lanes[0])
        if following is not None:
            self._shop.hints.event(following)

    def again(self, pipeline: Pipeline) -> None:
        """Something could not be done now; the event comes again, on this lane, before what is for another lane."""
        retrying = pipeline.retrying
        assert retrying.at is not None
        with self._shop.journal.write() as session:
            self._ledger.write(session)
            self._claim.put_back(session, retrying.at, retrying.why, attempt_counts=retrying.counts)
        metrics.job_retries.labels(self._row.lane).inc()
        self._ledger.hint()

    def dead(self, why: str, trace: str | None) -> None:
        """It is given up: its checks get a final state, an operator can replay it."""
        self._ledger.decide(
            "pipeline",
            "dead",
            f"given up at attempt {self._row.attempts}: {why}",
            next_step=f"packit-worker replay {self._row.id}",
            facts={"traceback": trace} if trace else None,
        )
        words = (
            partial(texts.our_fault, self._row.id)
            if trace
            else partial(texts.gave_up, why, self._row.attempts)
        )
        with self._shop.journal.write() as session:
            self._ledger.write(session)
            self._end_hanging(session, words)
            self._end_waiting(session, words)
            self._claim.finish(session, State.DEAD, why)
            following = events.next_of(session, self._row.subject)
        self._ledger.hint()
        if following is not None:
            self._shop.hints.event(following)

    def _end_hanging(self, session: Session, words: Saying) -> None:
        """No check of the event stays pending that no build of it will complete."""
        building = builds.under_way(session, self._row.id)
        root = reruns.event_behind(session, self._row.id)
        for check in checks.unfinished(session, self._row.id):
            if check.target not in building:
                shown = texts.said(words, texts.again(check.kind, root))
                self._ledger.want(
                    check.with_words(shown.status, shown.conclusion, shown.title, shown.summary)
                )
        self._ledger.write(session)

    def _end_waiting(self, session: Session, words: Saying) -> None:
        """Nor does one that waits for the news which the event brought."""
        with contextlib.suppress(UnknownTask, InvalidFact, NotYet):
            origin = origins.find(session, rebuild(self._row.task, self._row.kwargs), self._row.id)
            if origin is not None:
                end_waiting(self._ledger, session, origin, words)
        self._ledger.write(session)

    def _verdict(self, outcomes: Sequence[Outcome]) -> tuple[State, str]:
        notes = dict.fromkeys(outcome.note for outcome in outcomes if outcome.note)
        if outcomes:
            return State.DONE, "; ".join(notes)
        return State.IGNORED, self._ledger.last.reason if self._ledger.last else "there was nothing to decide"
