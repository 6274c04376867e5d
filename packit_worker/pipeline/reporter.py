"""The reporter: what the checks of an event shall show, noted in the ledger. The lane ``report`` shows it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from packit_worker.errors import TemporaryError, UserError
from packit_worker.journal import Session, checks
from packit_worker.journal.checks import Wanted
from packit_worker.pipeline.case import Case
from packit_worker.pipeline.ledger import Ledger
from packit_worker.pipeline.planning import Run
from packit_worker.reporting import texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Saying, Words
from packit_worker.situation.origins import Origin

log = logging.getLogger(__name__)


class Reporter:
    """Reports on one event."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def show(self, runs: Sequence[Run]) -> None:
        """The checks of planned runs show their first words."""
        for run in runs:
            if run.key in self._case.facts.runs:
                continue  # an earlier attempt has shown it, and may have shown more since
            for check in run.shows:
                self.want(check, run.handler.first_words(check), None)

    def tell(self, run: Run, words: Saying, url: str | None = None) -> None:
        """Say it on all the checks of a run; of a run about news, on those that were waiting for the news.

        What has gone well in this event stays so, whatever becomes of the rest of the run.
        """
        origin, ledger = self._case.facts.origin, self._case.ledger
        for check in self._not_well(run.shows):
            again = texts.again(check.kind, origin.event if origin else None)
            self.want(check, texts.said(words, again), url)
        if not run.shows and origin is not None and origin.event_id is not None:
            jobs = self._waiting_jobs(run, origin)
            ledger.also(lambda session: end_waiting(ledger, session, origin, words, jobs))

    def want(self, check: CheckId, words: Words, url: str | None) -> None:
        """A check of the commit that the event is about shall show this."""
        origin, settings = self._case.facts.origin, self._case.shop.settings
        assert origin is not None and origin.commit_sha is not None
        event_id = origin.event_id or self._case.row.id
        # A check run shows the name of the App beside its own; a commit status has to bring it along.
        prefix = "" if origin.event.forge == "github" else f"{settings.check_prefix}/"
        self._case.ledger.want(
            Wanted(
                project_url=origin.event.project_url,
                commit_sha=origin.commit_sha,
                name=prefix + check.name,
                kind=check.kind,
                job=check.job,
                target=check.target,
                subject=origin.event.subject,
                installation_id=self._case.facts.installation_id,
                event_id=event_id,
                status=words.status,
                conclusion=words.conclusion,
                title=words.title,
                summary=words.summary,
                url=url or f"{settings.server_url}/events/{event_id}",
            )
        )

    def _not_well(self, shown: Sequence[CheckId]) -> Sequence[CheckId]:
        """The checks that this event has not shown a success on, at this attempt or an earlier one."""
        if not shown:
            return shown
        with self._case.shop.journal.read() as session:
            rows = checks.gone_well(session, self._case.row.id)
            well = {(row.kind, row.job, row.target) for row in rows}
        return [check for check in shown if (check.kind, check.job, check.target) not in well]

    def _waiting_jobs(self, run: Run, origin: Origin) -> frozenset[str]:
        """The jobs whose checks wait for the news that a run is about."""
        jobs, situation = {origin.job or ""}, self._case.situation
        if run.job is not None and origin.build is not None and situation is not None:
            try:
                jobs |= {test.key for test in situation.tests_of(run.job, origin.build.chroot)}
            except (UserError, TemporaryError) as error:
                log.warning("cannot tell which tests wait for %s: %s", origin.build.chroot, error)
        return frozenset(jobs)


def end_waiting(
    ledger: Ledger, session: Session, origin: Origin, words: Saying, jobs: Collection[str] | None = None
) -> None:
    """Give the checks that wait for news of a build or of tests their last words; of these jobs, or of all.

    Checks of a source package there are none: what waits for it waits for the packages, too.
    """
    about = origin.build or origin.test_run
    if about is None or origin.event_id is None:
        return
    for check in checks.unfinished(session, origin.event_id, about.chroot):
        if jobs is None or check.job in jobs:
            shown = texts.said(words, texts.again(check.kind, origin.event))
            ledger.want(check.with_words(shown.status, shown.conclusion, shown.title, shown.summary))
