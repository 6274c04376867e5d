"""The rate budget on its own, with a clock of ours."""

from __future__ import annotations

import threading

import pytest

from packit_worker.clients.budget import Budget
from packit_worker.errors import RateLimited


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
        with pytest.raises(RateLimited) as caught, budget.turn(write=False, urgent=urgent):
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
    with budget.turn(write=False, urgent=True):
        pass
    budget.saw(remaining=40, limit=60, reset_at=2000.0)
    with budget.turn(write=False):
        pass


def test_calls_under_way_count(clock: Clock) -> None:
    budget = Budget("x", clock=clock, sleep=clock.sleep)
    budget.saw(remaining=1, limit=5000, reset_at=2000.0)
    with (
        budget.turn(write=False, urgent=True),
        pytest.raises(RateLimited),
        budget.turn(write=False, urgent=True),
    ):
        pass


def test_a_failed_write_gives_the_turn_back(clock: Clock) -> None:
    budget = Budget("x", clock=clock, sleep=clock.sleep, patience=0.01)
    with pytest.raises(KeyError), budget.turn(write=True):
        raise KeyError
    with budget.turn(write=True):
        pass
