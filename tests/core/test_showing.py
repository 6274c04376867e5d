"""Showing checks on a forge that does not answer, refuses, or is quicker than we are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from journal.rows import LEASE, happen, lease_runs_out, the_check, want, wanted
from sqlalchemy import select, update

from packit_worker.course import showing
from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError, Unanswered
from packit_worker.journal import Journal
from packit_worker.journal.base import State, now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import take
from packit_worker.journal.effects import EffectRow
from packit_worker.journal.heart import Heart
from packit_worker.ports import CheckState, CheckStatus, Posted
from packit_worker.shop import Shop

from .making import Outside, a_shop

DONE = CheckStatus.COMPLETED


class AForge:
    """A forge with one project, which is itself. ``before`` and ``after`` come around what it does."""

    def __init__(self) -> None:
        self.shows: dict[str, CheckState] = {}
        self.created = 0
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def project(self, url: str, installation_id: int | None = None) -> AForge:
        return self

    def create_check(self, check: CheckState) -> Posted:
        self.before()
        self.created += 1
        self.shows[str(self.created)] = check
        self.after()
        return Posted(id=str(self.created), url=None)

    def update_check(self, check_id: str, check: CheckState) -> None:
        self.before()
        if check_id not in self.shows:
            raise NotFound("no such check run")
        self.shows[check_id] = check
        self.after()

    def find_check(self, check: CheckState) -> Posted | None:
        found = [id for id, shown in self.shows.items() if shown.marker == check.marker]
        return Posted(id=found[-1], url=None) if found else None

    @property
    def titles(self) -> list[str]:
        return [check.title for check in self.shows.values()]


class Report:
    """The lane, with the hand that moves time."""

    def __init__(self, shop: Shop, heart: Heart, forge: AForge) -> None:
        self.shop = shop
        self.heart = heart
        self.forge = forge

    def show(self) -> CheckRow:
        showing.show(self.shop, self.heart, the_check(self.shop.journal).id)
        return the_check(self.shop.journal)

    def time_passes(self) -> None:
        past = now() - timedelta(hours=2)
        with self.shop.journal.write() as session:
            session.execute(update(CheckRow).values(due_at=past))
            session.execute(update(EffectRow).where(EffectRow.sent_at.is_not(None)).values(sent_at=past))


@pytest.fixture
def report(journal: Journal, tmp_path: Path) -> Iterator[Report]:
    happen(journal, "e")
    forge = AForge()
    shop = a_shop(journal, tmp_path, outside=Outside(forge=lambda _: forge))
    heart = Heart(journal, lease=LEASE, beat=timedelta(seconds=5))
    yield Report(shop, heart, forge)
    heart.stop()


def raising(error: Exception) -> Callable[[], None]:
    def do_raise() -> None:
        raise error

    return do_raise


def test_created_once_then_changed(report: Report) -> None:
    journal = report.shop.journal
    want(journal, wanted(title="queued"))
    assert report.show().shown_version == 1
    want(journal, wanted(DONE, "all well"))
    row = report.show()
    assert (row.state, row.shown_version, row.version) == (State.DONE, 2, 2)
    assert report.forge.titles == ["all well"]


def test_created_without_an_answer_and_newer_by_then(report: Report) -> None:
    journal = report.shop.journal
    want(journal, wanted(title="queued"))
    report.forge.after = raising(Unanswered("the line is dead"))
    assert report.show().state == State.READY
    report.forge.after = lambda: None
    want(journal, wanted(DONE, "all well"))
    assert report.show().shown_version == 0, "it is let settle first"
    report.time_passes()
    row = report.show()
    assert (row.state, row.shown_version, row.external_id) == (State.DONE, 2, "1")
    assert report.forge.titles == ["all well"], "one check, and it shows the newest"


def test_wanted_while_it_is_shown(report: Report) -> None:
    journal = report.shop.journal
    want(journal, wanted(title="queued"))

    def meanwhile() -> None:
        report.forge.after = lambda: None
        want(journal, wanted(DONE, "all well"))

    report.forge.after = meanwhile
    row = report.show()
    assert (row.state, row.shown_version, row.version) == (State.DONE, 2, 2)
    assert report.forge.titles == ["all well"]


def test_refused_then_wanted_otherwise(report: Report) -> None:
    """What was refused in one version may be what the next has left out."""
    journal = report.shop.journal
    want(journal, wanted(title="much too long"))
    report.forge.before = raising(Refused("422: title is too long"))
    row = report.show()
    assert (row.state, row.finished_at is None) == (State.DEAD, False)
    assert "too long" in (row.reason or "")
    report.forge.before = lambda: None
    assert report.show().state == State.DEAD, "nobody asks again by himself"
    want(journal, wanted(DONE, "short"))
    row = report.show()
    assert (row.state, row.reason) == (State.DONE, None)
    assert report.forge.titles == ["short"]


def test_gone_on_the_forge(report: Report) -> None:
    journal = report.shop.journal
    want(journal, wanted(title="queued"))
    report.show()
    report.forge.shows.clear()
    want(journal, wanted(DONE, "all well"))
    assert report.show().state == State.DEAD
    with journal.read() as session:
        states = set(session.execute(select(EffectRow.state)).scalars())
    assert states == {"confirmed", "refused"}, "no call is believed to be out"


def test_away_for_long(report: Report) -> None:
    want(report.shop.journal, wanted(title="queued"))
    report.forge.before = raising(TemporaryError("503"))
    for attempt in range(1, showing.ATTEMPTS):
        row = report.show()
        assert (row.state, row.attempts) == (State.READY, attempt)
        report.time_passes()
    assert report.show().state == State.DEAD


def test_waiting_for_quota_is_no_attempt(report: Report) -> None:
    want(report.shop.journal, wanted(title="queued"))
    report.forge.before = raising(RateLimited("too much", retry_after=60))
    for _ in range(showing.ATTEMPTS + 2):
        row = report.show()
        assert (row.state, row.attempts) == (State.READY, 0)
        report.time_passes()


def test_a_bug_ends_it_at_once_and_is_written_down(report: Report, caplog: pytest.LogCaptureFixture) -> None:
    want(report.shop.journal, wanted(title="queued"))
    report.forge.before = raising(KeyError("html_url"))
    row = report.show()
    assert row.state == State.DEAD
    assert "KeyError" in (row.reason or "")
    assert "has a bug" in caplog.text


def test_whoever_shows_it_dies_every_time(report: Report) -> None:
    journal = report.shop.journal
    (id,) = want(journal, wanted(title="queued"))
    for _ in range(showing.ATTEMPTS):
        with journal.write() as session:
            assert take(session, CheckRow, id, LEASE) is not None
        lease_runs_out(journal, CheckRow, id)
    row = report.show()
    assert (row.state, report.forge.created) == (State.DEAD, 0)
    assert "died" in (row.reason or "")


def test_unknown_check(report: Report, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    showing.show(report.shop, report.heart, "nobody knows it")
    assert "nobody knows it is not to be had: unknown" in caplog.text
