"""What the journal lets go of, and what it keeps however old it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cli.written import PULL, deliver, end_delivery, end_event, pull_request, read
from sqlalchemy import DateTime, func, select, update

from packit_worker.broker.hints import Hints
from packit_worker.config.service import RetentionConfig
from packit_worker.journal import Journal, builds, deliveries, effects, purging, story
from packit_worker.journal.base import State, UTCDateTime, now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.decisions import DecisionRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import Effect, EffectRow
from packit_worker.journal.events import EventRow
from packit_worker.journal.purging import purge
from packit_worker.journal.tables import metadata
from packit_worker.replaying import NotReplayable, replay

POLICY = RetentionConfig(bodies_days=90, rows_days=400)


def years_pass(journal: Journal, days: int) -> None:
    """Everything in the journal becomes older by so many days."""
    back = timedelta(days=days)
    with journal.write() as session:
        for table in metadata.sorted_tables:
            moments = [column for column in table.columns if isinstance(column.type, UTCDateTime | DateTime)]
            keys = list(table.primary_key.columns)
            for row in session.execute(select(*keys, *moments)).all():
                values: dict[str, datetime | None] = {
                    column.name: moment - back
                    for column, moment in zip(moments, row[len(keys) :], strict=True)
                    if moment is not None
                }
                where = [key == value for key, value in zip(keys, row, strict=False)]
                if values:
                    session.execute(update(table).where(*where).values(**values))


def counts(journal: Journal) -> dict[str, int]:
    with journal.read() as session:
        return {
            table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def body(journal: Journal, id: str) -> bytes | None:
    with journal.read() as session:
        return session.get_one(Delivery, id).body


def test_a_body_leaves_and_its_delivery_is_still_known(journal: Journal) -> None:
    pull_request(journal)
    with journal.read() as session:
        digest = session.get_one(Delivery, "pr-delivery").body_sha256
    years_pass(journal, 91)
    before = counts(journal)
    gone = purge(journal, POLICY)
    assert gone["bodies"] == 4
    assert gone["bytes of bodies"] > 40
    assert counts(journal) == before
    with journal.read() as session:
        row = session.get_one(Delivery, "pr-delivery")
        assert (row.body, row.body_sha256) == (None, digest)
        told = story.of_delivery(session, "pr-delivery")
    assert told is not None
    assert told.entries[0].text == f"delivery pr-delivery, its body has left on {now():%Y-%m-%d}"
    assert told.entries[0].facts["body_left_at"]
    assert len(told.entries) > 10
    with journal.write() as session:
        again = deliveries.record(
            session, id="pr-delivery", source="github", event_type="pull_request", headers={}, body=b"other"
        )
    assert again.is_duplicate
    assert purge(journal, POLICY) == {}


def test_a_body_of_yesterday_stays(journal: Journal) -> None:
    pull_request(journal)
    years_pass(journal, 89)
    assert purge(journal, POLICY) == {}
    assert body(journal, "pr-delivery")


def test_a_story_goes_whole(journal: Journal) -> None:
    pull_request(journal)
    before = counts(journal)
    assert before["builds"] and before["checks"] and before["test_runs"] and before["effects"]
    with journal.write() as session:
        # The source package of that build.
        row = builds.find(session, "copr", "100", "srpm-builds")
        assert row is not None
        builds.end(session, row.id, builds.BuildState.SUCCESS, at=now())
    years_pass(journal, 401)
    foretold = purge(journal, POLICY, dry_run=True)
    assert counts(journal) == before
    gone = purge(journal, POLICY)
    assert gone == foretold
    assert gone["events"] == 4
    after = counts(journal)
    assert after["deliveries"] == 4
    assert {name for name, rows in after.items() if rows} == {"deliveries"}
    with journal.read() as session:
        told = story.of_delivery(session, "pr-delivery")
    assert told is not None
    assert [entry.kind for entry in told.entries] == ["received", "parsed"]


def _open_build(journal: Journal) -> None:
    """The source package of the build is never reported."""


def _open_check(journal: Journal) -> None:
    with journal.write() as session:
        session.execute(update(CheckRow).values(status="queued", conclusion=None))


def _young_sibling(journal: Journal) -> None:
    deliver(journal, "yesterday")
    read(journal, "yesterday", "young", subject=PULL)
    end_event(journal, "young", State.DONE, "done")


def _waiting_sibling(journal: Journal) -> None:
    deliver(journal, "waits-delivery")
    read(journal, "waits-delivery", "waits", subject=PULL)
    years_pass(journal, 401)


@pytest.mark.parametrize("what", [_open_build, _open_check, _young_sibling, _waiting_sibling])
def test_what_is_under_way_stays_however_old(journal: Journal, what: Callable[[Journal], None]) -> None:
    pull_request(journal)
    if what is not _open_build:
        with journal.write() as session:
            row = builds.find(session, "copr", "100", "srpm-builds")
            assert row is not None
            builds.end(session, row.id, builds.BuildState.SUCCESS, at=now())
    years_pass(journal, 401)
    what(journal)
    purge(journal, POLICY)
    with journal.read() as session:
        assert session.execute(select(EventRow).where(EventRow.id == "pr-event")).scalar_one()
        assert session.execute(select(func.count(DecisionRow.id))).scalar_one() > 0


def test_what_an_operator_may_release_keeps_its_body_for_as_long_as_rows(journal: Journal) -> None:
    ends = {"waits": State.HELD, "dead": State.DEAD, "broken": State.MALFORMED, "idle": State.IGNORED}
    for id, state in ends.items():
        deliver(journal, id)
        end_delivery(journal, id, state, "because")
    deliver(journal, "unread")
    years_pass(journal, 100)
    assert purge(journal, POLICY)["bodies"] == 2
    kept = {id for id in (*ends, "unread") if body(journal, id)}
    assert kept == {"waits", "dead", "unread"}
    years_pass(journal, 301)
    assert purge(journal, POLICY)["bodies"] == 2
    assert {id for id in (*ends, "unread") if body(journal, id)} == {"unread"}
    with pytest.raises(NotReplayable, match="body of delivery waits has left on 2"):
        replay(journal, Hints(None), "waits", dry_run=True)  # type: ignore[arg-type]


def test_what_is_done_once_for_good_is_not_done_again(journal: Journal) -> None:
    deliver(journal, "d")
    read(journal, "d", "event-of-acme")
    issue = Effect(key="issue/acme", kind="issue", event_id="event-of-acme", request={})
    own = Effect(
        key="copr_build/event-of-acme/handler", kind="copr_build", event_id="event-of-acme", request={}
    )
    with journal.write() as session:
        for effect in (issue, own):
            effects.begin(session, effect)
            effects.confirm(session, effect.key, "1", None)
    end_event(journal, "event-of-acme", State.DONE, "done")
    years_pass(journal, 401)
    gone = purge(journal, POLICY)
    assert (gone["events"], gone["effects"]) == (1, 1)
    again = Effect(key=issue.key, kind="issue", event_id=None, request={})
    with journal.write() as session:
        assert effects.begin(session, again).there
        assert session.execute(select(EffectRow.key)).scalars().all() == ["issue/acme"]


def test_batches_are_short_and_can_be_stopped(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "BATCH", 3)
    for number in range(10):
        deliver(journal, f"d{number}", ignored="of no interest")
    years_pass(journal, 91)
    told: list[int] = []
    with journal.counted() as cost:
        left = purge(
            journal, POLICY, progress=lambda gone: told.append(gone["bodies"]), stop=lambda: len(told) == 2
        )
    assert (left["bodies"], told) == (6, [3, 6])
    assert cost.transactions <= 5
    assert purge(journal, POLICY)["bodies"] == 4


def test_for_ever(journal: Journal) -> None:
    pull_request(journal)
    years_pass(journal, 4000)
    assert purge(journal, RetentionConfig(bodies_days=0, rows_days=0)) == {}


def test_two_at_the_same_time(journal: Journal) -> None:
    from .test_claims import in_threads

    for number in range(250):
        deliver(journal, f"d{number}", ignored="of no interest")
    years_pass(journal, 91)
    gone: list[Any] = []
    in_threads(2, lambda _: gone.append(purge(journal, POLICY)))
    with journal.read() as session:
        assert session.execute(select(func.count()).where(Delivery.body.is_not(None))).scalar_one() == 0
