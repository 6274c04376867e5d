"""The desk of one run: how a handler reports, and does things outside once. Implements ``handlers.base.Desk``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from packit_worker.effecting import Call, Confirming, Effecting
from packit_worker.journal.checks import Wanted
from packit_worker.journal.effects import Effect
from packit_worker.pipeline.ledger import Ledger
from packit_worker.pipeline.planning import Run
from packit_worker.ports import Posted
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words

#: Notes what a check shall show.
Want = Callable[[CheckId, Words, "str | None"], None]


class RunDesk:
    """Made by the pipeline for one run."""

    def __init__(self, *, run: Run, event_id: str, ledger: Ledger, effecting: Effecting, want: Want) -> None:
        self._run = run
        self._event_id = event_id
        self._ledger = ledger
        self._effecting = effecting
        self._want = want

    def report(self, check: CheckId, words: Words, url: str | None = None) -> None:
        self._want(check, words, url)

    def report_elsewhere(self, check: Wanted) -> None:
        self._ledger.want(check)

    def afterwards(self, write: Callable[[Session], object]) -> None:
        self._ledger.also(write)

    def once(
        self,
        kind: str,
        about: str,
        request: Mapping[str, Any],
        call: Call,
        confirming: Confirming | None = None,
        key: str | None = None,
    ) -> Posted:
        effect = Effect(
            key=key or self.marker(kind, about), kind=kind, event_id=self._event_id, request=request
        )

        def confirm(session: Session, posted: Posted) -> None:
            # What is reported of an effect becomes known with it, or not at all.
            if confirming is not None:
                confirming(session, posted)
            self._ledger.write(session)

        posted = self._effecting.once(effect, call, confirm)
        self._ledger.hint()
        return posted

    def marker(self, kind: str, about: str = "") -> str:
        handler, job, target = self._run.key
        return "/".join(part for part in (kind, self._event_id, handler, job, target, about) if part)
