"""The figures of a run, for people and for programs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from packit_worker.chaos.judging import Violation
from packit_worker.chaos.record import Record
from packit_worker.journal.effects import EffectState

_DOUBLED, _PENDING = "nothing_is_doubled", "nothing_hangs"
_LOST = ("accepted_is_written", "told_is_heard", "everything_ends", "nothing_is_lost_outside")


def figures(record: Record, violations: Iterable[Violation]) -> dict[str, Any]:
    """Everything that is counted, by name. Times are in seconds."""
    broken = Counter(violation.promise for violation in violations)
    answered = sorted(sent.seconds for sent in record.sendings if 200 <= sent.status < 300)
    deliveries = {row.key: row for row in record.work if row.table == "deliveries"}
    events = [row for row in record.work if row.table == "events"]
    lasted = [
        (row.finished_at - deliveries[row.delivery_id].created_at).total_seconds()  # type: ignore[operator]
        for row in events
        if row.finished_at and row.delivery_id in deliveries
    ]
    figures = record.figures
    return {
        "events fed": dict(Counter(sent.kind for sent in record.sendings)),
        "webhooks sent": len(record.sendings),
        "accepted at once": len(answered),
        "deliveries": dict(Counter(row.state for row in deliveries.values())),
        "events": dict(Counter(row.state for row in events)),
        "hits": dict(sorted(figures.get("hits", {}).items())),
        "faults outside": dict(figures.get("faults", {})),
        "claims taken from the dead": sum(taken.state_before == "running" for taken in record.taken),
        "attempts beyond the first": sum(max(row.attempts - 1, 0) for row in events),
        "calls made again": sum(max(effect.sends - 1, 0) for effect in record.journal_effects),
        "effects confirmed": dict(
            Counter(effect.kind for effect in record.journal_effects if effect.state == EffectState.CONFIRMED)
        ),
        "made outside": dict(sorted(_by_kind(record).items())),
        "doubled": broken[_DOUBLED],
        "lost": sum(broken[promise] for promise in _LOST),
        "pending": broken[_PENDING],
        "other violations": sum(
            count for promise, count in broken.items() if promise not in (_DOUBLED, _PENDING, *_LOST)
        ),
        "script lasted": figures.get("seconds"),
        "quiet after": figures.get("settling"),
        "longest event": round(max(lasted, default=0.0), 1),
        "door p50": round(_quantile(answered, 0.50), 3),
        "door p99": round(_quantile(answered, 0.99), 3),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """A line a figure."""
    told = []
    for name, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{count} {what}" for what, count in value.items()) or "none"
        told.append(f"{name:<28} {value}")
    return told


def _by_kind(record: Record) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for key, count in record.effects.items():
        kinds[key[0]] += count
    return kinds


def _quantile(values: Sequence[float], share: float) -> float:
    return values[min(int(share * len(values)), len(values) - 1)] if values else 0.0
