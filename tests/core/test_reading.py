"""Reading deliveries whose parser has a bug, or dies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journal.rows import LEASE, lease_runs_out, row
from sqlalchemy import update

from packit_worker.course import reading
from packit_worker.journal import Journal, deliveries
from packit_worker.journal.base import State, now
from packit_worker.journal.claims import take
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.heart import Heart
from packit_worker.shop import Shop
from parsers.parsing import parse

from .making import a_shop


class Lane:
    """The lane ``parse``."""

    def __init__(self, shop: Shop, heart: Heart) -> None:
        self.shop = shop
        self.heart = heart

    def accept(self, body: bytes) -> None:
        with self.shop.journal.write() as session:
            deliveries.record(session, id="d", source="github", event_type="push", headers={}, body=body)

    def read(self) -> Delivery:
        with self.shop.journal.write() as session:
            session.execute(update(Delivery).values(due_at=now() - timedelta(seconds=1)))
        reading.read(self.shop, self.heart, "d")
        found: Delivery = row(self.shop.journal, Delivery, "d")
        return found


@pytest.fixture
def lane(journal: Journal, tmp_path: Path) -> Iterator[Lane]:
    heart = Heart(journal, lease=LEASE, beat=timedelta(seconds=5))
    yield Lane(a_shop(journal, tmp_path), heart)
    heart.stop()


def test_a_parser_with_a_bug(lane: Lane, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried as often as anything else: the next release may know better. Then it waits for a replay."""

    def buggy(source: str, event_type: str | None, body: Any) -> Any:
        raise KeyError("repository\x00")

    lane.accept(b"{}")
    most = lane.shop.settings.limits.max_attempts
    for attempt in range(1, most):
        delivery = _read_with(lane, buggy)
        assert (delivery.state, delivery.attempts) == (State.READY, attempt)
        assert "KeyError" in (delivery.reason or "")
        assert delivery.due_at > now()
    delivery = _read_with(lane, buggy)
    assert delivery.state == State.DEAD
    assert "packit-worker replay" in (delivery.reason or "")
    assert "in buggy" in (delivery.reason or ""), "the traceback"
    assert "has a bug" in caplog.text


def _read_with(lane: Lane, parser: Any) -> Delivery:
    with lane.shop.journal.write() as session:
        session.execute(update(Delivery).values(due_at=now() - timedelta(seconds=1)))
    reading.read(lane.shop, lane.heart, "d", parser=parser)
    found: Delivery = row(lane.shop.journal, Delivery, "d")
    return found


def test_a_parser_that_is_mended(lane: Lane) -> None:
    lane.accept(json.dumps({"ref": "refs/tags/v1"}).encode())

    def buggy(source: str, event_type: str | None, body: Any) -> Any:
        raise KeyError

    assert _read_with(lane, buggy).state == State.READY
    assert _read_with(lane, parse).state == State.IGNORED


def test_a_parser_that_dies_every_time(lane: Lane) -> None:
    lane.accept(b"{}")
    for _ in range(lane.shop.settings.limits.max_attempts):
        with lane.shop.journal.write() as session:
            assert take(session, Delivery, "d", LEASE) is not None
        lease_runs_out(lane.shop.journal, Delivery, "d")
    delivery = lane.read()
    assert delivery.state == State.DEAD
    assert "died" in (delivery.reason or "")


def test_unknown_delivery(lane: Lane, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    reading.read(lane.shop, lane.heart, "nobody-knows-it")
    assert "nobody-knows-it is not to be had: unknown" in caplog.text


def test_what_was_read_is_not_read_again(lane: Lane) -> None:
    lane.accept(b"[]")
    assert lane.read().state == State.MALFORMED
    assert lane.read().attempts == 1
