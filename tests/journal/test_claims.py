"""Claims: one worker at a time, whatever comes between."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from packit_worker.journal import Journal, events
from packit_worker.journal.base import State, now
from packit_worker.journal.claims import Claim, LostClaim, not_hinted, overdue, take
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.journal.heart import HUNG, Beat, Heart

from .rows import LEASE, claim, deliver, happen, lease_runs_out, row

PATIENCE = timedelta(seconds=3)


def until(is_true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that nobody can tell us of."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    wrong: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]


def test_of_eight_workers_one_gets_each_row(journal: Journal) -> None:
    ids = [f"d{number}" for number in range(200)]
    deliver(journal, *ids)
    got: list[str] = []

    def work(_: int) -> None:
        for id in ids:
            if claim(journal, Delivery, id) is not None:
                got.append(id)

    in_threads(8, work)
    assert Counter(got) == dict.fromkeys(ids, 1)


def test_events_of_a_subject_are_claimed_in_order_by_whoever_comes(journal: Journal) -> None:
    ids = [happen(journal, f"e{number}") for number in range(20)]
    done: list[str] = []
    busy = threading.Lock()

    def work(_: int) -> None:
        while len(done) < len(ids):
            for id in ids:
                with journal.write() as session:
                    taken = take(session, EventRow, id, LEASE)
                if taken is None:
                    continue
                assert busy.acquire(blocking=False), "two events of one subject at the same time"
                done.append(id)
                busy.release()
                with journal.write() as session:
                    taken[0].finish(session, State.DONE, None)

    in_threads(4, work)
    assert done == ids


def test_an_earlier_event_that_turns_up_late_waits_for_the_one_that_has_begun(journal: Journal) -> None:
    """Its transaction took longer than that of the next, or an operator has replayed it."""
    happen(journal, "late", state=State.DEAD)
    happen(journal, "next")
    begun = claim(journal, EventRow, "next")
    assert begun is not None
    with journal.write() as session:
        session.execute(update(EventRow).where(EventRow.id == "late").values(state=State.READY))
    assert claim(journal, EventRow, "late") is None
    # The one that has begun is taken over when its worker dies: nobody waits for the other in a circle.
    lease_runs_out(journal, EventRow, "next")
    again = claim(journal, EventRow, "next")
    assert again is not None
    with journal.write() as session:
        again.finish(session, State.DONE, None)
    assert claim(journal, EventRow, "late") is not None


@pytest.mark.services("postgresql")
def test_two_events_of_a_subject_claimed_at_the_same_moment(postgresql_url: str) -> None:
    """Neither worker sees what the other has not committed; the database keeps them apart all the same."""
    journal = Journal(postgresql_url)
    happen(journal, "first", state=State.DEAD)
    happen(journal, "second")
    got: list[Claim | None] = []
    with journal.write() as session:
        assert take(session, EventRow, "second", LEASE) is not None
        with journal.write() as other:
            other.execute(update(EventRow).where(EventRow.id == "first").values(state=State.READY))
        thread = threading.Thread(target=lambda: got.append(claim(journal, EventRow, "first")))
        thread.start()
        # It waits for us: that is where the danger was.
        thread.join(timeout=0.3)
    thread.join()
    assert got == [None]
    assert row(journal, EventRow, "first").state == State.READY
    journal.dispose()


def test_who_lost_a_claim_writes_nothing_any_more(journal: Journal) -> None:
    deliver(journal, "d")
    old = claim(journal, Delivery, "d")
    assert old is not None
    lease_runs_out(journal, Delivery, "d")
    new = claim(journal, Delivery, "d")
    assert new is not None
    endings: list[Callable[[], None]] = []
    for change in (
        lambda session: old.fence(session, LEASE),
        lambda session: old.finish(session, State.DONE, None),
        lambda session: old.put_back(session, now(), "later"),
    ):
        with pytest.raises(LostClaim), journal.write() as session:
            change(session)
    assert endings == []
    assert row(journal, Delivery, "d").state == State.RUNNING
    with journal.write() as session:
        new.finish(session, State.DONE, None)
    with pytest.raises(LostClaim), journal.write() as session:
        new.fence(session, LEASE)


def test_a_worker_that_was_stopped_goes_on_if_nobody_was_quicker(journal: Journal) -> None:
    deliver(journal, "d")
    stopped = claim(journal, Delivery, "d")
    assert stopped is not None
    lease_runs_out(journal, Delivery, "d")
    with journal.write() as session:
        assert [found.id for found in overdue(session, Delivery, limit=10, patience=PATIENCE)] == ["d"]
    with journal.write() as session:
        stopped.fence(session, LEASE)
    assert claim(journal, Delivery, "d") is None, "the wake-up that the sweeper sent comes to nothing"


def test_two_sweepers_do_not_wake_the_same(journal: Journal) -> None:
    deliver(journal, *[f"d{number}" for number in range(100)])
    with journal.write() as session:
        session.execute(update(Delivery).values(hinted_at=now() - timedelta(seconds=4)))
    found: list[str] = []

    def sweep(_: int) -> None:
        while True:
            with journal.write() as session:
                rows = overdue(session, Delivery, limit=10, patience=PATIENCE)
            if not rows:
                return
            found.extend(each.id for each in rows)

    in_threads(2, sweep)
    # One of them may have gone home while the other held the last rows; none is found twice.
    assert Counter(found) == dict.fromkeys(found, 1)
    assert len(found) == 100


def test_patience_doubles_with_every_hint(journal: Journal) -> None:
    deliver(journal, "d")

    def is_overdue(hints: int, seconds: float) -> bool:
        with journal.write() as session:
            ago = now() - timedelta(seconds=seconds)
            session.execute(update(Delivery).values(hints=hints, hinted_at=ago))
            rows = overdue(session, Delivery, limit=10, patience=PATIENCE)
        return bool(rows)

    for hints, patience in [(1, 3), (2, 6), (3, 12), (6, 96), (7, 192), (40, 192)]:
        assert not is_overdue(hints, patience - 1), hints
        assert is_overdue(hints, patience + 1), hints
    assert row(journal, Delivery, "d").hints == 41


def test_a_hint_that_was_not_sent_does_not_count(journal: Journal) -> None:
    deliver(journal, "d")
    with journal.write() as session:
        session.execute(update(Delivery).values(hinted_at=now() - timedelta(seconds=4)))
    for _ in range(3):
        with journal.write() as session:
            assert len(overdue(session, Delivery, limit=10, patience=PATIENCE)) == 1
        with journal.write() as session:
            not_hinted(session, Delivery, ["d"])
    assert row(journal, Delivery, "d").hints == 1


def test_a_hint_given_by_the_way_can_be_lost_too(journal: Journal) -> None:
    """The hint of the next event of a subject is not counted: its wake-ups before could not be sent."""
    happen(journal, "first", hinted_at=None, hints=0)
    happen(journal, "second", hinted_at=None, hints=0)
    done = claim(journal, EventRow, "first")
    assert done is not None
    with journal.write() as session:
        done.finish(session, State.DONE, None)
        following = events.next_of(session, "s")
    assert following is not None
    assert (following.id, following.hints) == ("second", 0)
    for seconds, lost in ((1, []), (4, ["second"])):
        with journal.write() as session:
            given = now() - timedelta(seconds=seconds)
            session.execute(update(EventRow).where(EventRow.id == "second").values(hinted_at=given))
            found = [row.id for row in overdue(session, EventRow, limit=10, patience=PATIENCE)]
        assert found == lost


def test_attempts_that_do_not_count(journal: Journal) -> None:
    deliver(journal, "d")
    for counts, attempts in [(False, 0), (True, 1), (False, 1), (True, 2)]:
        mine = claim(journal, Delivery, "d")
        assert mine is not None
        with journal.write() as session:
            mine.put_back(session, now(), "later", attempt_counts=counts)
        assert row(journal, Delivery, "d").attempts == attempts


def test_only_what_nobody_has_begun_is_superseded(journal: Journal) -> None:
    """What was begun may have shown checks and ordered builds; only its own end sees to them."""
    happen(journal, "begun")
    mine = claim(journal, EventRow, "begun")
    assert mine is not None
    with journal.write() as session:
        mine.put_back(session, now() + timedelta(minutes=1), "Copr is away")
    happen(journal, "fresh")
    happen(journal, "newest")
    with journal.write() as session:
        events.supersede(session, subject="s", task=row(journal, EventRow, "begun").task, by="newest")
    states = {id: row(journal, EventRow, id).state for id in ("begun", "fresh", "newest")}
    assert states == {"begun": State.READY, "fresh": State.SUPERSEDED, "newest": State.READY}


def test_the_heart_keeps_a_claim_alive(journal: Journal) -> None:
    deliver(journal, "d")
    lease = timedelta(seconds=5)
    heart = Heart(journal, lease=lease, beat=timedelta(seconds=0.02))
    mine = claim(journal, Delivery, "d", lease)
    assert mine is not None
    first = row(journal, Delivery, "d").lease_until
    with heart.beating_for(mine):
        until(lambda: row(journal, Delivery, "d").lease_until > first)
        with journal.write() as session:
            # In one transaction, so that it is between two beats.
            session.execute(update(Delivery).values(lease_until=now() - timedelta(seconds=1)))
            assert take(session, Delivery, "d", LEASE) is not None
        until(lambda: not heart._beats)
    heart.stop()


def test_work_that_hangs_loses_its_lease_and_its_process(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(journal, "d")
    ended: list[int] = []
    is_over = threading.Event()

    def end(status: int) -> None:
        ended.append(status)
        is_over.set()

    heart = Heart(journal, lease=LEASE, beat=timedelta(seconds=0.02), end=end)
    mine = claim(journal, Delivery, "d")
    assert mine is not None
    with heart.beating_for(mine, limit=0.1) as beat:
        assert isinstance(beat, Beat)
        assert is_over.wait(10)
        left = row(journal, Delivery, "d").lease_until
        until(lambda: not heart._beats)
        assert row(journal, Delivery, "d").lease_until == left, "nobody extends it any more"
    heart.stop()
    assert ended == [HUNG]
    assert "deliveries d hangs" in caplog.text
    assert "test_work_that_hangs" in caplog.text, "where it hangs"


def test_work_that_goes_on_is_left_alone(journal: Journal) -> None:
    deliver(journal, "d")
    ended: list[int] = []
    heart = Heart(journal, lease=LEASE, beat=timedelta(seconds=0.02), end=ended.append)
    mine = claim(journal, Delivery, "d")
    assert mine is not None
    begun = time.monotonic()
    with heart.beating_for(mine, limit=1.0) as beat:
        until(lambda: beat.goes_on() or time.monotonic() - begun > 1.5)
    heart.stop()
    assert ended == []


def test_the_heart_outlives_a_bug(sqlite_url: str) -> None:
    """Other claims hang on its thread."""
    journal = Journal(sqlite_url)
    deliver(journal, "sick", "well")
    heart = Heart(journal, lease=LEASE, beat=timedelta(seconds=0.02))
    well = claim(journal, Delivery, "well")
    assert well is not None
    sick = Claim(Delivery, object(), 1)
    with heart.beating_for(sick), heart.beating_for(well):
        first = row(journal, Delivery, "well").lease_until
        until(lambda: row(journal, Delivery, "well").lease_until > first)
    heart.stop()
    journal.dispose()
