"""Hook keys: what each project of a Pagure signs its hooks with, and what a GitLab's sends along as their token.

Written by the command line, read by the web door. A key that was replaced stays good for a day: hooks with it may be on
their way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert

#: How long the key before the present one is still taken.
GRACE = timedelta(days=1)


class HookKeyRow(Base):
    """The key of one project, or of a group of a GitLab. ``instance`` is the forge's address (``normal_instance``).

    Checking a signature takes the key itself, so that it is kept as it is; nobody shows it again.
    """

    __tablename__ = "hook_keys"

    instance: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    previous_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    rotated_at: Mapped[datetime | None]
    #: Who has brought the present key.
    by: Mapped[str]

    def __repr__(self) -> str:
        return f"HookKeyRow({self.instance!r}, {self.project!r})"

    @property
    def previous_until(self) -> datetime | None:
        """Until when the key before the present one is taken; None if there is none or its day is over."""
        return _is_taken_until(self.previous_key, self.rotated_at)


def add(session: Session, instance: str, project: str, key: str, *, by: str) -> bool:
    """Write the key of a project down. False when it has one: then nothing changes."""
    statement = (
        insert(session, HookKeyRow)
        .values(instance=instance, project=project, key=key, created_at=now(), by=by)
        .on_conflict_do_nothing()
        .returning(HookKeyRow.project)
    )
    return session.execute(statement).scalar_one_or_none() is not None


def rotate(session: Session, instance: str, project: str, key: str, *, by: str) -> bool:
    """Replace the key of a project. False when it has none."""
    result = session.execute(
        update(HookKeyRow)
        .where(HookKeyRow.instance == instance, HookKeyRow.project == project)
        .values(previous_key=HookKeyRow.key, key=key, rotated_at=now(), by=by)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def remove(session: Session, instance: str, project: str) -> bool:
    """Forget the keys of a project: its hooks are refused from now on. False when it has none."""
    result = session.execute(
        delete(HookKeyRow)
        .where(HookKeyRow.instance == instance, HookKeyRow.project == project)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def everyone(session: Session) -> list[HookKeyRow]:
    """All projects that have a key."""
    return list(
        session.execute(select(HookKeyRow).order_by(HookKeyRow.instance, HookKeyRow.project)).scalars()
    )


def keys_of(session: Session, instance: str, project: str, *above: str) -> tuple[str, ...]:
    """The keys a hook of this project, or of what is ``above`` it, may come with: two each at most. One statement."""
    rows = session.execute(
        select(HookKeyRow.key, HookKeyRow.previous_key, HookKeyRow.rotated_at).where(
            HookKeyRow.instance == instance, HookKeyRow.project.in_((project, *above))
        )
    )
    keys: list[str] = []
    for key, previous, rotated_at in rows:
        keys.append(key)
        if previous is not None and _is_taken_until(previous, rotated_at):
            keys.append(previous)
    return tuple(keys)


def _is_taken_until(previous: str | None, rotated_at: datetime | None) -> datetime | None:
    if previous is None or rotated_at is None:
        return None
    until = rotated_at + GRACE
    return until if until > now() else None
