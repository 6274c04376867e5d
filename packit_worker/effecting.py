"""Doing things outside once: written down before, confirmed after, looked up when the fate of a call is unknown."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from packit_worker import metrics, tracing
from packit_worker.errors import NotFound, Refused, Settling, TemporaryError, Unanswered
from packit_worker.journal import Journal, effects
from packit_worker.journal.base import now
from packit_worker.journal.claims import Claim, LostClaim
from packit_worker.journal.effects import Effect, EffectRow, EffectState
from packit_worker.ports import Posted

log = logging.getLogger(__name__)

#: After so many calls without an answer, of which none had arrived, waiting for one is a failure of the attempt.
MOST_SENDS = 10
#: States in which the other side is known not to have it.
_NOT_DONE = (EffectState.PLANNED, EffectState.REFUSED)

#: Writes that belong to a confirmed effect, in the transaction that confirms it.
Confirming = Callable[[Session, Posted], None]


class Call(Protocol):
    """An effect's two calls."""

    def send(self) -> Posted:
        """Do it."""

    def find(self) -> Posted | None:
        """Whether the other side has it already."""


@dataclass(frozen=True)
class Calls:
    """The two calls, from two functions."""

    send: Callable[[], Posted]
    find: Callable[[], Posted | None]


class AlreadyRefused(Refused):
    """The other side refused this effect in an earlier life of the run."""


class Effecting:
    """Does effects under a claim. ``settle`` is how long a call without an answer may still be carried out."""

    def __init__(self, journal: Journal, claim: Claim, *, lease: timedelta, settle: timedelta) -> None:
        self._journal = journal
        self._claim = claim
        self._lease = lease
        self._settle = settle

    def once(
        self, effect: Effect, call: Call, confirming: Confirming | None = None, *, ask_again: bool = False
    ) -> Posted:
        """Do an effect that has not been done, or say what came of it when it was.

        Two transactions beside the call. Raises what the call raises: after ``Unanswered`` the fate is unknown, and the
        next attempt finds out; after ``Refused`` and ``NotFound`` the answer stays no (but ``ask_again``); after
        another ``TemporaryError`` nothing happened. Raises ``LostClaim`` when another worker has taken the work over.
        """
        moment = time.monotonic()
        with self._journal.write() as session:
            self._claim.fence(session, self._lease)
            begun = effects.begin(session, effect, anew=_NOT_DONE if ask_again else _NOT_DONE[:1])
        number = begun.number
        if begun.there is not None:
            settled = self._settled(effect, begun.there, call, confirming)
            if isinstance(settled, Posted):
                return settled
            number = settled
            moment = time.monotonic()
        if time.monotonic() - moment > self._lease.total_seconds() / 2:
            # This worker was stopped since it wrote down that it would call; another may have begun to look.
            with self._journal.write() as session:
                self._claim.fence(session, self._lease)
        return self._send(effect, number, call, confirming)

    def _settled(
        self, effect: Effect, there: EffectRow, call: Call, confirming: Confirming | None
    ) -> Posted | int:
        """What an effect found in the journal has come to, or the number of the call that may be made."""
        if there.state == EffectState.CONFIRMED:
            return Posted(id=there.external_id or "", url=there.external_url)
        if there.state == EffectState.REFUSED:
            raise AlreadyRefused(there.error or "it was refused before")
        assert there.sent_at is not None
        wait = (there.sent_at + self._settle - now()).total_seconds()
        if wait > 0:
            # Without this wait a call still on its way is missed by the look-up and made a second time.
            raise Settling(
                f"{effect.kind} was sent {self._settle.total_seconds() - wait:.0f} s ago and no answer came; "
                "it may still be carried out",
                retry_after=wait + 0.1,
            )
        with tracing.span(f"look for {effect.kind}"):
            found = call.find()
        if found is not None:
            self._confirm(effect, found, confirming)
            return found
        with self._journal.write() as session:
            self._claim.fence(session, self._lease)
            if there.sends >= MOST_SENDS:
                effects.not_sent(session, effect.key, "it never arrived", there.sends)
                number = None
            else:
                number = effects.send_again(session, effect, there.sends)
        if there.sends >= MOST_SENDS:
            raise TemporaryError(f"{effect.kind} was sent {there.sends} times and never arrived")
        if number is None:
            raise LostClaim(f"{effect.key} was settled by somebody else")
        return number

    def _send(self, effect: Effect, number: int, call: Call, confirming: Confirming | None) -> Posted:
        try:
            with tracing.span(f"effect {effect.kind}"):
                posted = call.send()
        except Unanswered as error:
            with self._journal.write() as session:
                effects.unanswered(session, effect.key, str(error), number)
            metrics.effects.labels(effect.kind, "unanswered").inc()
            error.retry_after = max(error.retry_after or 0, self._settle.total_seconds() + 0.1)
            raise
        except TemporaryError as error:
            with self._journal.write() as session:
                effects.not_sent(session, effect.key, str(error), number)
            metrics.effects.labels(effect.kind, "not_sent").inc()
            raise
        except (Refused, NotFound) as error:
            with self._journal.write() as session:
                effects.refuse(session, effect.key, str(error), number)
            metrics.effects.labels(effect.kind, EffectState.REFUSED.value).inc()
            raise
        self._confirm(effect, posted, confirming)
        return posted

    def _confirm(self, effect: Effect, posted: Posted, confirming: Confirming | None) -> None:
        with self._journal.write() as session:
            # No fence: it happened, whoever holds the claim now. But who finds it confirmed comes late: another has
            # written down what follows from it, and what has become of it since.
            if effects.confirm(session, effect.key, posted.id, posted.url):
                metrics.effects.labels(effect.kind, EffectState.CONFIRMED.value).inc()
                if confirming is not None:
                    confirming(session, posted)
                return
        log.error("%s was confirmed by another worker; this one got %s", effect.key, posted.id)
