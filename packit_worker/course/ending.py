"""The ways in which work on an event ends, each written down in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

from events.base import InvalidFact, UnknownTask, rebuild
from events.outcome import Ending, Outcome
from packit_worker import metrics
from packit_worker.errors import NotYet
from packit_worker.journal import Session, builds, checks, events
from packit_worker.journal.base import State, now
from packit_worker.journal.claims import Claim
from packit_worker.journal.events import EventRow
from packit_worker.pipeline.ledger import Ledger
from packit_worker.pipeline.reporter import end_waiting
from packit_worker.pipeline.steps import Pipeline
from packit_worker.reporting import texts
from packit_worker.reporting.texts import Saying
from packit_worker.shop import Shop
from packit_worker.situation import origins, reruns


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
