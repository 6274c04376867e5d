"""Projects, and the package configurations read from them: one reading per project and commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from packit_worker.journal.base import Base, now
from packit_worker.journal.database import insert


class ProjectRow(Base):
    """A project on a forge. ``installation_id`` is that of the GitHub App, where there is one."""

    __tablename__ = "projects"

    url: Mapped[str] = mapped_column(primary_key=True)
    is_private: Mapped[bool | None]
    installation_id: Mapped[int | None]
    first_seen_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)


class ConfigRow(Base):
    """The text of a package configuration at a commit; a commit never changes, so it is read once.

    ``path`` and ``text`` are None where the commit has no configuration.
    """

    __tablename__ = "package_configs"
    __table_args__ = (UniqueConstraint("project_url", "commit_sha"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project_url: Mapped[str]
    commit_sha: Mapped[str]
    path: Mapped[str | None]
    text: Mapped[str | None]
    spec_files: Mapped[list[str]] = mapped_column(JSON)
    read_at: Mapped[datetime] = mapped_column(default=now)


def get(session: Session, url: str) -> ProjectRow | None:
    """The project, if anything has ever happened in it."""
    return session.get(ProjectRow, url)


def at(session: Session, forge: str, path: str) -> ProjectRow | None:
    """The project at a path on a forge (its host), if anything has ever happened in it."""
    rows = (get(session, f"{scheme}://{forge}/{path}") for scheme in ("https", "http"))
    return next((row for row in rows if row is not None), None)


def see(session: Session, url: str, *, is_private: bool | None, installation_id: int | None) -> None:
    """Remember a project, or what is new about it. What is not known now does not overwrite what was known."""
    row: dict[str, Any] = {"url": url, "is_private": is_private, "installation_id": installation_id}
    statement = insert(session, ProjectRow).values(row | {"first_seen_at": now(), "last_seen_at": now()})
    changes = {name: value for name, value in row.items() if value is not None and name != "url"}
    session.execute(
        statement.on_conflict_do_update(index_elements=["url"], set_=changes | {"last_seen_at": now()})
    )


def config_at(session: Session, project_url: str, commit_sha: str) -> ConfigRow | None:
    """What was read at this commit, if it was."""
    return session.execute(
        select(ConfigRow).where(ConfigRow.project_url == project_url, ConfigRow.commit_sha == commit_sha)
    ).scalar_one_or_none()


def keep_config(
    session: Session,
    project_url: str,
    commit_sha: str,
    path: str | None,
    text: str | None,
    spec_files: Sequence[str],
) -> None:
    """Keep a reading. Of two workers that read at the same time the first one's stays; they are equal."""
    session.execute(
        insert(session, ConfigRow)
        .values(
            project_url=project_url,
            commit_sha=commit_sha,
            path=path,
            text=text,
            spec_files=list(spec_files),
            read_at=now(),
        )
        .on_conflict_do_nothing()
    )
