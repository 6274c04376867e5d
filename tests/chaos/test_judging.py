"""A run has to be able to fail: each promise is broken on purpose, and the judge says so, and says nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from packit_worker.chaos.judging import judge
from packit_worker.chaos.record import (
    JournalEffect,
    Record,
    Sending,
    ShownCheck,
    Taken,
    WantedCheck,
    Work,
)
from packit_worker.chaos.table import figures, lines

AT = datetime(2026, 1, 1, tzinfo=UTC)
SHA = "a" * 40
SUBJECT = "pull request 7"


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def good() -> Record:
    """A pull request that was opened, built and shown; two events of one subject, one after the other."""
    event = Work(
        table="events",
        key="event-1",
        state="done",
        reason="built",
        created_at=AT,
        finished_at=later(3),
        delivery_id="delivery-1",
        subject=SUBJECT,
        seq=1,
    )
    check = {"repository": "acme/hello", "commit_sha": SHA, "name": "rpm-build", "title": "It was built."}
    outcome = {"status": "completed", "conclusion": "success"}
    claim = {"table": "events", "state_before": "ready", "lease_before": None, "by_before": None}
    return Record(
        sendings=[
            Sending(id="delivery-1", kind="opened", status=202, seconds=0.01),
            Sending(id=None, kind="unsigned", status=401, seconds=0.01, expected="refused"),
        ],
        work=[
            Work(table="deliveries", key="delivery-1", state="done", created_at=AT, source="github"),
            Work(table="deliveries", key="delivery-2", state="done", created_at=AT, source="testing-farm"),
            event,
            replace(
                event,
                key="event-2",
                delivery_id="delivery-2",
                seq=2,
                created_at=later(1),
                finished_at=later(5),
            ),
            Work(table="checks", key="check-1", state="done"),
        ],
        wanted=[WantedCheck(id="check-1", external_id="11", **check, **outcome)],
        shown=[ShownCheck(id="11", marker="check-1", **check, **outcome)],
        journal_effects=[
            JournalEffect(
                key="copr_build/event-1",
                kind="copr_build",
                state="confirmed",
                external_id="900",
                sends=1,
                event_id="event-1",
            )
        ],
        effects={("copr_build", "acme/hello", "source"): 1},
        builds=frozenset({"900"}),
        call_backs_taken=1,
        taken=[
            Taken(key="event-1", number=1, by="vm:1", at=later(1), **claim),
            Taken(key="event-2", number=1, by="vm:2", at=later(4), **claim),
        ],
    )


def change(rows: list[Any], index: int, **values: Any) -> None:
    rows[index] = replace(rows[index], **values)


Breaking = Callable[[Record], object]
BROKEN: dict[str, tuple[str, Breaking, str]] = {
    "a delivery that was accepted and has no row": (
        "accepted_is_written",
        lambda it: it.sendings.append(Sending(id="gone", kind="push", status=202, seconds=0.1)),
        "gone (push) was answered 202 and has no row",
    ),
    "a call-back without a row": (
        "accepted_is_written",
        lambda it: setattr(it, "call_backs_taken", 2),
        "2 call-backs were answered 2xx, 1 have a row",
    ),
    "a forged webhook that is let in": (
        "refused_is_refused",
        lambda it: change(it.sendings, 1, status=202),
        "a forged unsigned was answered 202",
    ),
    "a webhook that was refused and never came again": (
        "told_is_heard",
        lambda it: it.sendings.append(Sending(id="unheard", kind="push", status=503, seconds=0.1)),
        "webhook unheard never arrived",
    ),
    "a message of the bus that was not read": (
        "told_is_heard",
        lambda it: setattr(it, "bus_ids", frozenset({"bus:1"})),
        "message bus:1 never arrived",
    ),
    "an event that is left running": (
        "everything_ends",
        lambda it: change(it.work, 3, state="running", finished_at=None),
        "events event-2 is running",
    ),
    "a delivery that is done without an event": (
        "everything_ends",
        lambda it: change(it.work, 3, delivery_id="another"),
        "delivery delivery-2 is done and has 0 events",
    ),
    "an event that is given up without a reason": (
        "everything_ends",
        lambda it: change(it.work, 2, state="dead", reason=None),
        "event-1 is dead without a reason",
    ),
    "an event that is superseded by nothing": (
        "everything_ends",
        lambda it: change(it.work, 2, state="superseded"),
        "event-1 is superseded by nothing",
    ),
    "a build without an end": (
        "everything_ends",
        lambda it: it.open_builds.append("build 900 fedora-43-x86_64"),
        "build 900 fedora-43-x86_64 has no end",
    ),
    "a service that does not become quiet": (
        "everything_ends",
        lambda it: setattr(it, "quiet", False),
        "did not become quiet",
    ),
    "a build that was ordered twice": (
        "nothing_is_doubled",
        lambda it: setattr(it, "effects", {("copr_build", "acme/hello", "source"): 2}),
        "copr_build acme/hello source was made 2 times",
    ),
    "a build that nobody remembers": (
        "nothing_is_lost_outside",
        lambda it: setattr(it, "builds", frozenset({"900", "901"})),
        "copr_build 901 is there and the journal does not know it",
    ),
    "a build that is not there": (
        "nothing_is_lost_outside",
        lambda it: setattr(it, "builds", frozenset()),
        "copr_build 900 is confirmed and not there",
    ),
    "a call whose fate stays unknown": (
        "nothing_is_lost_outside",
        lambda it: it.journal_effects.append(
            JournalEffect(key="issue/1", kind="issue", state="sent", external_id=None, sends=1, event_id=None)
        ),
        "nobody knows what became of issue/1",
    ),
    "a check that is pending": (
        "nothing_hangs",
        lambda it: it.shown.append(
            replace(it.shown[0], id="12", marker="", status="queued", conclusion=None)
        ),
        f"acme/hello {SHA[:12]} rpm-build is queued",
    ),
    "an older state that is shown": (
        "newest_is_shown",
        lambda it: change(it.wanted, 0, conclusion="failure"),
        "shows completed success 'It was built.' and shall show completed failure",
    ),
    "a check that is not shown": (
        "newest_is_shown",
        lambda it: it.shown.clear(),
        "rpm-build is not on the forge",
    ),
    "a claim that is given twice": (
        "one_holder_a_claim",
        lambda it: it.taken.append(replace(it.taken[1], by="vm:3")),
        "claim 1 of events event-2 was given 2 times",
    ),
    "work that is taken from somebody who has it": (
        "one_holder_a_claim",
        lambda it: it.taken.append(
            replace(it.taken[1], number=2, state_before="running", lease_before=later(9), by_before="vm:2")
        ),
        "while vm:2 had it until",
    ),
    "an event that overtakes the one before": (
        "order_is_kept",
        lambda it: change(it.taken, 1, at=later(2)),
        f"event event-2 of {SUBJECT} was begun before event-1 had ended",
    ),
}


def test_a_good_run() -> None:
    assert judge(good()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise(name: str) -> None:
    promise, breaking, said = BROKEN[name]
    record = good()
    breaking(record)
    [violation] = judge(record)
    assert violation.promise == promise
    assert said in violation.what


def test_what_may_look_like_it() -> None:
    """A lease that ran out is taken over; an earlier event that turned up late has not been overtaken."""
    record = good()
    record.taken.append(
        replace(record.taken[0], number=2, state_before="running", lease_before=later(2), at=later(2.5))
    )
    change(record.work, 2, created_at=later(3.5), finished_at=later(9))
    change(record.taken, 0, at=later(8))
    record.taken.pop()
    assert judge(record) == []


def test_the_figures() -> None:
    record = good()
    record.effects = {("copr_build", "acme/hello", "source"): 2}
    record.open_builds.append("build 900 fedora-43-x86_64")
    found = figures(record, judge(record))
    assert (found["doubled"], found["lost"], found["pending"], found["other violations"]) == (1, 1, 0, 0)
    assert found["made outside"] == {"copr_build": 2}
    assert found["longest event"] == 5.0
    assert any(line.startswith("doubled") and line.endswith(" 1") for line in lines(found))
