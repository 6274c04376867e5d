"""The ledger of one event at work: what was decided, planned, reported and done, until it is written down.

Kept in memory so that it can be written in few transactions: one before the first run, one with every effect, one
at the end. A worker that dies in between loses nothing that anybody outside has seen; the next one decides the same
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from packit_worker.broker.hints import Hints
from packit_worker.errors import RateLimited, TemporaryError
from packit_worker.journal import Journal, checks, decisions, projects, runs
from packit_worker.journal.checks import Wanted
from packit_worker.journal.claims import Claim
from packit_worker.journal.decisions import Decision
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunKey
from packit_worker.situation.configs import Reading


class Ledger:
    """What is not written down yet."""

    def __init__(self, journal: Journal, hints: Hints, claim: Claim, row: EventRow) -> None:
        self._journal = journal
        self._hints = hints
        self._claim = claim
        self._row = row
        self._decisions: list[Decision] = []
        self._wanted: list[Wanted] = []
        self._planned: list[RunKey] = []
        self._results: list[Mapping[str, Any]] = []
        self._project: dict[str, Any] | None = None
        self._config: tuple[str, str, Reading] | None = None
        self._writes: list[Callable[[Session], object]] = []
        self._to_hint: list[str] = []
        #: The last decision, for the reason of an event that came to nothing.
        self.last: Decision | None = None

    def decide(
        self,
        step: str,
        verdict: str,
        reason: str,
        *,
        next_step: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Note a decision."""
        self.decided(
            [Decision(step=step, verdict=verdict, reason=reason, next_step=next_step, facts=facts or {})]
        )

    def decided(self, made: Iterable[Decision]) -> None:
        """Note decisions."""
        self._decisions += made
        if self._decisions:
            self.last = self._decisions[-1]

    def later(self, error: TemporaryError) -> None:
        """Note that something has to wait: for a rate limit, or because it failed."""
        if isinstance(error, RateLimited):
            self.decide("rate limit", "waits", str(error))
        else:
            self.decide("pipeline", "later", str(error))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions that are not written down yet."""
        return tuple(self._decisions)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What checks shall show, as far as it is not written down yet; the last word on each."""
        return tuple({check.name: check for check in self._wanted}.values())

    def want(self, check: Wanted) -> None:
        """Note what a check shall show; the last word counts."""
        self._wanted.append(check)

    def plan(self, keys: Iterable[RunKey]) -> None:
        """Note what is going to be run, instead of what was noted before."""
        self._planned = list(keys)

    def result(self, result: Mapping[str, Any]) -> None:
        """Note how a run went."""
        self._results.append(result)

    def also(self, write: Callable[[Session], object]) -> None:
        """Note a write of a handler's."""
        self._writes.append(write)

    def seen(self, url: str, *, is_private: bool | None, installation_id: int | None) -> None:
        """Note a project, or what is new about it."""
        self._project = {"url": url, "is_private": is_private, "installation_id": installation_id}

    def read(self, project_url: str, commit_sha: str, reading: Reading) -> None:
        """Note a package configuration that was read."""
        self._config = (project_url, commit_sha, reading)

    def commit(self, lease: timedelta) -> None:
        """Write everything down in a transaction of its own, if there is anything that matters now.

        How runs went can wait for the next effect or the end: a worker that dies before that finds their effects done,
        and twenty jobs take no more transactions than one. Raises ``LostClaim``.
        """
        if not (self._decisions or self._wanted or self._planned or self._writes):
            return
        with self._journal.write() as session:
            self._claim.fence(session, lease)
            self.write(session)
        self.hint()

    def write(self, session: Session) -> None:
        """Write everything down in a transaction of the caller's, who calls ``hint`` after it."""
        if self._project is not None:
            projects.see(session, **self._project)
        if self._config is not None:
            url, commit_sha, reading = self._config
            projects.keep_config(session, url, commit_sha, reading.path, reading.text, reading.spec_files)
        decisions.record(session, self._row.id, self._row.attempts, self._decisions)
        runs.plan(session, self._row.id, self._planned)
        runs.write_results(session, self._row.id, self._results)
        for write in self._writes:
            write(session)
        self._to_hint += checks.want(session, self._wanted)
        self._project, self._config = None, None
        self._decisions, self._planned, self._results, self._wanted = [], [], [], []
        self._writes = []

    def hint(self) -> None:
        """After the transaction: wake the lane ``report`` for the checks that have something new to show."""
        ids, self._to_hint = self._to_hint, []
        for check_id in ids:
            self._hints.check(check_id, since=self._row.created_at.timestamp())
