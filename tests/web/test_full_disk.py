"""A disk that is full: nothing is accepted that cannot be kept, and everything goes on when there is room again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from packit_worker.journal import Journal

from .opening import Opened, opened


class Disk:
    """The room that SQLite has for a journal, in pages of its file; None: as much as it wants."""

    def __init__(self, journal: Journal) -> None:
        self.room: int | None = None
        event.listen(journal.engine, "checkout", self._limit)

    def _limit(self, connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {self.room or 2**30}")


def filled(door: Opened, disk: Disk) -> None:
    """The disk has room for a few deliveries more, and then for none."""
    with door.journal.read() as session:
        used = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
    disk.room = used + 20
    for _ in range(100):
        if door.webhook(b'{"filler": "%s"}' % (b"x" * 2000)).status_code != 202:
            return
    raise AssertionError("the disk does not get full")


def test_what_cannot_be_kept_is_not_accepted(sqlite_journal: Journal, tmp_path: Any) -> None:
    disk = Disk(sqlite_journal)
    door = opened(sqlite_journal, tmp_path)
    filled(door, disk)
    kept = door.count()
    body = b'{"needed": "%s"}' % (b"y" * 2000)
    refused = door.webhook(body, X_GitHub_Delivery="the-one")
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert door.count() == kept, "nothing half written"
    assert door.client.get("/").status_code == 200, "what there is can be read"

    disk.room = None
    accepted = door.webhook(body, X_GitHub_Delivery="the-one")
    assert (accepted.status_code, accepted.json["decision"]) == (202, "accepted")
    assert door.count() == kept + 1
