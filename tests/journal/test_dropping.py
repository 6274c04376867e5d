"""Letting go of what was given up: the work of an event together with checks that could not be shown."""

from __future__ import annotations

import pytest
from cli import written
from sqlalchemy import select, update

from packit_worker.journal import Journal, checks, overview, reopening
from packit_worker.journal.base import State
from packit_worker.journal.checks import CheckRow, Wanted
from packit_worker.journal.events import EventRow
from packit_worker.journal.reopening import NotReplayable
from packit_worker.ports import CheckStatus


def _an_event_with_a_dead_check(journal: Journal, ended: State) -> None:
    written.deliver(journal, "d1")
    written.read(journal, "d1", "e1")
    written.end_event(journal, "e1", ended, "Copr is away")
    wanted = Wanted(
        project_url=written.PROJECT,
        commit_sha=written.COMMIT,
        name="rpm-build",
        kind="build",
        job="copr_build",
        target="",
        subject=written.PULL,
        installation_id=1,
        event_id="e1",
        status=CheckStatus.QUEUED,
        title="queued",
    )
    with journal.write() as session:
        checks.want(session, [wanted])
        session.execute(update(CheckRow).values(state=State.DEAD, reason="the App is gone"))


@pytest.mark.parametrize(
    ("ended", "was", "becomes"),
    [
        (State.DEAD, ["the work: Copr is away", "the check rpm-build: the App is gone"], State.IGNORED),
        (State.DONE, ["the check rpm-build: the App is gone"], State.DONE),
    ],
)
def test_an_event_and_its_checks(journal: Journal, ended: State, was: list[str], becomes: State) -> None:
    _an_event_with_a_dead_check(journal, ended)
    with journal.read() as session:
        assert reopening.drop(session, "d1", "", dry_run=True).was == was
        assert len(overview.dead(session, 10)) == len(was)
    with journal.write() as session:
        dropped = reopening.drop(session, "e1", "the project is gone")
    assert (str(dropped), dropped.was) == ("event e1", was)
    with journal.read() as session:
        assert overview.dead(session, 10) == []
        assert session.execute(select(EventRow.state)).scalar_one() == becomes
        (check,) = checks.of_event(session, "e1")
        assert (check.state, check.reason) == (
            State.IGNORED,
            "dropped by an operator: the project is gone",
        )
    with journal.write() as session, pytest.raises(NotReplayable, match="only what was given up"):
        reopening.drop(session, "e1", "twice")


def test_what_is_replayed_meanwhile_is_not_dropped(journal: Journal) -> None:
    _an_event_with_a_dead_check(journal, State.DEAD)
    with journal.write() as session:
        read = session.execute(select(EventRow)).scalar_one()
        # what another transaction does after this one has read the row
        ready = update(EventRow).values(state=State.READY).execution_options(synchronize_session=False)
        session.execute(ready)
        with pytest.raises(NotReplayable, match="has just changed"):
            reopening.drop(session, "e1", "too late")
    assert read.state != State.IGNORED
