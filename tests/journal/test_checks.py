"""Checks: the newest wanted state wins, and nothing that was wanted stays unshown."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import update

from packit_worker.journal import Journal, checks
from packit_worker.journal.base import State, now
from packit_worker.journal.checks import CheckRow
from packit_worker.ports import CheckStatus

from .rows import LEASE, claim, the_check, want, wanted

DONE = CheckStatus.COMPLETED


def test_the_same_again_is_nothing_new(journal: Journal) -> None:
    assert len(want(journal, wanted())) == 1
    assert want(journal, wanted()) == []
    assert the_check(journal).version == 1


def test_of_two_states_at_once_the_last_counts(journal: Journal) -> None:
    want(journal, wanted(title="first"), wanted(title="second"))
    assert (the_check(journal).title, the_check(journal).version) == ("second", 1)


def test_wanted_while_the_one_before_is_shown(journal: Journal) -> None:
    """Whoever shows it keeps the claim, and sees the newer one at the end."""
    (id,) = want(journal, wanted())
    showing = claim(journal, CheckRow, id)
    assert showing is not None
    assert want(journal, wanted(DONE, "all well")) == [id]
    assert the_check(journal).state == State.RUNNING
    assert claim(journal, CheckRow, id) is None
    with journal.write() as session:
        checks.shown(session, id, 1, "17", None)
        showing.finish(session, State.DONE, None)
        assert checks.reopen_if_newer(session, id, 1)
    again = claim(journal, CheckRow, id)
    assert again is not None
    with journal.write() as session:
        checks.shown(session, id, 2, "17", None)
        again.finish(session, State.DONE, None)
        assert not checks.reopen_if_newer(session, id, 2)
    assert the_check(journal).state == State.DONE


def test_one_that_waits_goes_on_waiting(journal: Journal) -> None:
    """For quota, or for a call to settle: a newer state makes neither shorter."""
    (id,) = want(journal, wanted())
    mine = claim(journal, CheckRow, id)
    due = now() + timedelta(minutes=5)
    assert mine is not None
    with journal.write() as session:
        mine.put_back(session, due, "GitHub is away")
    want(journal, wanted(DONE, "all well"))
    row = the_check(journal)
    assert (row.due_at, row.attempts, row.state, row.version) == (due, 1, State.READY, 2)


@pytest.mark.parametrize("end", [State.DONE, State.DEAD])
def test_one_that_is_over_is_opened_again(end: State, journal: Journal) -> None:
    (id,) = want(journal, wanted())
    mine = claim(journal, CheckRow, id)
    assert mine is not None
    with journal.write() as session:
        mine.finish(session, end, "no")
    assert want(journal, wanted(title="newer")) == [id]
    row = the_check(journal)
    assert (row.state, row.attempts, row.reason, row.finished_at) == (State.READY, 0, None, None)
    assert claim(journal, CheckRow, id) is not None


def test_deadlines_come_and_go_with_the_status(journal: Journal) -> None:
    want(journal, wanted())
    deadline = the_check(journal).deadline_at
    assert deadline is not None
    assert now() + checks.PATIENCE - timedelta(minutes=1) < deadline < now() + checks.PATIENCE
    with journal.write() as session:
        assert checks.past_deadline(session) == []
        session.execute(update(CheckRow).values(deadline_at=now() - timedelta(seconds=1)))
    with journal.write() as session:
        assert len(checks.past_deadline(session)) == 1
    want(journal, wanted(DONE, "all well"))
    assert the_check(journal).deadline_at is None


def test_an_old_version_shown_late_is_followed_by_the_newest(journal: Journal) -> None:
    """A worker was stopped in its call; another showed the newer state; then the old call came through."""
    (id,) = want(journal, wanted())
    want(journal, wanted(DONE, "all well"))
    mine = claim(journal, CheckRow, id)
    assert mine is not None
    with journal.write() as session:
        checks.shown(session, id, 2, "17", None)
        mine.finish(session, State.DONE, None)
    with journal.write() as session:
        checks.shown(session, id, 1, "17", None)
    row = the_check(journal)
    assert (row.state, row.shown_version, row.version, row.title) == (State.READY, 2, 3, "all well")
    assert claim(journal, CheckRow, id) is not None


@pytest.mark.services("postgresql")
def test_a_result_is_not_written_over_by_a_deadline(postgresql_url: str) -> None:
    """Whoever looks at what is unfinished keeps it, until it is known what follows from that."""
    journal = Journal(postgresql_url)
    want(journal, wanted())
    result = threading.Thread(target=want, args=(journal, wanted(DONE, "all well")))
    with journal.write() as session:
        (late,) = checks.unfinished(session, "e")
        result.start()
        result.join(timeout=0.3)
        words = late.with_words(DONE, None, "too late", "")
        checks.want(session, [words])
    result.join()
    assert the_check(journal).title == "all well", "the result came later, and counts"
    journal.dispose()


@pytest.mark.services("postgresql")
def test_two_that_want_the_same_checks_in_another_order(postgresql_url: str) -> None:
    """They wait for one another, never in a circle."""
    journal = Journal(postgresql_url)
    names = [f"check-{number}" for number in range(30)]
    want(journal, *[wanted(name=name) for name in names])
    wrong: list[Exception] = []

    def again(order: list[str]) -> None:
        try:
            for turn in range(20):
                want(journal, *[wanted(name=name, title=f"{order[0]} {turn}") for name in order])
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=again, args=(order,)) for order in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    journal.dispose()


def test_unfinished_ones_of_an_event(journal: Journal) -> None:
    want(
        journal,
        wanted(name="a", target="x"),
        wanted(name="b", target="y"),
        wanted(DONE, name="c", target="x"),
        wanted(name="d", target="x", event_id="another"),
    )
    with journal.write() as session:
        assert {row.name for row in checks.unfinished(session, "e")} == {"a", "b"}
        assert {row.name for row in checks.unfinished(session, "e", "x")} == {"a"}


def test_lease_of_checks_counts_like_any_other(journal: Journal) -> None:
    (id,) = want(journal, wanted())
    assert claim(journal, CheckRow, id, LEASE) is not None
    assert claim(journal, CheckRow, id, LEASE) is None
