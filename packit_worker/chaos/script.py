"""The script of a run: which events come and which blows fall, and when. Pure; the same seed makes the same script."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Kinds of events, and how often each is drawn.
EVENTS = {
    "opened": 22,
    "pushed": 14,
    "build": 8,
    "test": 6,
    "help": 3,
    "nonsense": 3,
    "push": 8,
    "release": 5,
    "rerun": 8,
    "again": 5,
    "bus-again": 4,
    "bus-other": 3,
    "call-back": 4,
    "forged-call-back": 2,
    "installed": 2,
    "malformed": 2,
    "unsigned": 2,
}
#: What is hit. ``child`` is gunicorn's worker process; workers of the lanes run tasks in themselves, without children.
PROCESSES = ("web", "child", "worker", "sweeper", "feed")
TARGETS = (*PROCESSES, "broker", "database")
KILL, STOP, RESTART = "kill", "stop", "restart"
#: Blows a second at most: a process takes seconds of processor time to start.
_BLOWS_A_SECOND = 0.75
_EVENTS_A_SECOND = 2.5


@dataclass(frozen=True, order=True)
class Happening:
    """An event outside. ``at`` is in seconds from the beginning, ``pick`` (0 to 1) chooses what it is about."""

    at: float
    kind: str
    pick: float


@dataclass(frozen=True, order=True)
class Blow:
    """A blow to the service. ``seconds`` is how long something is stopped; ``pick`` chooses among several."""

    at: float
    target: str
    kind: str
    seconds: float
    pick: float


@dataclass(frozen=True)
class Script:
    """All that happens, in order, and for how many seconds."""

    happenings: Sequence[Happening]
    blows: Sequence[Blow]
    seconds: float


def write(
    seed: int,
    events: int,
    *,
    blows: int,
    targets: Iterable[str] = TARGETS,
    kinds: Sequence[str] = (KILL, STOP),
    seconds: float | None = None,
) -> Script:
    """A script of ``events`` happenings and ``blows`` blows to each target. ``seconds``: None is long enough."""
    draw = random.Random(seed)
    targets = tuple(targets)
    if seconds is None:
        seconds = max(events / _EVENTS_A_SECOND, blows * len(targets) / _BLOWS_A_SECOND)
    names, weights = list(EVENTS), list(EVENTS.values())
    drawn = draw.choices(names, weights, k=events)
    # Others need something that they can be about.
    drawn[: min(3, events)] = ["opened"] * min(3, events)
    at = sorted(draw.uniform(0, seconds) for _ in drawn)
    happenings = [
        Happening(round(moment, 3), kind, draw.random()) for moment, kind in zip(at, drawn, strict=True)
    ]
    falling = [
        Blow(
            at=round(draw.uniform(0.5, seconds), 3),
            target=target,
            kind=kinds[number % len(kinds)],
            # From shorter than a beat of the heart to longer than a lease.
            seconds=round(draw.uniform(0.3, 2.5 if target == "database" else 7.0), 3),
            pick=draw.random(),
        )
        for target in targets
        for number in range(blows)
    ]
    return Script(happenings, sorted(falling), seconds)
