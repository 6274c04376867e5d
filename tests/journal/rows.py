"""Rows for tests of the journal: written through its own operations, or put straight into the state a test needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from packit_worker.journal import Journal, checks, deliveries, events
from packit_worker.journal.base import now
from packit_worker.journal.checks import CheckRow, Wanted
from packit_worker.journal.claims import Claim, take
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.events import EventRow
from packit_worker.ports import CheckStatus, Conclusion

LEASE = timedelta(seconds=15)
PROJECT = "https://forge.example/acme/hello"
PULL_TASK = "task.process_pull_request_GH_event"


def deliver(journal: Journal, *ids: str) -> None:
    with journal.write() as session:
        for id in ids:
            deliveries.record(
                session, id=id, source="github", event_type="push", headers={}, body=id.encode()
            )


def happen(journal: Journal, id: str, subject: str = "s", **values: Any) -> str:
    """An event of a subject."""
    with journal.write() as session:
        events.record(
            session,
            id=id,
            delivery_id=None,
            task=values.pop("task", PULL_TASK),
            lane="short-running",
            kwargs=values.pop("kwargs", {}),
            subject=subject,
        )
        if values:
            session.execute(update(EventRow).where(EventRow.id == id).values(**values))
    return id


def claim(journal: Journal, model: Any, key: str, lease: timedelta = LEASE) -> Claim | None:
    with journal.write() as session:
        taken = take(session, model, key, lease)
    return taken[0] if taken else None


def row(journal: Journal, model: Any, key: str) -> Any:
    with journal.read() as session:
        return session.execute(select(model).where(model.key_column() == key)).scalar_one()


def lease_runs_out(journal: Journal, model: Any, key: str) -> None:
    with journal.write() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(model).where(model.key_column() == key).values(lease_until=past))


def wanted(status: CheckStatus = CheckStatus.QUEUED, title: str = "queued", **values: Any) -> Wanted:
    facts: dict[str, Any] = {
        "project_url": PROJECT,
        "commit_sha": "c" * 40,
        "name": "rpm-build:x",
        "kind": "rpm-build",
        "job": "0:copr_build",
        "target": "x",
        "subject": f"{PROJECT}/pull/1",
        "installation_id": None,
        "event_id": "e",
        "status": status,
        "conclusion": Conclusion.SUCCESS if status == CheckStatus.COMPLETED else None,
        "title": title,
    }
    return Wanted(**facts | values)


def want(journal: Journal, *states: Wanted) -> list[str]:
    with journal.write() as session:
        return checks.want(session, states)


def the_check(journal: Journal) -> CheckRow:
    with journal.read() as session:
        return session.execute(select(CheckRow)).scalar_one()


Writing = Callable[[], None]
__all__ = [
    "LEASE",
    "PROJECT",
    "Delivery",
    "claim",
    "deliver",
    "happen",
    "lease_runs_out",
    "row",
    "want",
    "wanted",
]
