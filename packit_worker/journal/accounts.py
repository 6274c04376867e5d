"""The allowlist: accounts by forge and name, with who let them in (or not), when and why. And installations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert


class Approval(StrEnum):
    """Where an account stands."""

    WAITING = "waiting"
    APPROVED_AUTOMATICALLY = "approved_automatically"
    APPROVED_MANUALLY = "approved_manually"
    DENIED = "denied"

    @property
    def is_approved(self) -> bool:
        return self in (Approval.APPROVED_AUTOMATICALLY, Approval.APPROVED_MANUALLY)


class AccountRow(Base):
    """An account or namespace on a forge. ``forge`` is the host; names are in lower case, as forges compare them."""

    __tablename__ = "accounts"

    forge: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    by: Mapped[str]
    why: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=now)


class AccountChangeRow(Base):
    """The allowlist's audit trail: every change, for ever."""

    __tablename__ = "account_changes"
    __table_args__ = (Index(None, "forge", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    forge: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    by: Mapped[str]
    why: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class InstallationRow(Base):
    """An installation of the GitHub App."""

    __tablename__ = "installations"

    installation_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    forge: Mapped[str]
    account_login: Mapped[str]
    account_id: Mapped[int | None]
    account_url: Mapped[str | None]
    account_type: Mapped[str | None]
    sender_login: Mapped[str | None]
    sender_id: Mapped[int | None]
    installed_at: Mapped[str | None]
    repositories: Mapped[list[str]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(default=now)


def of(session: Session, forge: str, names: Iterable[str]) -> dict[str, AccountRow]:
    """The accounts among ``names`` that are known, by lower-case name. One statement."""
    wanted = sorted({name.lower() for name in names})
    rows = session.execute(select(AccountRow).where(AccountRow.forge == forge, AccountRow.name.in_(wanted)))
    return {row.name: row for row in rows.scalars()}


def introduce(session: Session, forge: str, name: str, state: Approval, *, by: str, why: str) -> bool:
    """Write a new account down. False when it is known: then nothing changes, whatever its state."""
    values = _values(forge, name, state, by, why)
    statement = (
        insert(session, AccountRow)
        .values(values | {"changed_at": now()})
        .on_conflict_do_nothing()
        .returning(AccountRow.name)
    )
    if session.execute(statement).scalar_one_or_none() is None:
        return False
    session.execute(insert(session, AccountChangeRow).values(values | {"at": now()}))
    return True


def change(session: Session, forge: str, name: str, state: Approval, *, by: str, why: str) -> None:
    """Approve or deny an account, known or not; who did it and why goes to the audit trail."""
    values = _values(forge, name, state, by, why)
    session.execute(
        insert(session, AccountRow)
        .values(values | {"changed_at": now()})
        .on_conflict_do_update(
            index_elements=["forge", "name"], set_={"state": state, "by": by, "why": why, "changed_at": now()}
        )
    )
    session.execute(insert(session, AccountChangeRow).values(values | {"at": now()}))


def history(session: Session, forge: str, name: str) -> list[AccountChangeRow]:
    """Every change of an account, oldest first."""
    statement = select(AccountChangeRow).where(
        AccountChangeRow.forge == forge, AccountChangeRow.name == name.lower()
    )
    return list(session.execute(statement.order_by(AccountChangeRow.id)).scalars())


def everyone(session: Session, state: Approval | None = None) -> list[AccountRow]:
    """All accounts, or those in one state, by forge and name."""
    statement = select(AccountRow).order_by(AccountRow.forge, AccountRow.name)
    if state is not None:
        statement = statement.where(AccountRow.state == state)
    return list(session.execute(statement).scalars())


def named(session: Session, name: str) -> list[AccountRow]:
    """The accounts of this name on all forges, the one that was changed last first."""
    statement = select(AccountRow).where(AccountRow.name == name.lower())
    return list(session.execute(statement.order_by(AccountRow.changed_at.desc())).scalars())


def installations(session: Session) -> list[InstallationRow]:
    """All installations, newest first."""
    statement = select(InstallationRow).order_by(
        InstallationRow.recorded_at.desc(), InstallationRow.installation_id
    )
    return list(session.execute(statement).scalars())


def installation_of(session: Session, forge: str, account: str) -> InstallationRow | None:
    """The newest installation for an account."""
    return session.execute(
        select(InstallationRow)
        .where(InstallationRow.forge == forge, func.lower(InstallationRow.account_login) == account.lower())
        .order_by(InstallationRow.recorded_at.desc())
        .limit(1)
    ).scalar_one_or_none()


def install(session: Session, installation: dict[str, Any]) -> bool:
    """Write an installation down, or what is new about it. True the first time."""
    fresh = session.get(InstallationRow, installation["installation_id"]) is None
    session.execute(
        insert(session, InstallationRow)
        .values(installation | {"recorded_at": now()})
        .on_conflict_do_update(index_elements=["installation_id"], set_=installation)
    )
    return fresh


def _values(forge: str, name: str, state: Approval, by: str, why: str) -> dict[str, Any]:
    return {"forge": forge, "name": name.lower(), "state": state, "by": by, "why": why}
