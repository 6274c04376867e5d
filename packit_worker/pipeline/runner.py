"""The runner: runs handlers one by one, and deals with whatever they raise. Nothing of it reaches the next run."""

from __future__ import annotations

import logging
import traceback
from functools import partial

from events.outcome import Ending, Outcome
from packit_worker import metrics, sentry, tracing, urgency
from packit_worker.effecting import Effecting
from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError, UserError
from packit_worker.handlers.base import Context
from packit_worker.interrupting import Progress, TimedOut
from packit_worker.journal import JournalUnavailable
from packit_worker.journal.base import now
from packit_worker.journal.claims import LostClaim
from packit_worker.journal.runs import RunState
from packit_worker.pipeline.case import Case
from packit_worker.pipeline.desk import RunDesk
from packit_worker.pipeline.planning import Run
from packit_worker.pipeline.reporter import Reporter
from packit_worker.reporting import texts
from packit_worker.retrying import Retrying

log = logging.getLogger(__name__)


class Runner:
    """Runs the handlers of one event."""

    def __init__(
        self, case: Case, reporter: Reporter, effecting: Effecting, retrying: Retrying, progress: Progress
    ) -> None:
        self._case = case
        self._reporter = reporter
        self._effecting = effecting
        self._retrying = retrying
        self._progress = progress

    def run(self, run: Run) -> Outcome:
        """Run one handler; whatever it raises is the ending of this run alone. Raises LostClaim, JournalUnavailable."""
        case = self._case
        case.ledger.commit(case.shop.lease)
        before = case.facts.runs.get(run.key)
        if before is not None and before.state in (RunState.DONE, RunState.FAILED):
            return _outcome(run, Ending(before.state), before.note or "")
        if run.handler.lane is not None and run.handler.lane != case.row.lane:
            return _outcome(run, Ending.DEFERRED, run.handler.lane)
        handler, job, target = run.key
        started = now()
        with tracing.span(handler, job=job or None, target=target or None) as part:
            ending, note, error = self._run(run)
            part.set(ending=ending.value)
        metrics.job_duration_seconds.labels(handler, ending.value).observe((now() - started).total_seconds())
        case.ledger.result(
            {
                "handler": handler,
                "job": job,
                "target": target,
                "state": RunState(ending.value),
                "note": note,
                "error": error,
                "started_at": started,
                "finished_at": now(),
            }
        )
        return _outcome(run, ending, note)

    def _run(self, run: Run) -> tuple[Ending, str, str | None]:
        """Ending, note and (of a bug) the traceback."""
        self._progress.goes_on()
        name, tell = run.handler.__name__, self._reporter.tell
        attempts = self._case.row.attempts
        try:
            with urgency.first_status(False):
                return Ending.DONE, run.handler(self._context(run)).run(), None
        except (LostClaim, JournalUnavailable):
            raise
        except UserError as error:
            tell(run, texts.user_error(str(error), error.next_step), error.url)
            return Ending.FAILED, str(error), None
        except (Refused, NotFound) as error:
            tell(run, texts.user_error(str(error), texts.REFUSED_NEXT))
            return Ending.FAILED, str(error), None
        except TemporaryError as error:
            if self._retrying.another(error):
                if isinstance(error, RateLimited):
                    self._case.ledger.later(error)
                return Ending.RETRY, str(error), None
            sentry.report(error, name)
            tell(run, partial(texts.gave_up, str(error), attempts))
            return Ending.FAILED, f"given up after {attempts} attempts: {error}", None
        except TimedOut as late:
            self._progress.goes_on()
            log.error("%s %s", name, late)
            sentry.report(late, name)
            tell(run, partial(texts.timed_out, str(late)))
            return Ending.FAILED, str(late), traceback.format_exc()
        except Exception as error:
            log.exception("%s has a bug", name)
            sentry.report(error, name)
            tell(run, partial(texts.our_fault, self._case.row.id))
            return Ending.FAILED, f"a bug: {type(error).__name__}", traceback.format_exc()

    def _context(self, run: Run) -> Context:
        case = self._case
        assert case.situation is not None
        return Context(
            event=case.event,
            event_id=case.row.id,
            origin=case.facts.origin,
            situation=case.situation,
            job=run.job,
            settings=case.shop.settings,
            services=case.shop.services,
            journal=case.shop.journal,
            desk=RunDesk(
                run=run,
                event_id=case.row.id,
                ledger=case.ledger,
                effecting=self._effecting,
                want=self._reporter.want,
            ),
            project=case.project,
            reply=run.reply,
        )


def _outcome(run: Run, ending: Ending, note: str) -> Outcome:
    handler, job, target = run.key
    return Outcome(handler=handler, job=job, target=target, ending=ending, note=note)
