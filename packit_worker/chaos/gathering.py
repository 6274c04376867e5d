"""Reads what can be seen of a run, journal (only read) and sandbox over HTTP. Makes the record that is judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from packit_worker.chaos.feeding import repository_of
from packit_worker.chaos.record import (
    JournalEffect,
    Record,
    Sending,
    ShownCheck,
    Taken,
    WantedCheck,
    Work,
)
from packit_worker.demo.stage import Stage
from packit_worker.journal.base import OPEN
from packit_worker.journal.builds import FINAL, BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.journal.events import EventRow
from packit_worker.journal.test_runs import TestRunRow

#: What the service calls the bus.
BUS = "fedora-messaging"
_CLAIMED = ("deliveries", "events", "checks")
_COLUMNS = "(work, key, number, taken_by, taken_at, state_before, lease_before, by_before)"
#: The clock is the database's at the moment of the statement: ``claimed_at`` was taken before its lock was had.
_CLOCKS = {
    "postgresql": "clock_timestamp() AT TIME ZONE 'UTC'",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')",
}


def watch_claims(engine: Engine) -> None:
    """Let the scratch database note every claim as it is taken, and what it was taken from."""
    dialect = engine.dialect.name
    clock = _CLOCKS[dialect]
    values = f"OLD.id, NEW.claim, NEW.claimed_by, {clock}, OLD.state, OLD.lease_until, OLD.claimed_by"
    insert = f"INSERT INTO chaos_claims {_COLUMNS} VALUES"
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE chaos_claims (work TEXT, key TEXT, number BIGINT, taken_by TEXT, taken_at TIMESTAMP, "
                "state_before TEXT, lease_before TIMESTAMP, by_before TEXT)"
            )
        )
        if dialect == "postgresql":
            note = f"BEGIN {insert} (TG_TABLE_NAME, {values}); RETURN NULL; END"
            connection.execute(
                text(f"CREATE FUNCTION chaos_claim() RETURNS trigger LANGUAGE plpgsql AS $$ {note} $$")
            )
        for table in _CLAIMED:
            when = f"AFTER UPDATE OF claim ON {table} FOR EACH ROW WHEN (NEW.claim <> OLD.claim)"
            do = (
                "EXECUTE FUNCTION chaos_claim()"
                if dialect == "postgresql"
                else f"BEGIN {insert} ('{table}', {values}); END"
            )
            connection.execute(text(f"CREATE TRIGGER chaos_{table} {when} {do}"))


def unfinished(stage: Stage) -> dict[str, int]:
    """What the service has not done yet, by what it is; empty when it is quiet. Raises JournalUnavailable."""
    with stage.journal.read() as session:
        counts = {
            model.__tablename__: _count(session, model, model.state.in_(OPEN))
            for model in (Delivery, EventRow, CheckRow)
        }
        counts["builds"] = _count(session, BuildRow, BuildRow.state.not_in(FINAL))
        counts["tests"] = _count(session, TestRunRow, TestRunRow.ended_at.is_(None))
        there = set(session.execute(select(Delivery.id)).scalars())
    counts["messages"] = len(_bus_ids(stage) - there)
    return {name: count for name, count in counts.items() if count}


def missing(stage: Stage, sendings: Iterable[Sending]) -> int:
    """How many webhooks have not arrived."""
    with stage.journal.read() as session:
        there = set(session.execute(select(Delivery.id)).scalars())
    return len({sent.id for sent in sendings if sent.id and sent.expected is None} - there)


def gather(stage: Stage, sendings: list[Sending], heads: Iterable[tuple[str, str]], *, quiet: bool) -> Record:
    """The whole record. Raises JournalUnavailable, SandboxError."""
    record = Record(sendings=sendings, quiet=quiet)
    with stage.journal.read() as session:
        _read_work(session, record)
        _read_orders(session, record)
        record.taken = [
            Taken(
                table=row.work,
                key=row.key,
                number=row.number,
                by=row.taken_by,
                at=_moment(row.taken_at),
                state_before=row.state_before,
                lease_before=_moment(row.lease_before) if row.lease_before else None,
                by_before=row.by_before,
            )
            for row in session.execute(text("SELECT * FROM chaos_claims"))
        ]
    sandbox = stage.sandbox
    record.effects = sandbox.effects()
    record.builds = frozenset(str(build.id) for build in sandbox.copr.builds())
    record.tests = frozenset(request.id for request in sandbox.testing_farm.requests())
    record.bus_ids = frozenset(_bus_ids(stage))
    record.call_backs_taken = sum(200 <= back.status < 300 for back in sandbox.testing_farm.callbacks())
    places = {*heads, *((check.repository, check.commit_sha) for check in record.wanted)}
    for repository, sha in sorted(places):
        record.shown += [_shown(repository, check) for check in sandbox.github.checks(repository, sha)]
    return record


def _read_work(session: Session, record: Record) -> None:
    for delivery in session.execute(select(Delivery)).scalars():
        record.work.append(_work(delivery, created_at=delivery.received_at, source=delivery.source))
    for row in session.execute(select(EventRow)).scalars():
        record.work.append(
            _work(
                row,
                created_at=row.created_at,
                delivery_id=row.delivery_id,
                subject=row.subject,
                seq=row.seq,
                task=row.task,
                superseded_by=row.superseded_by,
            )
        )
    for check in session.execute(select(CheckRow)).scalars():
        record.work.append(_work(check, created_at=check.wanted_at, subject=check.subject))
        record.wanted.append(
            WantedCheck(
                id=check.id,
                repository=repository_of(check.project_url),
                commit_sha=check.commit_sha,
                name=check.name,
                status=check.status,
                conclusion=check.conclusion,
                title=check.title,
                external_id=check.external_id,
            )
        )


def _read_orders(session: Session, record: Record) -> None:
    for effect in session.execute(select(EffectRow)).scalars():
        record.journal_effects.append(
            JournalEffect(
                key=effect.key,
                kind=effect.kind,
                state=EffectState(effect.state),
                external_id=effect.external_id,
                sends=effect.sends,
                event_id=effect.event_id,
            )
        )
    for build in session.execute(select(BuildRow).where(BuildRow.state.not_in(FINAL))).scalars():
        record.open_builds.append(f"build {build.build_id} {build.chroot}")
    for run in session.execute(select(TestRunRow).where(TestRunRow.ended_at.is_(None))).scalars():
        record.open_builds.append(f"test request {run.request_id}")


def _work(row: Any, **more: Any) -> Work:
    return Work(
        table=row.__tablename__,
        key=row.key,
        state=row.state,
        reason=row.reason,
        attempts=row.attempts,
        claim=row.claim,
        finished_at=row.finished_at,
        **more,
    )


def _shown(repository: str, check: Any) -> ShownCheck:
    return ShownCheck(
        id=str(check.id),
        repository=repository,
        commit_sha=check.head_sha,
        name=check.name,
        status=check.status,
        conclusion=check.conclusion,
        title=check.output.get("title") or "",
        marker=check.external_id,
    )


def _bus_ids(stage: Stage) -> set[str]:
    return {f"{BUS}:{message.id}" for message in stage.sandbox.bus.messages()}


def _count(session: Session, model: Any, where: Any) -> int:
    return session.execute(select(func.count()).select_from(model).where(where)).scalar_one()


def _moment(value: Any) -> datetime:
    """SQLite gives text where SQLAlchemy knows no type."""
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).replace(tzinfo=UTC)
