"""The rate budget on its own, with a clock of ours."""

from __future__ import annotations

import threading

import pytest

from packit_worker import urgency
from packit_worker.clients.budget import LONGEST, Budget
from packit_worker.errors import RateLimited
from packit_worker.journal.budgets import Known


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_writes_are_an_interval_apart(clock: Clock) -> None:
    budget = Budget("x", write_interval=1.0, clock=clock, sleep=clock.sleep)
    starts = []
    for _ in range(3):
        with budget.turn(write=True):
            starts.append(clock.now)
            clock.now += 0.25
    assert starts == [1000.0, 1001.25, 1002.5]


def test_reads_wait_for_nobody(clock: Clock) -> None:
    budget = Budget("x", write_interval=1.0, clock=clock, sleep=clock.sleep)
    with budget.turn(write=True), budget.turn(write=False):
        assert clock.now == 1000.0


def test_a_turn_that_does_not_come() -> None:
    budget = Budget("x", patience=0.01)
    held, let_go = threading.Event(), threading.Event()

    def write() -> None:
        with budget.turn(write=True):
            held.set()
            let_go.wait(5)

    thread = threading.Thread(target=write)
    thread.start()
    held.wait(5)
    with pytest.raises(RateLimited), budget.turn(write=True):
        pass
    let_go.set()
    thread.join()


def test_nothing_left_until_the_reset(clock: Clock) -> None:
    budget = Budget("x", clock=clock, sleep=clock.sleep)
    budget.saw(remaining=0, limit=5000, reset_at=1060.0)
    for urgent in (False, True):
        with urgency.first_status(urgent), pytest.raises(RateLimited) as caught, budget.turn(write=False):
            pass
        assert caught.value.retry_after == 61
    clock.now = 1060.0
    with budget.turn(write=False):
        pass
    assert budget.remaining is None


def test_the_reserve_is_for_the_urgent_and_never_all(clock: Clock) -> None:
    budget = Budget("x", clock=clock, sleep=clock.sleep)
    budget.saw(remaining=50, limit=5000, reset_at=2000.0)
    with pytest.raises(RateLimited), budget.turn(write=False):
        pass
    with urgency.first_status(), budget.turn(write=False):
        pass
    with pytest.raises(RateLimited):
        budget.check()
    budget.saw(remaining=40, limit=60, reset_at=2000.0)
    with budget.turn(write=False):
        pass


def test_calls_under_way_count(clock: Clock) -> None:
    budget = Budget("x", clock=clock, sleep=clock.sleep)
    budget.saw(remaining=1, limit=5000, reset_at=2000.0)
    with (
        urgency.first_status(),
        budget.turn(write=False),
        pytest.raises(RateLimited),
        budget.turn(write=True),
    ):
        pass


def test_a_write_counts_once(clock: Clock) -> None:
    budget = Budget("x", clock=clock, sleep=clock.sleep)
    budget.saw(remaining=100, limit=500, reset_at=2000.0)
    with budget.turn(write=True):
        assert budget.remaining == 99


def test_what_waits_says_until_when(clock: Clock) -> None:
    clock.now = 1_800_000_000.0  # 2027-01-15 08:00 UTC
    budget = Budget("GitHub's rate limit of installation 7", clock=clock)
    limited = budget.hit(RateLimited("GitHub answered 403: slow down", retry_after=600))
    assert str(limited) == (
        "waits until 08:10 UTC for GitHub's rate limit of installation 7: GitHub answered 403: slow down"
    )
    with pytest.raises(RateLimited, match="waits until 08:10 UTC") as caught:
        budget.check()
    assert caught.value.retry_after == 600


@pytest.mark.parametrize("seconds", [float("inf"), 1e12, None])
def test_no_answer_stops_everything_for_ever(clock: Clock, seconds: float | None) -> None:
    budget = Budget("x", clock=clock)
    assert (budget.hit(RateLimited("stop", retry_after=seconds)).retry_after or 0) <= LONGEST
    budget = Budget("x", clock=clock)
    budget.saw(remaining=-(10**30), limit=10**30, reset_at=1e15)
    assert budget.remaining == 0
    with pytest.raises(RateLimited) as caught:
        budget.check()
    assert (caught.value.retry_after or 0) <= LONGEST + 1


def test_what_others_have_told_counts(clock: Clock) -> None:
    others = Known(limit=5000, remaining=0, reset_at=1900.0)
    budget = Budget("x", clock=clock, look=lambda: others)
    budget.saw(remaining=4000, limit=5000, reset_at=1900.0)
    with pytest.raises(RateLimited):
        budget.check()
    # An old word about a window that is over says nothing about the next.
    clock.now = 1950.0
    budget.saw(remaining=4999, limit=5000, reset_at=5500.0)
    budget.check()


def test_a_failed_write_gives_the_turn_back(clock: Clock) -> None:
    budget = Budget("x", clock=clock, sleep=clock.sleep, patience=0.01)
    with pytest.raises(KeyError), budget.turn(write=True):
        raise KeyError
    with budget.turn(write=True):
        pass
