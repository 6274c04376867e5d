"""Builds: one row per build and chroot, and the order each belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert

#: The pseudo-chroot in which Copr makes the SRPM.
SRPM_BUILDS = "srpm-builds"


class BuildState(StrEnum):
    """How far a build is in one chroot. The last three are final."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = (BuildState.SUCCESS, BuildState.FAILURE, BuildState.CANCELED)
_OPEN = (BuildState.PENDING, BuildState.RUNNING)


class BuildRow(Base):
    """A build in one chroot. ``task`` and ``kwargs`` are the event that ordered it, so that it can be rebuilt.

    ``build_id`` is the build system's. ``job`` names the job of the package configuration.
    """

    __tablename__ = "builds"
    __table_args__ = (
        UniqueConstraint("system", "build_id", "chroot"),
        Index(None, "state", "look_at"),
        Index(None, "project_url", "commit_sha"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    system: Mapped[str]
    build_id: Mapped[str]
    chroot: Mapped[str]
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"), index=True)
    task: Mapped[str]
    kwargs: Mapped[dict[str, Any]] = mapped_column(JSON)
    project_url: Mapped[str]
    commit_sha: Mapped[str]
    job: Mapped[str]
    owner: Mapped[str]
    project_name: Mapped[str]
    package: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=BuildState.PENDING)
    web_url: Mapped[str | None]
    log_url: Mapped[str | None]
    submitted_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    #: When the build system is asked, should it stay silent until then; and how often it was asked.
    look_at: Mapped[datetime | None]
    looks: Mapped[int] = mapped_column(default=0)


def order(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Write down an ordered build, one row per chroot, in one statement."""
    session.execute(
        insert(session, BuildRow)
        .values([{"state": BuildState.PENDING, "submitted_at": now(), "looks": 0} | row for row in rows])
        .on_conflict_do_nothing()
    )


def find(session: Session, system: str, build_id: str, chroot: str) -> BuildRow | None:
    """The build in one chroot."""
    return session.execute(
        select(BuildRow).where(
            BuildRow.system == system, BuildRow.build_id == build_id, BuildRow.chroot == chroot
        )
    ).scalar_one_or_none()


def overtaken(session: Session, row: BuildRow) -> frozenset[str]:
    """The chroots for which the same job had the same commit built again after this build."""
    statement = select(BuildRow.chroot).where(
        BuildRow.project_url == row.project_url,
        BuildRow.commit_sha == row.commit_sha,
        BuildRow.job == row.job,
        BuildRow.build_id != row.build_id,
        BuildRow.id > row.id,
    )
    return frozenset(session.execute(statement).scalars())


def of_build(session: Session, system: str, build_id: str) -> list[BuildRow]:
    """A build in all its chroots."""
    statement = select(BuildRow).where(BuildRow.system == system, BuildRow.build_id == build_id)
    return list(session.execute(statement.order_by(BuildRow.chroot)).scalars())


def of_commit(session: Session, project_url: str, commit_sha: str) -> list[BuildRow]:
    """The builds of a commit, newest first."""
    statement = select(BuildRow).where(BuildRow.project_url == project_url, BuildRow.commit_sha == commit_sha)
    return list(session.execute(statement.order_by(BuildRow.id.desc())).scalars())


def start(session: Session, row_id: int, *, at: datetime | None, log_url: str | None) -> bool:
    """The build has begun. False when it has begun or ended already: late news changes nothing."""
    return _move(
        session, row_id, (BuildState.PENDING,), state=BuildState.RUNNING, started_at=at, log_url=log_url
    )


def end(session: Session, row_id: int, state: BuildState, *, at: datetime | None) -> bool:
    """The build has ended. False when that was known."""
    return _move(session, row_id, _OPEN, state=state, ended_at=at, look_at=None)


def _move(session: Session, row_id: int, from_states: tuple[BuildState, ...], **values: Any) -> bool:
    result = session.execute(
        update(BuildRow)
        .where(BuildRow.id == row_id, BuildRow.state.in_(from_states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def under_way(session: Session, event_id: str) -> set[str]:
    """The chroots in which a build that an event ordered has not ended."""
    statement = select(BuildRow.chroot).where(BuildRow.event_id == event_id, BuildRow.state.not_in(FINAL))
    return set(session.execute(statement).scalars())


def open_of_project(session: Session, project_url: str) -> list[BuildRow]:
    """The builds of a project that have not ended."""
    statement = select(BuildRow).where(BuildRow.project_url == project_url, BuildRow.state.not_in(FINAL))
    return list(session.execute(statement.order_by(BuildRow.id)).scalars())


def silent(session: Session, limit: int, again: datetime) -> list[BuildRow]:
    """Builds without news for long enough that the build system is asked; nobody else gets them until ``again``."""
    statement = (
        select(BuildRow)
        .where(BuildRow.state.in_(_OPEN), BuildRow.look_at < now())
        .order_by(BuildRow.look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.execute(statement).scalars())
    for row in rows:
        row.look_at = again
    return rows


def looked(session: Session, row: BuildRow, next_at: datetime | None) -> None:
    """The build system answered: it is asked next at ``next_at``, unless the build has ended since."""
    _move(session, row.id, _OPEN, looks=row.looks + 1, look_at=next_at)
