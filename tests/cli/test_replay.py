"""``packit-worker replay``: reading and processing again, without doing anything outside twice."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from packit_worker.journal import Journal, checks, effects, events, runs
from packit_worker.journal.base import State
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import take
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import Effect, EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunRow, RunState
from packit_worker.ports import CheckStatus

from . import written
from .conftest import Run
from .written import PULL, PULL_TASK


def delivery(journal: Journal, id: str) -> Delivery:
    with journal.read() as session:
        return session.get_one(Delivery, id)


def event(journal: Journal, id: str) -> EventRow:
    with journal.read() as session:
        return session.query(EventRow).filter_by(id=id).one()


def runs_of(journal: Journal, event_id: str) -> dict[str, RunRow]:
    with journal.read() as session:
        return {key[0]: row for key, row in runs.of_event(session, event_id).items()}


def dead_event(journal: Journal) -> None:
    """An event that was given up: one run done, one failed; one effect each confirmed, refused and without answer."""
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    with journal.write() as session:
        keys = [(name, "", "") for name in ("Good", "Bad")]
        runs.plan(session, "e", keys)
        states = {"Good": RunState.DONE, "Bad": RunState.FAILED}
        results = [
            {"handler": k[0], "job": "", "target": "", "state": states[k[0]], "note": "x"} for k in keys
        ]
        runs.write_results(session, "e", results)
        for key in ("confirmed", "refused", "lost"):
            effects.begin(session, Effect(key=key, kind="copr_build", event_id="e", request={}))
        effects.confirm(session, "confirmed", "100", None)
        effects.refuse(session, "refused", "no such project")
        effects.unanswered(session, "lost", "timed out")
    written.end_event(journal, "e", State.DEAD, "Copr was away")


@pytest.mark.parametrize("state", [State.MALFORMED, State.DEAD, State.IGNORED])
def test_a_delivery_is_read_again(run: Run, journal: Journal, state: State) -> None:
    written.deliver(journal, "d", event_type="watch")
    written.end_delivery(journal, "d", state, "because")
    result = run("replay", "d")
    assert result.exit_code == 0, result.output
    assert f"delivery d was {state}: because" in result.stdout
    row = delivery(journal, "d")
    assert (row.state, row.reason, row.attempts, row.finished_at) == (State.READY, None, 0, None)
    with journal.write() as session:
        assert take(session, Delivery, "d", written.LEASE) is not None


def test_a_held_delivery_is_released(run: Run, journal: Journal) -> None:
    written.deliver(journal, "first", body=b"{}")
    written.deliver(journal, "second", body=b"{}", replay_window=timedelta(days=1))
    assert run("replay", "second").exit_code == 0
    assert delivery(journal, "second").state == State.READY


def test_what_reading_will_come_to_is_foretold(run: Run, journal: Journal) -> None:
    written.deliver(journal, "d", source="testing-farm", event_type="result", body=b'{"request_id": "r-1"}')
    written.end_delivery(journal, "d", State.DEAD, "its parser died")
    out = run("replay", "d", "--dry-run").stdout
    assert "would read it again" in out
    written.deliver(journal, "broken", body=b"{")
    written.end_delivery(journal, "broken", State.MALFORMED, "no JSON")
    assert "it will be malformed again, the body is not JSON" in run("replay", "broken", "--dry-run").stdout


def test_a_dead_event_runs_again_what_failed(run: Run, journal: Journal) -> None:
    dead_event(journal)
    result = run("replay", "e")
    assert result.exit_code == 0, result.output
    assert "event e was dead: Copr was away" in result.stdout
    assert "will run Bad again (it was failed)" in result.stdout
    assert "stays: Good is done" in result.stdout
    assert "stays: copr_build 100 is confirmed, and is not done again" in result.stdout
    row = event(journal, "e")
    assert (row.state, row.reason, row.finished_at) == (State.READY, None, None)
    assert {name: run.state for name, run in runs_of(journal, "e").items()} == {
        "Good": RunState.DONE,
        "Bad": RunState.PLANNED,
    }


def test_the_runs_of_a_replayed_event_are_seen_by_the_next_attempt(run: Run, journal: Journal) -> None:
    dead_event(journal)
    run("replay", "e")
    with journal.write() as session:
        taken = take(session, EventRow, "e", written.LEASE)
    assert taken is not None
    # At a first attempt nobody looks for runs (packit_worker.pipeline.facts), and what is done would be done again.
    assert taken[1].attempts == 2


def test_effects_that_are_confirmed_or_lost_stay_and_refused_ones_are_asked_again(
    run: Run, journal: Journal
) -> None:
    dead_event(journal)
    assert "ask again for what was refused: copr_build (no such project)" in run("replay", "e").stdout
    with journal.read() as session:
        states = {row.key: row.state for row in session.query(EffectRow)}
    assert states == {
        "confirmed": EffectState.CONFIRMED,
        "refused": EffectState.PLANNED,
        "lost": EffectState.SENT,
    }


def test_a_done_event_runs_everything_again(run: Run, journal: Journal) -> None:
    written.pull_request(journal)
    result = run("replay", "pr-event")
    assert result.exit_code == 0
    assert "run PullRequestCoprBuildHandler for 0:copr_build again (it was done)" in result.stdout
    assert {run.state for run in runs_of(journal, "pr-event").values()} == {RunState.PLANNED}


def test_a_delivery_that_was_read_leads_to_its_event(run: Run, journal: Journal) -> None:
    dead_event(journal)
    assert "event e was dead" in run("replay", "d").stdout
    assert event(journal, "e").state == State.READY
    assert delivery(journal, "d").state == State.DONE


def test_a_check_that_could_not_be_shown_is_shown_again(run: Run, journal: Journal) -> None:
    written.pull_request(journal)
    with journal.write() as session:
        check = session.query(CheckRow).one()
        checks.want(session, [check.with_words(CheckStatus.QUEUED, None, "again", "")])
        taken = take(session, CheckRow, check.id, written.LEASE)
        assert taken is not None
        taken[0].finish(session, State.DEAD, "the forge does not take it")
    assert f"show the check {check.name} (the forge does not take it)" in run("replay", "pr-event").stdout
    with journal.read() as session:
        assert session.query(CheckRow).one().state == State.READY


def test_a_dry_run_changes_nothing(run: Run, journal: Journal, config: Path) -> None:
    dead_event(journal)
    written.deliver(journal, "m", body=b"{")
    written.end_delivery(journal, "m", State.MALFORMED, "no JSON")

    def digest() -> str:
        with journal.engine.connect() as connection:
            dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
        return hashlib.sha256(dump.encode()).hexdigest()

    before = digest()
    for id in ("e", "d", "m"):
        result = run("replay", id, "--dry-run")
        assert result.exit_code == 0
        assert "would" in result.stdout
        assert result.stdout.endswith("nothing was changed\n")
        assert "broker" not in result.stderr
    assert digest() == before


def test_a_broker_that_is_away_is_left_to_the_sweeper(run: Run, journal: Journal) -> None:
    dead_event(journal)
    result = run("replay", "e")
    assert result.exit_code == 0
    assert "the broker is away, the sweeper will send" in result.stderr


def test_an_unknown_id(run: Run, journal: Journal) -> None:
    result = run("replay", "nobody")
    assert result.exit_code == 1
    assert "the journal knows no delivery or event nobody" in result.stderr
    assert "packit-worker explain" in result.stderr


def test_what_is_still_to_be_done_is_not_replayed(run: Run, journal: Journal) -> None:
    written.deliver(journal, "waiting")
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    for id in ("waiting", "d", "e"):
        result = run("replay", id)
        assert result.exit_code == 1
        assert "is ready" in result.stderr


def test_a_superseded_event_names_the_newer(run: Run, journal: Journal) -> None:
    for number in (1, 2):
        written.deliver(journal, f"d{number}")
        written.read(journal, f"d{number}", f"e{number}")
    with journal.write() as session:
        events.supersede(session, subject=PULL, task=PULL_TASK, by="e2")
    result = run("replay", "d1")
    assert result.exit_code == 1
    assert "what to do: packit-worker replay e2" in result.stderr
