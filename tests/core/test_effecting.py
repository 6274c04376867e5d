"""Effects happen once: a worker is killed at every step, calls are lost before and after they did something."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from journal.rows import LEASE, claim, happen, lease_runs_out
from sqlalchemy import select, update

from packit_worker.effecting import MOST_SENDS, Calls, Effecting
from packit_worker.errors import NotFound, Refused, Settling, TemporaryError, Unanswered
from packit_worker.journal import Journal, Session
from packit_worker.journal.base import State, now
from packit_worker.journal.claims import Claim, LostClaim
from packit_worker.journal.effects import Effect, EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.ports import Posted

SETTLE = timedelta(seconds=20)


class Killed(BaseException):
    """The worker's process ends here."""


class Outside:
    """The other side. It commits; what it is told to do then decides what the caller hears of it."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.calls = 0
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def send(self) -> Posted:
        self.calls += 1
        self.before()
        self.made.append(f"thing-{self.calls}")
        self.after()
        return Posted(id=self.made[-1], url=None)

    def find(self) -> Posted | None:
        return Posted(id=self.made[0], url=None) if self.made else None


class Worker:
    """One life of a worker: it has the claim, or had it."""

    def __init__(self, journal: Journal, outside: Outside) -> None:
        self.journal = journal
        self.outside = outside
        taken = claim(journal, EventRow, "e")
        assert taken is not None
        self.claim: Claim = taken
        self.effecting = Effecting(journal, taken, lease=LEASE, settle=SETTLE)

    def work(self, *, confirming: Callable[[Session, Posted], None] | None = None, **options: Any) -> Posted:
        effect = Effect(key="build/e", kind="build", event_id="e", request=options.pop("request", {"n": 1}))
        return self.effecting.once(effect, Calls(self.outside.send, self.outside.find), confirming, **options)


def dies(worker: Worker) -> None:
    lease_runs_out(worker.journal, EventRow, "e")


def settles(journal: Journal) -> None:
    with journal.write() as session:
        session.execute(update(EffectRow).values(sent_at=now() - SETTLE - timedelta(seconds=1)))


def effect(journal: Journal) -> EffectRow:
    with journal.read() as session:
        return session.execute(select(EffectRow)).scalar_one()


def raising(error: BaseException) -> Callable[..., None]:
    def do_raise(*_: object) -> None:
        raise error

    return do_raise


@pytest.fixture
def outside(journal: Journal) -> Outside:
    happen(journal, "e")
    return Outside()


@pytest.mark.parametrize(
    "point", ["before the call", "after it did something", "in the confirming transaction"]
)
def test_killed_at(point: str, journal: Journal, outside: Outside) -> None:
    worker = Worker(journal, outside)
    confirming = None
    if point == "before the call":
        outside.before = raising(Killed())
    elif point == "after it did something":
        outside.after = raising(Killed())
    else:
        confirming = raising(Killed())
    with pytest.raises(Killed):
        worker.work(confirming=confirming)
    outside.before = outside.after = lambda: None

    dies(worker)
    heir = Worker(journal, outside)
    with pytest.raises(Settling) as settling:
        heir.work()
    assert settling.value.retry_after is not None
    assert 0 < settling.value.retry_after <= SETTLE.total_seconds() + 0.1
    settles(journal)
    written: list[str] = []
    posted = heir.work(confirming=lambda _, found: written.append(found.id))
    assert outside.made == [posted.id]
    assert written == [posted.id], "what follows from it is written down once"
    assert heir.work(confirming=raising(AssertionError())) == posted, "and it is not done a third time"
    assert effect(journal).state == EffectState.CONFIRMED


@pytest.mark.parametrize("is_committed", [True, False])
def test_no_answer(is_committed: bool, journal: Journal, outside: Outside) -> None:
    worker = Worker(journal, outside)
    fault = raising(Unanswered("the line is dead"))
    outside.before, outside.after = (lambda: None, fault) if is_committed else (fault, lambda: None)
    with pytest.raises(Unanswered) as error:
        worker.work()
    assert error.value.retry_after is not None
    assert error.value.retry_after > SETTLE.total_seconds()
    outside.before = outside.after = lambda: None
    with pytest.raises(Settling):
        worker.work()
    settles(journal)
    posted = worker.work(request={"n": 2})
    assert outside.made == [posted.id]
    assert effect(journal).sends == (1 if is_committed else 2)


def test_a_call_that_never_arrives_is_not_made_for_ever(journal: Journal, outside: Outside) -> None:
    worker = Worker(journal, outside)
    outside.before = raising(Unanswered("the line is dead"))
    for _ in range(MOST_SENDS):
        with pytest.raises(Unanswered):
            worker.work()
        settles(journal)
    with pytest.raises(TemporaryError, match="never arrived") as error:
        worker.work()
    assert not isinstance(error.value, Unanswered)
    assert (outside.calls, effect(journal).state) == (MOST_SENDS, EffectState.PLANNED), "its fate is known"
    outside.before = lambda: None
    worker.work()
    assert len(outside.made) == 1


def test_an_unanswered_call_settles_from_when_it_was_given_up(journal: Journal, outside: Outside) -> None:
    """The call may have taken longer than anybody thought."""
    worker = Worker(journal, outside)

    def slow() -> None:
        settles(journal)
        raise Unanswered("after a long time")

    outside.before = slow
    with pytest.raises(Unanswered):
        worker.work()
    with pytest.raises(Settling):
        worker.work()


def test_a_call_that_did_not_go_out_is_made_again_with_what_is_asked_for_then(
    journal: Journal, outside: Outside
) -> None:
    worker = Worker(journal, outside)
    outside.before = raising(TemporaryError("connection refused"))
    with pytest.raises(TemporaryError):
        worker.work(request={"n": 1})
    assert (effect(journal).state, effect(journal).error) == (EffectState.PLANNED, "connection refused")
    outside.before = lambda: None
    worker.work(request={"n": 2})
    row = effect(journal)
    assert (row.state, row.request, row.sends, row.error) == (EffectState.CONFIRMED, {"n": 2}, 2, None)
    assert len(outside.made) == 1


@pytest.mark.parametrize("no", [Refused("no"), NotFound("no such thing")])
def test_no_stays_no_unless_it_may_be_asked_again(no: Exception, journal: Journal, outside: Outside) -> None:
    worker = Worker(journal, outside)
    outside.before = raising(no)
    with pytest.raises(type(no)):
        worker.work()
    outside.before = lambda: None
    with pytest.raises(Refused):
        worker.work()
    assert outside.calls == 1
    worker.work(ask_again=True, request={"n": 3})
    assert outside.made == ["thing-2"]
    assert effect(journal).request == {"n": 3}


def test_without_the_claim_nothing_is_sent(journal: Journal, outside: Outside) -> None:
    worker = Worker(journal, outside)
    dies(worker)
    Worker(journal, outside)
    with pytest.raises(LostClaim):
        worker.work()
    assert outside.calls == 0


class Stopping(Journal):
    """A journal whose user is stopped after its first transaction, for as long as ``meanwhile`` takes."""

    def __init__(self, journal: Journal, meanwhile: Callable[[], object]) -> None:
        super().__init__(journal.url)
        self._meanwhile: list[Callable[[], object]] = [meanwhile]

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
        if self._meanwhile:
            self._meanwhile.pop()()


def test_a_worker_stopped_before_its_call_looks_whether_it_is_still_its_own(
    journal: Journal, outside: Outside
) -> None:
    """SIGSTOP after "sent" was written down: the other worker waits, looks, and sends; this one must not."""
    worker = Worker(journal, outside)

    def meanwhile() -> None:
        dies(worker)
        Worker(journal, outside)

    stopping = Stopping(journal, meanwhile)
    # A stop of any length is longer than half of this lease.
    worker.effecting = Effecting(stopping, worker.claim, lease=timedelta(0), settle=SETTLE)
    with pytest.raises(LostClaim):
        worker.work()
    assert effect(journal).state == EffectState.SENT
    assert outside.calls == 0
    stopping.dispose()


def _taken_over(
    journal: Journal, outside: Outside, end: Callable[[], None]
) -> tuple[Worker, Worker, list[str]]:
    """A worker hangs in its call; another finds what the call has made; then the first hears ``end``."""
    first = Worker(journal, outside)
    written: list[str] = []
    heirs: list[Worker] = []

    def hang() -> None:
        dies(first)
        settles(journal)
        heirs.append(Worker(journal, outside))
        heirs[0].work(confirming=lambda _, posted: written.append(f"heir: {posted.id}"))
        end()

    outside.after = hang
    with contextlib.suppress(TemporaryError, Refused):
        first.work(confirming=lambda _, posted: written.append(f"late: {posted.id}"))
    return first, heirs[0], written


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda: None, id="an answer"),
        pytest.param(raising(Unanswered("timed out")), id="no answer"),
        pytest.param(raising(TemporaryError("reset")), id="not sent"),
        pytest.param(raising(Refused("no")), id="refused"),
    ],
)
def test_a_worker_that_comes_back_changes_nothing(
    end: Callable[[], None], journal: Journal, outside: Outside
) -> None:
    first, heir, written = _taken_over(journal, outside, end)
    assert written == ["heir: thing-1"], "what has become of it since is not written over"
    assert effect(journal).state == EffectState.CONFIRMED
    with pytest.raises(LostClaim):
        first.work()
    assert heir.work().id == "thing-1"
    assert outside.made == ["thing-1"]
    with journal.write() as session:
        heir.claim.finish(session, State.DONE, None)


def test_of_two_that_look_for_it_one_sends_again(journal: Journal, outside: Outside) -> None:
    worker = Worker(journal, outside)
    outside.before = raising(Killed())
    with pytest.raises(Killed):
        worker.work()
    outside.before = lambda: None
    settles(journal)

    def find() -> None:
        with journal.write() as session:
            session.execute(update(EffectRow).values(sends=EffectRow.sends + 1, sent_at=now()))

    calls = Calls(outside.send, find)
    with pytest.raises(LostClaim):
        worker.effecting.once(Effect(key="build/e", kind="build", event_id="e", request={}), calls)
    assert outside.made == []
