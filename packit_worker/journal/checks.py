"""Checks: what the commits of a project shall show, and how much of it the forge shows already.

The newest wanted state of a check wins; states nobody got around to showing are dropped. A check's identity is its row,
never its name taken apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Index, UniqueConstraint, case, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from packit_worker.journal.base import OPEN, Base, Claimable, State, now
from packit_worker.journal.database import insert
from packit_worker.ports import CheckState, CheckStatus, Conclusion


class CheckRow(Claimable, Base):
    """A check on a commit. Claimable work is: showing ``version`` on the forge, which shows ``shown_version``.

    ``state`` is that of the work, ``status`` and ``conclusion`` that of the check. ``deadline_at`` is when somebody
    has to look into a check that is not completed.
    """

    __tablename__ = "checks"
    more_table_args = (
        UniqueConstraint("project_url", "commit_sha", "name"),
        Index(None, "status", "deadline_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_url: Mapped[str]
    commit_sha: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    job: Mapped[str]
    target: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    installation_id: Mapped[int | None]
    event_id: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]
    conclusion: Mapped[str | None]
    title: Mapped[str]
    summary: Mapped[str]
    url: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    shown_version: Mapped[int] = mapped_column(default=0)
    external_id: Mapped[str | None]
    external_url: Mapped[str | None]
    wanted_at: Mapped[datetime] = mapped_column(default=now)
    shown_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]

    @classmethod
    def key_column(cls) -> InstrumentedAttribute[str]:
        return cls.id

    @property
    def key(self) -> str:
        return self.id

    @classmethod
    def waits_for_nothing(cls) -> list[ColumnElement[bool]]:
        return []

    def as_state(self) -> CheckState:
        """What a forge is told."""
        return CheckState(
            commit_sha=self.commit_sha,
            name=self.name,
            marker=self.id,
            status=CheckStatus(self.status),
            conclusion=Conclusion(self.conclusion) if self.conclusion else None,
            title=self.title,
            summary=self.summary,
            url=self.url,
        )

    def with_words(
        self, status: CheckStatus, conclusion: Conclusion | None, title: str, summary: str
    ) -> Wanted:
        """The same check showing something else."""
        return Wanted(
            project_url=self.project_url,
            commit_sha=self.commit_sha,
            name=self.name,
            kind=self.kind,
            job=self.job,
            target=self.target,
            subject=self.subject,
            installation_id=self.installation_id,
            event_id=self.event_id,
            status=status,
            conclusion=conclusion,
            title=title,
            summary=summary,
            url=self.url,
        )


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a check shall show from now on. ``kind``, ``job`` and ``target`` say what it stands for."""

    project_url: str
    commit_sha: str
    name: str
    kind: str
    job: str
    target: str
    subject: str
    installation_id: int | None
    event_id: str
    status: CheckStatus
    conclusion: Conclusion | None = None
    title: str
    summary: str = ""
    url: str | None = None
    deadline_at: datetime | None = None

    @property
    def id(self) -> str:
        """The check's id: always the same for the same project, commit and name, so that it can be found again."""
        text = "\n".join((self.project_url, self.commit_sha, self.name))
        return hashlib.sha256(text.encode()).hexdigest()[:40]


def want(session: Session, wanted: Iterable[Wanted]) -> list[str]:
    """Write down what checks shall show; of two states of one check in ``wanted`` the last counts. One statement.

    Returns the ids of the checks that have something new to show.
    """
    rows = {check.id: _row(check) for check in wanted}
    if not rows:
        return []
    # Everybody locks them in the same order, so that nobody waits for somebody who waits for them.
    statement = insert(session, CheckRow).values([rows[id] for id in sorted(rows)])
    new = statement.excluded
    shown = ("status", "conclusion", "title", "summary", "url")
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: getattr(new, name) for name in (*shown, "event_id", "job", "wanted_at", "deadline_at")}
        | {
            "version": CheckRow.version + 1,
            "installation_id": new.installation_id,
            # A worker that is busy showing the version before keeps its claim, and sees the newer one when it ends. One
            # that waits (for quota, for a call without an answer) goes on waiting.
            "due_at": case((CheckRow.state.in_(OPEN), CheckRow.due_at), else_=new.due_at),
            "attempts": case((CheckRow.state.in_(OPEN), CheckRow.attempts), else_=0),
            "hinted_at": new.hinted_at,
            "hints": 1,
            "reason": None,
        },
        where=or_(*[getattr(CheckRow, name).is_distinct_from(getattr(new, name)) for name in shown]),
    ).returning(CheckRow.id, CheckRow.state)
    changed = session.execute(statement).all()
    closed = [row.id for row in changed if row.state not in OPEN]
    if closed:
        session.execute(
            update(CheckRow)
            .where(CheckRow.id.in_(closed))
            .values(state=State.READY, finished_at=None)
            .execution_options(synchronize_session=False)
        )
    return [row.id for row in changed]


