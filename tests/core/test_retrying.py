"""When an event that could not be finished comes again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from packit_worker.errors import RateLimited, Settling, TemporaryError, Unanswered
from packit_worker.journal.base import now
from packit_worker.retrying import LONGEST, LONGEST_ASKED_FOR, PATIENCE, Retrying


def delay(retrying: Retrying) -> float:
    assert retrying.at is not None
    return round((retrying.at - now()).total_seconds(), 1)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, LONGEST), (5000, LONGEST)]
)
def test_doubles(attempts: int, seconds: float) -> None:
    retrying = Retrying(attempts, 10_000)
    assert retrying.another(TemporaryError("away"))
    assert delay(retrying) == pytest.approx(seconds, abs=0.2)


@pytest.mark.parametrize(("asked", "given"), [(7, 7), (0, 0), (-5, 0), (10**9, LONGEST_ASKED_FOR)])
def test_as_the_other_side_asks_within_reason(asked: float, given: float) -> None:
    retrying = Retrying(1, 5)
    assert retrying.another(TemporaryError("busy", retry_after=asked))
    assert delay(retrying) == pytest.approx(given, abs=0.2)


def test_the_earliest_counts() -> None:
    retrying = Retrying(1, 5)
    for error in (
        TemporaryError("b", retry_after=30),
        TemporaryError("a", retry_after=5),
        TemporaryError("c", retry_after=9),
    ):
        retrying.another(error)
    assert delay(retrying) == pytest.approx(5, abs=0.2)
    assert retrying.why == "a"


def test_has_an_end() -> None:
    assert not Retrying(5, 5).another(TemporaryError("away"))
    assert not Retrying(5, 5).another(Unanswered("away"))


@pytest.mark.parametrize("error", [RateLimited("quota", retry_after=60), Settling("wait", retry_after=20)])
def test_waiting_is_nobodys_failure(error: TemporaryError) -> None:
    retrying = Retrying(5, 5)
    assert retrying.another(error)
    assert not retrying.counts


def test_what_has_an_unknown_fate_is_not_given_up() -> None:
    for attempts in (5, 6):
        retrying = Retrying(attempts, 5, owes=lambda: True)
        assert retrying.another(TemporaryError("cannot be looked up"))
        assert not retrying.counts
    long_ago = now() - PATIENCE - timedelta(minutes=1)
    assert not Retrying(5, 5, since=long_ago, owes=lambda: True).another(TemporaryError("away"))


@pytest.mark.parametrize("error", [RateLimited("quota", retry_after=60), Settling("wait", retry_after=20)])
def test_waiting_has_an_end_too(error: TemporaryError) -> None:
    long_ago = now() - PATIENCE - timedelta(minutes=1)
    assert not Retrying(5, 5, since=long_ago).another(error)
    assert Retrying(4, 5, since=long_ago).another(error)


@pytest.mark.parametrize("turn", [1, -1])
def test_a_failure_beside_a_wait_counts(turn: int) -> None:
    """Else one run's failures would go on for as long as another waits."""
    retrying = Retrying(1, 5)
    for error in (TemporaryError("away"), RateLimited("quota", retry_after=60))[::turn]:
        assert retrying.another(error)
    assert retrying.counts
