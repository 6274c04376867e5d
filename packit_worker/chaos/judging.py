"""What a run must have kept, and where it did not. Pure: a record goes in, violations come out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from packit_worker.chaos.record import Record, Work
from packit_worker.journal.base import OPEN, State
from packit_worker.journal.effects import EffectState

#: An event is visible to every other process this long after its time was written down: no transaction lasts longer.
VISIBLE = timedelta(seconds=25)
#: What the clocks of database and service may differ by: SQLite tells milliseconds.
TICK = timedelta(milliseconds=2)
_DELIVERIES, _EVENTS, _CHECKS = "deliveries", "events", "checks"
_WITHOUT_REASON = (State.DONE,)
#: Calls whose row may stay as it was when no answer came. What checks and redeliveries were for is seen by what is
#: shown and what arrives; an answer to a comment may have become needless by the next attempt, which then says another;
#: what was to be canceled may have ended by itself by then, and has to have its end in any case (``open_builds``).
_SEEN_OTHERWISE = ("check", "redelivery", "comment", "reaction", "cancel")


@dataclass(frozen=True, order=True)
class Violation:
    """A promise that was broken, and by what."""

    promise: str
    what: str


def judge(record: Record) -> list[Violation]:
    """Every violation, by promise."""
    return sorted({Violation(rule.__name__.strip("_"), what) for rule in _RULES for what in rule(record)})


def _accepted_is_written(record: Record) -> Iterator[str]:
    """Every 2xx has its row."""
    there = {row.key for row in record.work if row.table == _DELIVERIES}
    for sending in record.sendings:
        if sending.id and 200 <= sending.status < 300 and sending.id not in there:
            yield f"delivery {sending.id} ({sending.kind}) was answered {sending.status} and has no row"
    results = sum(row.source == "testing-farm" for row in record.work if row.table == _DELIVERIES)
    if results < record.call_backs_taken:
        yield f"{record.call_backs_taken} call-backs were answered 2xx, {results} have a row"


def _refused_is_refused(record: Record) -> Iterator[str]:
    """What nobody signed is not let in."""
    for sending in record.sendings:
        if sending.expected == "refused" and 200 <= sending.status < 300:
            yield f"a forged {sending.kind} was answered {sending.status}"


def _told_is_heard(record: Record) -> Iterator[str]:
    """What was sent arrives in the end: webhooks that could not be delivered, and all messages of the bus."""
    there = {row.key for row in record.work if row.table == _DELIVERIES}
    refused = {sent.id for sent in record.sendings if sent.id and not 200 <= sent.status < 300}
    for id in sorted(refused - there):
        yield f"webhook {id} never arrived"
    for id in sorted(record.bus_ids - there):
        yield f"message {id} never arrived"


def _everything_ends(record: Record) -> Iterator[str]:
    """Deliveries, events and showings have ended, each with the reason that its end needs."""
    if not record.quiet:
        yield "the service did not become quiet in time"
    events = defaultdict(list)
    for row in record.work:
        if row.table == _EVENTS:
            events[row.delivery_id].append(row)
    for row in record.work:
        if row.state in OPEN:
            yield f"{row.table} {row.key} is {row.state} after {row.attempts} attempts: {row.reason}"
        elif row.state not in _WITHOUT_REASON and not row.reason:
            yield f"{row.table} {row.key} is {row.state} without a reason"
        elif row.state == State.SUPERSEDED and not row.superseded_by:
            yield f"{row.table} {row.key} is superseded by nothing"
        elif row.table == _DELIVERIES and row.state == State.DONE and len(events[row.key]) != 1:
            yield f"delivery {row.key} is done and has {len(events[row.key])} events"
    for build in record.open_builds:
        yield f"{build} has no end in the journal"


def _nothing_is_doubled(record: Record) -> Iterator[str]:
    """What was created outside was created once."""
    for key, count in sorted(record.effects.items()):
        if count > 1:
            yield f"{' '.join(key)[:300]} was made {count} times"
    markers = Counter((check.repository, check.commit_sha, check.marker) for check in record.shown)
    for (repository, sha, marker), count in markers.items():
        if marker and count > 1:
            yield f"{repository} {sha[:12]} has {count} check runs with the mark {marker}"


def _nothing_is_lost_outside(record: Record) -> Iterator[str]:
    """Journal and outside agree on what was done, and no call is left with an unknown fate."""
    confirmed = defaultdict(set)
    for effect in record.journal_effects:
        if effect.state == EffectState.SENT and effect.kind not in _SEEN_OTHERWISE:
            yield f"nobody knows what became of {effect.key}"
        if effect.state == EffectState.CONFIRMED and effect.external_id:
            confirmed[effect.kind].add(effect.external_id)
    for kind, outside in (("copr_build", record.builds), ("test_request", record.tests)):
        for id in sorted(confirmed[kind] - outside):
            yield f"{kind} {id} is confirmed and not there"
        for id in sorted(outside - confirmed[kind]):
            yield f"{kind} {id} is there and the journal does not know it"


def _nothing_hangs(record: Record) -> Iterator[str]:
    """No check is pending on any commit."""
    for check in record.shown:
        if check.status != "completed":
            yield f"{check.repository} {check.commit_sha[:12]} {check.name} is {check.status}: {check.title}"


def _newest_is_shown(record: Record) -> Iterator[str]:
    """The forge shows of each check what was wanted last, and never an older state after a newer one."""
    showings = {row.key: row.state for row in record.work if row.table == _CHECKS}
    shown = {check.id: check for check in record.shown}
    for check in record.wanted:
        if showings.get(check.id) == State.DEAD:
            continue
        there = shown.get(check.external_id or "")
        name = f"{check.repository} {check.commit_sha[:12]} {check.name}"
        if there is None:
            yield f"{name} is not on the forge"
        elif (there.status, there.conclusion, there.title) != (check.status, check.conclusion, check.title):
            yield (
                f"{name} shows {there.status} {there.conclusion} '{there.title}' and shall show {check.status} "
                f"{check.conclusion} '{check.title}'"
            )


def _one_holder_a_claim(record: Record) -> Iterator[str]:
    """Nobody takes work whose lease another holds, and every number is given once."""
    numbers = Counter((taken.table, taken.key, taken.number) for taken in record.taken)
    for (table, key, number), count in numbers.items():
        if count > 1:
            yield f"claim {number} of {table} {key} was given {count} times"
    for taken in record.taken:
        holds = (
            taken.state_before == State.RUNNING
            and taken.lease_before
            and taken.lease_before > taken.at + TICK
        )
        if holds:
            yield (
                f"{taken.by} took {taken.table} {taken.key} at {taken.at} while {taken.by_before} had it until "
                f"{taken.lease_before}"
            )


def _order_is_kept(record: Record) -> Iterator[str]:
    """Of two events of one subject the later is not begun before the earlier, if it was known, has ended."""
    begun: dict[str, datetime] = {}
    for taken in sorted(record.taken, key=lambda taken: taken.at):
        if taken.table == _EVENTS:
            begun.setdefault(taken.key, taken.at)
    subjects = defaultdict(list)
    for row in record.work:
        if row.table == _EVENTS and row.key in begun:
            subjects[row.subject].append(row)
    for rows in subjects.values():
        for earlier, later in pairwise(sorted(rows, key=lambda row: row.seq)):
            at = begun[later.key]
            if not _had_ended(earlier, at) and (begun[earlier.key] < at or _was_known(earlier, at)):
                yield f"event {later.key} of {later.subject} was begun before {earlier.key} had ended"


def _had_ended(row: Work, at: datetime) -> bool:
    return row.finished_at is not None and row.finished_at <= at + TICK


def _was_known(row: Work, at: datetime) -> bool:
    return row.created_at is not None and row.created_at + VISIBLE < at


_RULES: tuple[Callable[[Record], Iterable[str]], ...] = (
    _accepted_is_written,
    _refused_is_refused,
    _told_is_heard,
    _everything_ends,
    _nothing_is_doubled,
    _nothing_is_lost_outside,
    _nothing_hangs,
    _newest_is_shown,
    _one_holder_a_claim,
    _order_is_kept,
)