def shown(session: Session, check_id: str, version: int, external_id: str, external_url: str | None) -> None:
    """The forge shows this version now; 0: it has the check, and shows whatever it was created with.

    A worker that had lost its claim may be the last to show something, and that an old version: then the newest is
    shown again.
    """
    moment = now()
    seen: dict[str, Any] = {"external_id": external_id, "external_url": external_url}
    conditions = [CheckRow.id == check_id]
    if version:
        seen |= {"shown_version": version, "shown_at": moment}
        conditions.append(CheckRow.shown_version <= version)
    result = session.execute(
        update(CheckRow).where(*conditions).values(**seen).execution_options(synchronize_session=False)
    )
    if result.rowcount == 1:  # type: ignore[attr-defined]
        return
    session.execute(
        update(CheckRow)
        .where(CheckRow.id == check_id)
        .values(
            version=CheckRow.version + 1,
            state=case((CheckRow.state.in_(OPEN), CheckRow.state), else_=State.READY),
            due_at=case((CheckRow.state.in_(OPEN), CheckRow.due_at), else_=moment),
            finished_at=None,
            hinted_at=None,
            hints=0,
        )
        .execution_options(synchronize_session=False)
    )


def reopen_if_newer(session: Session, check_id: str, version: int) -> bool:
    """Open the check's work again when a version after this one is wanted."""
    result = session.execute(
        update(CheckRow)
        .where(CheckRow.id == check_id, CheckRow.version > version)
        .values(state=State.READY, attempts=0, due_at=now(), hinted_at=now(), finished_at=None)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def of_event(session: Session, event_id: str) -> list[CheckRow]:
    """The checks whose state an event wanted last."""
    return list(session.execute(select(CheckRow).where(CheckRow.event_id == event_id)).scalars())


def of_commit(session: Session, project_url: str, commit_sha: str) -> list[CheckRow]:
    """The checks of a commit, by name."""
    statement = select(CheckRow).where(CheckRow.project_url == project_url, CheckRow.commit_sha == commit_sha)
    return list(session.execute(statement.order_by(CheckRow.name)).scalars())


def of_subject(session: Session, subject: str) -> list[CheckRow]:
    """The checks of a pull request, branch or release, by name."""
    statement = (
        select(CheckRow).where(CheckRow.subject == subject).order_by(CheckRow.wanted_at, CheckRow.name)
    )
    return list(session.execute(statement).scalars())


def unfinished(session: Session, event_id: str, target: str | None = None) -> list[CheckRow]:
    """The checks of an event (on one target) that are not completed; locked to the end of the transaction."""
    conditions = [CheckRow.event_id == event_id, CheckRow.status != CheckStatus.COMPLETED]
    if target is not None:
        conditions.append(CheckRow.target == target)
    statement = select(CheckRow).where(*conditions).order_by(CheckRow.id).with_for_update()
    return list(session.execute(statement.execution_options(populate_existing=True)).scalars())


def gone_well(session: Session, event_id: str) -> list[CheckRow]:
    """The checks of an event that have ended in success."""
    statement = select(CheckRow).where(
        CheckRow.event_id == event_id, CheckRow.conclusion == Conclusion.SUCCESS
    )
    return list(session.execute(statement).scalars())


def unfinished_of_others(session: Session, subject: str, commit_sha: str) -> list[CheckRow]:
    """The checks that are not completed on other commits of a subject; locked to the end of the transaction."""
    statement = (
        select(CheckRow)
        .where(
            CheckRow.subject == subject,
            CheckRow.commit_sha != commit_sha,
            CheckRow.status != CheckStatus.COMPLETED,
        )
        .order_by(CheckRow.id)
        .with_for_update()
    )
    return list(session.execute(statement.execution_options(populate_existing=True)).scalars())


def past_deadline(session: Session, limit: int = 50) -> list[CheckRow]:
    """Checks that should have been completed by now; nobody changes them before this transaction ends."""
    statement = (
        select(CheckRow)
        .where(CheckRow.status != CheckStatus.COMPLETED, CheckRow.deadline_at < now())
        .order_by(CheckRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.execute(statement).scalars())


#: How long a check may stay without being completed before somebody looks into it.
PATIENCE = timedelta(hours=24)


def _row(check: Wanted) -> dict[str, Any]:
    moment = now()
    return {
        "id": check.id,
        "project_url": check.project_url,
        "commit_sha": check.commit_sha,
        "name": check.name,
        "kind": check.kind,
        "job": check.job,
        "target": check.target,
        "subject": check.subject,
        "installation_id": check.installation_id,
        "event_id": check.event_id,
        "status": check.status,
        "conclusion": check.conclusion,
        "title": check.title[:300],
        "summary": check.summary,
        "url": check.url,
        "deadline_at": None
        if check.status == CheckStatus.COMPLETED
        else (check.deadline_at or moment + PATIENCE),
        "version": 1,
        "shown_version": 0,
        "wanted_at": moment,
        "state": State.READY,
        "attempts": 0,
        "claim": 0,
        "due_at": moment,
        "hinted_at": moment,
        "hints": 1,
    }
