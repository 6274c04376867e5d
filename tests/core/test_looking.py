"""Asking about what is silent: systems that are slow, that have forgotten, and that never answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journal.rows import happen
from kombu.transport import memory
from sqlalchemy import select, update

from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.journal import Journal, builds, test_runs
from packit_worker.journal.base import now
from packit_worker.journal.builds import BuildRow, BuildState
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.ports import CoprBuild, TestRun, TestState
from packit_worker.sweeping.looking import (
    FOR_SO_LONG,
    GONE_AT,
    look_at_silent_builds,
    look_at_silent_tests,
    next_look,
)

from .making import Outside, a_shop

CHROOT = "fedora-43-x86_64"


class Asked:
    """Both systems: an answer, or an error, for everything."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer
        self.count = 0

    def get_build(self, build_id: int) -> CoprBuild:
        self.count += 1
        found: CoprBuild = self.answer()
        return found

    def get_request(self, request_id: str) -> TestRun:
        self.count += 1
        found: TestRun = self.answer()
        return found


def raising(error: Exception) -> Callable[[], Any]:
    def do_raise() -> None:
        raise error

    return do_raise


@pytest.fixture(autouse=True)
def orders(journal: Journal) -> None:
    memory.Channel.queues.clear()
    happen(journal, "e")
    common = {
        "event_id": "e",
        "task": "t",
        "kwargs": {},
        "project_url": "p",
        "commit_sha": "c",
        "job": "j",
        "look_at": now() - timedelta(seconds=1),
    }
    with journal.write() as session:
        builds.order(
            session,
            [
                common
                | {"system": "copr", "build_id": str(id), "chroot": CHROOT, "owner": "o", "project_name": "n"}
                for id in (1, 2, 3)
            ],
        )
        for id in ("r1", "r2", "r3"):
            test_runs.order(session, common | {"request_id": id, "chroot": CHROOT, "build_id": "1"})


def look(journal: Journal, tmp_path: Path, asked: Asked, farm: Asked | None = None) -> None:
    """Everything is due, and looked at. One answers for both systems if only one is given."""
    with journal.write() as session:
        for model in (BuildRow, TestRunRow):
            past = now() - timedelta(seconds=1)
            session.execute(update(model).where(model.look_at.is_not(None)).values(look_at=past))
    shop = a_shop(journal, tmp_path, outside=Outside(copr=asked, testing_farm=farm or asked))
    look_at_silent_builds(shop)
    look_at_silent_tests(shop)


def orders_of(journal: Journal) -> list[BuildRow | TestRunRow]:
    with journal.read() as session:
        return [
            *session.execute(select(BuildRow).order_by(BuildRow.id)).scalars(),
            *session.execute(select(TestRunRow).order_by(TestRunRow.request_id)).scalars(),
        ]


def accepted(journal: Journal) -> list[str]:
    with journal.read() as session:
        return sorted(session.execute(select(Delivery.id)).scalars())


def test_a_system_that_is_away_is_asked_once_a_round(journal: Journal, tmp_path: Path) -> None:
    """Each time-out takes ten seconds, and twenty of them would be two hundred."""
    asked = Asked(raising(TemporaryError("timed out")))
    look(journal, tmp_path, asked)
    assert asked.count == 2
    assert accepted(journal) == []
    for row in orders_of(journal):
        assert row.looks == 0, "no answer, no look"
        assert row.look_at is not None
        assert (row.look_at - now()).total_seconds() == pytest.approx(30, abs=5)


def test_an_answer_counts_as_a_look(journal: Journal, tmp_path: Path) -> None:
    running = CoprBuild(id=1, url="", state="running", chroots={CHROOT: "running"})
    for looks, seconds in ((1, 60), (2, 120)):
        look(
            journal, tmp_path, Asked(lambda: running), Asked(lambda: TestRun(id="r", state=TestState.RUNNING))
        )
        for row in orders_of(journal):
            assert row.looks == looks
            assert row.look_at is not None
            assert (row.look_at - now()).total_seconds() == pytest.approx(seconds, abs=5)


def test_news_that_come_during_a_look_stay(journal: Journal, tmp_path: Path) -> None:
    def answer() -> CoprBuild:
        with journal.write() as session:
            for row in builds.of_build(session, "copr", "1"):
                builds.end(session, row.id, BuildState.SUCCESS, at=now())
        return CoprBuild(id=1, url="", state="running", chroots={CHROOT: "running"})

    look(journal, tmp_path, Asked(answer), Asked(raising(TemporaryError("away"))))
    ended = orders_of(journal)[0]
    assert (ended.state, ended.looks, ended.look_at) == (BuildState.SUCCESS, 0, None)


def test_a_refusal_does_not_hide_the_others(journal: Journal, tmp_path: Path) -> None:
    asked = Asked(raising(Refused("403")))
    look(journal, tmp_path, asked)
    assert asked.count == 6


def test_a_build_that_copr_does_not_know(journal: Journal, tmp_path: Path) -> None:
    """Not yet, perhaps; after some minutes it is gone, and that is news."""
    asked = Asked(raising(NotFound("no such build")))
    for _ in range(GONE_AT - 1):
        look(journal, tmp_path, asked)
        assert accepted(journal) == []
    look(journal, tmp_path, asked)
    assert accepted(journal) == [f"look:copr:{id}:{CHROOT}" for id in (1, 2, 3)]
    with journal.read() as session:
        body = session.execute(select(Delivery.body).limit(1)).scalar_one()
    assert b'"status": 2' in (body or b"")


def test_ends_that_were_missed_come_in_once(journal: Journal, tmp_path: Path) -> None:
    ended = CoprBuild(id=1, url="", state="succeeded", chroots={CHROOT: "succeeded"}, package="hello")
    for _ in range(2):
        look(journal, tmp_path, Asked(lambda: ended), Asked(raising(TemporaryError("away"))))
    assert accepted(journal) == [f"look:copr:{id}:{CHROOT}" for id in (1, 2, 3)]


def test_requests_that_ended(journal: Journal, tmp_path: Path) -> None:
    running = CoprBuild(id=1, url="", state="running", chroots={CHROOT: "running"})
    look(journal, tmp_path, Asked(lambda: running), Asked(lambda: TestRun(id="r", state=TestState.COMPLETE)))
    assert accepted(journal) == [f"look:testing-farm:r{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(("looks", "seconds"), [(0, 30), (1, 60), (3, 240), (7, 3600), (500, 3600)])
def test_looks_become_rare(looks: int, seconds: int) -> None:
    at = next_look(looks, now())
    assert at is not None
    assert (at - now()).total_seconds() == pytest.approx(seconds, abs=1)


def test_looks_have_an_end(journal: Journal, tmp_path: Path) -> None:
    assert next_look(3, now() - FOR_SO_LONG) is None
    with journal.write() as session:
        session.execute(update(BuildRow).values(submitted_at=now() - FOR_SO_LONG))
        session.execute(update(TestRunRow).values(submitted_at=now() - FOR_SO_LONG))
    asked = Asked(raising(Refused("403")))
    look(journal, tmp_path, asked)
    assert asked.count == 6
    look(journal, tmp_path, asked)
    assert asked.count == 6
