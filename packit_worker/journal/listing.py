"""What the journal holds, page by page and newest first: builds, test runs, projects and what was handled in them.

Read by the web's API; writes nothing. Every function makes one or two statements, however long the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from events.base import Event, event_classes
from events.families import IssueComment, PullRequest, PullRequestComment, Push, Release
from packit_worker.journal.builds import SRPM_BUILDS, BuildRow
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.events import EventRow
from packit_worker.journal.projects import ProjectRow
from packit_worker.journal.test_runs import TestRunRow

PULL_REQUESTS, BRANCHES, RELEASES, ISSUES = "pull requests", "branches", "releases", "issues"
_FAMILIES: dict[str, tuple[type[Event], ...]] = {
    PULL_REQUESTS: (PullRequest, PullRequestComment),
    BRANCHES: (Push,),
    RELEASES: (Release,),
    ISSUES: (IssueComment,),
}
#: The argument of an event's task that names the one thing among its kind.
_NAMED_BY = {PULL_REQUESTS: "pr_id", BRANCHES: "branch", RELEASES: "tag_name", ISSUES: "issue_id"}


@dataclass(frozen=True, kw_only=True)
class Work:
    """What was built and tested for one pull request, branch or release (``about``)."""

    about: Any
    builds: list[BuildRow] = field(default_factory=list)
    test_runs: list[TestRunRow] = field(default_factory=list)


def place(project_url: str) -> tuple[str, str, str]:
    """Forge (host), namespace (it may hold slashes) and name of a project."""
    parts = urlsplit(project_url)
    namespace, _, name = parts.path.strip("/").rpartition("/")
    return parts.netloc, namespace, name


def builds(session: Session, system: str, limit: int, offset: int) -> list[list[BuildRow]]:
    """Builds of a build system, each as its rows by chroot. Without those of source packages."""
    newest = (
        select(BuildRow.build_id)
        .where(BuildRow.system == system, BuildRow.chroot != SRPM_BUILDS)
        .group_by(BuildRow.build_id)
        .order_by(func.max(BuildRow.id).desc())
    )
    ids = list(session.execute(newest.limit(limit).offset(offset)).scalars())
    rows = session.execute(
        select(BuildRow)
        .where(BuildRow.system == system, BuildRow.build_id.in_(ids), BuildRow.chroot != SRPM_BUILDS)
        .order_by(BuildRow.build_id, BuildRow.chroot)
    ).scalars()
    by_id = {build_id: list(group) for build_id, group in groupby(rows, key=lambda row: row.build_id)}
    return [by_id[build_id] for build_id in ids]


def build_rows(session: Session, system: str, limit: int, offset: int) -> list[BuildRow]:
    """Builds of a build system, one row per chroot or target."""
    return _page(
        session, select(BuildRow).where(BuildRow.system == system).order_by(BuildRow.id.desc()), limit, offset
    )


def source_packages(session: Session, limit: int, offset: int) -> list[BuildRow]:
    """The source packages that Copr has made for its builds."""
    statement = select(BuildRow).where(BuildRow.chroot == SRPM_BUILDS).order_by(BuildRow.id.desc())
    return _page(session, statement, limit, offset)


def source_package_of(session: Session, build_id: str) -> BuildRow | None:
    """The source package of a Copr build, if Copr has told of it."""
    return session.execute(
        select(BuildRow).where(
            BuildRow.system == "copr", BuildRow.build_id == build_id, BuildRow.chroot == SRPM_BUILDS
        )
    ).scalar_one_or_none()


def test_runs(session: Session, limit: int, offset: int) -> list[TestRunRow]:
    """Requests to Testing Farm."""
    statement = select(TestRunRow).order_by(TestRunRow.submitted_at.desc(), TestRunRow.request_id)
    return _page(session, statement, limit, offset)


def projects(session: Session, limit: int | None, offset: int = 0, below: str | None = None) -> list[str]:
    """URLs of projects that something has happened in, in the order of the alphabet; those ``below`` a URL."""
    statement = select(ProjectRow.url).order_by(ProjectRow.url).limit(limit).offset(offset)
    if below is not None:
        statement = statement.where(ProjectRow.url.startswith(f"{below}/", autoescape=True))
    return list(session.execute(statement).scalars())


def handled(session: Session, project_urls: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many pull requests, branches, releases and issues of projects something was shown for."""
    kind = case(*((EventRow.task.in_(_tasks(kind)), kind) for kind in _FAMILIES), else_="")
    rows = session.execute(
        select(CheckRow.project_url, kind, func.count(CheckRow.subject.distinct()))
        .join(EventRow, EventRow.id == CheckRow.event_id)
        .where(CheckRow.project_url.in_(project_urls))
        .group_by(CheckRow.project_url, kind)
    )
    counted: dict[str, dict[str, int]] = {url: dict.fromkeys(_FAMILIES, 0) for url in project_urls}
    for url, name, number in rows:
        if name:
            counted[url][name] = number
    return counted


