"""Processes that tell each other of rate limits, through a real journal, with a clock of ours."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from packit_worker.clients.budget import RESERVE, Budget
from packit_worker.clients.sharing import FRESH, INTERVAL, Budgets
from packit_worker.errors import RateLimited
from packit_worker.journal import Journal, budgets
from packit_worker.journal.budgets import Known

HOST = "github.example"


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def away() -> Iterator[Journal]:
    journal = Journal("postgresql://nobody@127.0.0.1:9/nothing", timeout=1)
    yield journal
    journal.dispose()


def process(journal: Journal | None, clock: Clock, installation: str = "7") -> Budget:
    """A process' own idea of an installation's budget."""
    return Budgets(journal, clock=clock).of("GitHub", HOST, installation)


def known(journal: Journal) -> dict[tuple[str, str], Known]:
    with journal.read() as session:
        return budgets.scarce(session)


def test_the_second_does_not_run_into_the_limit_of_the_first(journal: Journal, clock: Clock) -> None:
    first, second = process(journal, clock), process(journal, clock)
    elsewhere = process(journal, clock, "8")
    second.check()
    second.saw(remaining=4000, limit=5000, reset_at=clock.now + 1800)
    first.saw(remaining=0, limit=5000, reset_at=clock.now + 1800)
    third = process(journal, clock)
    with pytest.raises(RateLimited, match="of installation 7"):
        third.check()
    clock.now += FRESH
    with pytest.raises(RateLimited) as caught:
        second.check()
    assert caught.value.retry_after == pytest.approx(1800 - FRESH + 1, abs=1)
    elsewhere.check()
    clock.now += 1800
    for each in (first, second, third):
        each.check()


def test_a_secondary_limit_stops_all(journal: Journal, clock: Clock) -> None:
    first, second = process(journal, clock), process(journal, clock)
    first.hit(RateLimited("slow down", retry_after=60))
    with pytest.raises(RateLimited):
        second.check()
    # A shorter one, of which another was told, does not shorten it.
    process(journal, clock).hit(RateLimited("slow down", retry_after=5))
    assert known(journal)[HOST, "7"].paused_until == pytest.approx(clock.now + 60, abs=0.01)


def test_the_lowest_number_of_a_window_stays_and_the_latest_window(journal: Journal, clock: Clock) -> None:
    reset_at = float(int(clock.now) + 600)
    process(journal, clock).saw(remaining=40, limit=5000, reset_at=reset_at)
    process(journal, clock).saw(remaining=400, limit=5000, reset_at=reset_at)
    assert known(journal)[HOST, "7"].remaining == 40
    process(journal, clock).saw(remaining=450, limit=5000, reset_at=reset_at + 3000)
    process(journal, clock).saw(remaining=3, limit=5000, reset_at=reset_at)
    assert known(journal)[HOST, "7"] == Known(limit=5000, remaining=450, reset_at=reset_at + 3000)


def test_a_budget_that_is_used_up_costs_few_statements(journal: Journal, clock: Clock) -> None:
    """From full to the reserve in 5000 calls of one process, a second each: a look and a word now and then."""
    process_of_many_calls = process(journal, clock)
    reset_at = clock.now + 5400
    with journal.counted() as cost:
        for remaining in range(4999, RESERVE, -1):
            process_of_many_calls.check()
            clock.now += 1
            process_of_many_calls.saw(remaining=remaining, limit=5000, reset_at=reset_at)
    assert cost.transactions <= 5000 / INTERVAL + 25
    selects = [text for text in cost.texts if text.lstrip().startswith("SELECT")]
    assert len(selects) <= 5000 / FRESH + 1
    assert known(journal)[HOST, "7"].remaining <= RESERVE * 4 // 3


def test_plenty_is_written_down_too_to_be_looked_at(journal: Journal, clock: Clock) -> None:
    shared = Budgets(journal, clock=clock)
    many = [shared.of("GitHub", HOST, str(number)) for number in range(3)]
    with journal.counted() as cost:
        for budget in many:
            budget.saw(remaining=4990, limit=5000, reset_at=clock.now + 1800)
        assert cost.transactions == 1
        clock.now += INTERVAL
        many[0].saw(remaining=4980, limit=5000, reset_at=clock.now + 1800)
        assert cost.transactions == 2
    assert known(journal) == {}
    with journal.read() as session:
        shown = budgets.latest(session, 10, budgets.now())
    assert [(each.installation, each.remaining, each.limit) for each in shown] == [
        ("0", 4980, 5000),
        ("1", 4990, 5000),
        ("2", 4990, 5000),
    ]
    assert not any(each.is_scarce for each in shown)


def test_a_journal_that_is_away_stops_nobody(
    away: Journal, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    budget = process(away, clock)
    budget.check()
    budget.saw(remaining=100, limit=5000, reset_at=clock.now + 1800)
    budget.check()
    assert "what others know of rate limits cannot be read" in caplog.text
    assert "what was heard of rate limits cannot be written down" in caplog.text


def test_what_could_not_be_told_is_told_later(journal: Journal, clock: Clock) -> None:
    budget = process(journal, clock)
    with journal.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE forge_budgets RENAME TO forge_budgets_away")
    budget.saw(remaining=100, limit=5000, reset_at=clock.now + 1800)
    with journal.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE forge_budgets_away RENAME TO forge_budgets")
    assert known(journal) == {}
    budget.saw(remaining=99, limit=5000, reset_at=clock.now + 1800)
    assert known(journal)[HOST, "7"].remaining == 99


def test_without_a_journal_a_process_knows_its_own(clock: Clock) -> None:
    budget = process(None, clock)
    budget.saw(remaining=0, limit=5000, reset_at=clock.now + 1800)
    with pytest.raises(RateLimited):
        budget.check()
