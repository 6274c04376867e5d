"""Origins: the project event behind whatever came in.

A pull request is its own origin. News of a build or test run belongs to the event that ordered it; the order's row
holds that event's task and arguments, and from these it is rebuilt. So the results of a release never look like a pull
request's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from events.base import Event, rebuild
from events.copr import CoprBuildEvent
from events.families import IssueComment, ProjectEvent, PullRequest, PullRequestComment, Push, Release, Rerun
from events.github import CheckRunRerunEvent, CheckSuiteRerunEvent
from events.koji import KojiBuildEvent
from events.testing_farm import TestingFarmResultEvent
from packit_worker.commands import Asked, new_commands
from packit_worker.errors import NotYet
from packit_worker.journal import builds, test_runs
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.effects import EffectRow, EffectState
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.situation import reruns
from packit_worker.situation.reruns import Again

#: Kinds of effects that results come back for.
COPR_BUILD = "copr_build"
TEST_REQUEST = "test_request"
KOJI_BUILD = "koji_build"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The event at the root, the commit it is about, and the order that brought the news, if any.

    ``job`` is the key of the job that was ordered for; ``event_id`` that of the event that ordered. ``again``: what is
    run again, where somebody wants that; ``event`` is then the one that had it run the first time.
    """

    event: ProjectEvent
    commit_sha: str | None
    job: str | None = None
    event_id: str | None = None
    build: BuildRow | None = None
    test_run: TestRunRow | None = None
    again: Again | None = None
    #: Of a comment on an issue: the latest release when it was looked up.
    tag_name: str | None = None

    @property
    def released(self) -> str | None:
        """The tag of the release that it is about."""
        return self.event.tag_name if isinstance(self.event, Release) else self.tag_name


Finder = Callable[[Session, Event, str], "Origin | None"]
F = TypeVar("F", bound=Finder)
_finders: dict[type[Event], Finder] = {}


def origin_of(event_class: type[Event]) -> Callable[[F], F]:
    """Register how the origin of an event class is found in the journal."""

    def register(finder: F) -> F:
        _finders[event_class] = finder
        return finder

    return register


def find(session: Session, event: Event, event_id: str) -> Origin | None:
    """The origin of an event, or None: it needs none, or nothing of ours is behind it.

    Raises ``NotYet`` when an order is under way that the event may belong to.
    """
    finder = _finders.get(type(event))
    if finder is not None:
        return finder(session, event, event_id)
    if not isinstance(event, ProjectEvent):
        return None
    # What a comment's message tells is the head that its author saw: whether it still is one, the forge knows.
    is_comment = isinstance(event, PullRequestComment)
    return Origin(event=event, commit_sha=None if is_comment else commit_of(event))


def commit_of(event: ProjectEvent) -> str | None:
    """The commit at which the package configuration is read; None where only the forge knows."""
    match event:
        case PullRequest() | PullRequestComment() | Push():
            return event.commit_sha
        case _:
            return None


def asked_of(task: str, kwargs: Mapping[str, object]) -> Asked | None:
    """What the comment asked for that ordered something; None where it was no comment. Of an order's row."""
    event = rebuild(task, dict(kwargs))
    return asked_by(event) if event.by_hand else None


def asked_by(event: Event) -> Asked:
    """What a comment asks for (of an edited one, what is new in it); of other events, nothing."""
    match event:
        case PullRequestComment() | IssueComment():
            return new_commands(event.comment_before, event.comment)
        case _:
            return Asked()


@origin_of(CoprBuildEvent)
def _of_copr_build(session: Session, event: Event, _: str) -> Origin | None:
    assert isinstance(event, CoprBuildEvent)
    row = builds.find(session, "copr", str(event.build_id), event.chroot or "")
    if row is None:
        _wait_for_order(session, COPR_BUILD)
        return None
    return replace(_ordered_by(row), build=row, again=reruns.told(session, row.event_id))


@origin_of(KojiBuildEvent)
def _of_koji_build(session: Session, event: Event, _: str) -> Origin | None:
    assert isinstance(event, KojiBuildEvent)
    if event.task_id is None:
        return None
    # A task builds for one target.
    row = next(iter(builds.of_build(session, "koji", str(event.task_id))), None)
    if row is None:
        _wait_for_order(session, KOJI_BUILD)
        return None
    return replace(_ordered_by(row), build=row)


@origin_of(TestingFarmResultEvent)
def _of_test_run(session: Session, event: Event, _: str) -> Origin | None:
    assert isinstance(event, TestingFarmResultEvent)
    row = test_runs.find(session, event.pipeline_id)
    if row is None:
        _wait_for_order(session, TEST_REQUEST)
        return None
    return replace(_ordered_by(row), test_run=row)


@origin_of(CheckRunRerunEvent)
@origin_of(CheckSuiteRerunEvent)
def _of_rerun(session: Session, event: Event, event_id: str) -> Origin | None:
    assert isinstance(event, Rerun)
    again = reruns.told(session, event_id) or reruns.find(session, event)
    if again is None:
        return None
    root, tag = reruns.root_event(session, again)
    if event.installation_id is not None:
        # The App may have been installed anew since then.
        root = replace(root, installation_id=event.installation_id)
    return Origin(event=root, commit_sha=event.commit_sha, again=again, tag_name=tag)


def _ordered_by(row: BuildRow | TestRunRow) -> Origin:
    """The origin of an order, of its row."""
    event = rebuild(row.task, dict(row.kwargs))
    assert isinstance(event, ProjectEvent)
    return Origin(event=event, commit_sha=row.commit_sha, job=row.job, event_id=row.event_id)


def _wait_for_order(session: Session, kind: str) -> None:
    """The answer to an order can be slower than the first news of it: then the news waits for the order's row."""
    under_way = select(exists().where(EffectRow.kind == kind, EffectRow.state == EffectState.SENT))
    if session.execute(under_way).scalar_one():
        raise NotYet("it may belong to an order whose answer has not come yet", retry_after=5)
