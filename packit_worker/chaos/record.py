"""What can be seen of a run from outside: what was sent and answered, the journal's rows, the sandbox's record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Something posted to the door. ``status`` 0 or 502: nobody answered. ``id`` is the sender's, if it has one."""

    id: str | None
    kind: str
    status: int
    seconds: float
    expected: str | None = None
    """``refused``: the door has to say no."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """A row of claimable work: a delivery, an event or a check that is to be shown. ``key`` is its primary key."""

    table: str
    key: str
    state: str
    reason: str | None = None
    attempts: int = 1
    claim: int = 1
    created_at: datetime | None = None
    finished_at: datetime | None = None
    delivery_id: str | None = None
    source: str | None = None
    subject: str = ""
    seq: int = 0
    task: str = ""
    superseded_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class WantedCheck:
    """What a check shall show, as the journal has it."""

    id: str
    repository: str
    commit_sha: str
    name: str
    status: str
    conclusion: str | None
    title: str
    external_id: str | None


@dataclass(frozen=True, kw_only=True)
class ShownCheck:
    """A check run as the forge shows it; ``marker`` is ours."""

    id: str
    repository: str
    commit_sha: str
    name: str
    status: str
    conclusion: str | None
    title: str
    marker: str


@dataclass(frozen=True, kw_only=True)
class JournalEffect:
    """An effect as the journal has it."""

    key: str
    kind: str
    state: str
    external_id: str | None
    sends: int
    event_id: str | None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A claim that was taken, as the database itself noted: what the row was before, and who has it now."""

    table: str
    key: str
    number: int
    by: str
    at: datetime
    state_before: str
    lease_before: datetime | None
    by_before: str | None


@dataclass(kw_only=True)
class Record:
    """All of it. ``effects`` counts what was created outside, ``builds`` and ``tests`` are the ids of both."""

    sendings: list[Sending] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    wanted: list[WantedCheck] = field(default_factory=list)
    shown: list[ShownCheck] = field(default_factory=list)
    journal_effects: list[JournalEffect] = field(default_factory=list)
    effects: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    builds: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()
    bus_ids: frozenset[str] = frozenset()
    call_backs_taken: int = 0
    open_builds: list[str] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    quiet: bool = True
    figures: dict[str, Any] = field(default_factory=dict)