def abouts(
    session: Session, project_url: str, kind: str, limit: int | None = None, offset: int = 0
) -> list[Any]:
    """The numbers or names of what was handled in a project: of ``PULL_REQUESTS``, ``BRANCHES``..., newest first."""
    shown = (
        select(_about(EventRow, kind).label("about"), EventRow.seq)
        .join(CheckRow, CheckRow.event_id == EventRow.id)
        .where(CheckRow.project_url == project_url, EventRow.task.in_(_tasks(kind)))
        .subquery()
    )
    statement = select(shown.c.about).group_by(shown.c.about).order_by(func.max(shown.c.seq).desc())
    return list(session.execute(statement.limit(limit).offset(offset)).scalars())


def commits(session: Session, project_url: str, tags: Sequence[str]) -> dict[str, str]:
    """The commits of releases, by tag."""
    rows = session.execute(
        select(_about(EventRow, RELEASES), CheckRow.commit_sha)
        .join(CheckRow, CheckRow.event_id == EventRow.id)
        .where(
            CheckRow.project_url == project_url,
            EventRow.task.in_(_tasks(RELEASES)),
            _about(EventRow, RELEASES).in_(tags),
        )
        .order_by(EventRow.seq)
    )
    return dict(tuple(row) for row in rows)


def work(session: Session, project_url: str, kind: str, about: Sequence[Any]) -> list[Work]:
    """What was built and tested for these pull requests, branches or releases of a project, newest first in each."""
    found = {name: Work(about=name) for name in about}
    for row in _rows_about(session, BuildRow, project_url, kind, about, BuildRow.id.desc()):
        found[row.kwargs[_NAMED_BY[kind]]].builds.append(row)
    for row in _rows_about(session, TestRunRow, project_url, kind, about, TestRunRow.submitted_at.desc()):
        found[row.kwargs[_NAMED_BY[kind]]].test_runs.append(row)
    return list(found.values())


def _rows_about(
    session: Session, model: Any, project_url: str, kind: str, about: Sequence[Any], order: Any
) -> Iterable[Any]:
    statement = select(model).where(
        model.project_url == project_url,
        model.task.in_(_tasks(kind)),
        _about(model, kind).in_(about),
    )
    return session.execute(statement.order_by(order)).scalars()


def _tasks(kind: str) -> list[str]:
    return [event.task for event in event_classes() if issubclass(event, _FAMILIES[kind])]


def _about(model: Any, kind: str) -> Any:
    value = model.kwargs[_NAMED_BY[kind]]
    return value.as_integer() if kind in (PULL_REQUESTS, ISSUES) else value.as_string()


def _page(session: Session, statement: Select[Any], limit: int, offset: int) -> list[Any]:
    return list(session.execute(statement.limit(limit).offset(offset)).scalars())
