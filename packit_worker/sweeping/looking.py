"""Looking after what is silent: builds and tests are asked for, and no check stays without a result for ever.

What is learnt comes in by the front door, as a delivery of its own, and takes the way of every other message.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from packit_worker.errors import NotFound, Refused, TemporaryError, UserError
from packit_worker.intake import Intake
from packit_worker.journal import JournalUnavailable, Session, builds, checks, test_runs
from packit_worker.journal.base import now
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow, Wanted
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.ports import CoprBuild
from packit_worker.reporting import texts
from packit_worker.shop import Shop
from packit_worker.situation import reruns

log = logging.getLogger(__name__)

Row = TypeVar("Row", BuildRow, TestRunRow)

BATCH = 20
#: Between two looks at one build: 30 s, doubled every time up to an hour.
LONGEST = timedelta(hours=1)
FIRST = timedelta(seconds=30)

#: Copr's words for how a build in a chroot ended, with its numbers for them.
_ENDS = {"failed": 0, "succeeded": 1, "canceled": 2, "cancelled": 2, "skipped": 5, "forked": 8}


#: After so long nobody looks any more: the checks ended long ago (``checks.PATIENCE``).
FOR_SO_LONG = timedelta(days=7)
#: A build that Copr does not know is believed to be gone at this look, some minutes after it was ordered.
GONE_AT = 4


def next_look(looks: int, ordered_at: datetime) -> datetime | None:
    """When something that has been looked at so often is looked at again; None: never."""
    wait: timedelta = min(FIRST * 2 ** min(looks, 10), LONGEST)
    at = now() + wait
    return at if at < ordered_at + FOR_SO_LONG else None


def look_at_silent_builds(shop: Shop) -> int:
    """Ask Copr and Koji about builds without news; missed ends come in as deliveries. Returns how many there were."""
    with shop.journal.write() as session:
        silent = builds.silent(session, BATCH, now() + FIRST)
    in_copr = [row for row in silent if row.system == "copr"]
    ids = dict.fromkeys(row.build_id for row in in_copr)
    by_id = [[row for row in in_copr if row.build_id == id] for id in ids]
    _look(shop, "Copr build", by_id, lambda rows: _ends_of_build(shop, rows))
    in_koji = [row for row in silent if row.system == "koji"]
    _look(shop, "Koji task", [[row] for row in in_koji], lambda rows: _end_of_task(shop, *rows))
    return len(silent)


def look_at_silent_tests(shop: Shop) -> int:
    """Ask Testing Farm about requests without news. Returns how many there were."""
    with shop.journal.write() as session:
        silent = test_runs.silent(session, BATCH, now() + FIRST)
    _look(shop, "Testing Farm request", [[row] for row in silent], lambda rows: _end_of_request(shop, *rows))
    return len(silent)


@dataclass(frozen=True)
class _MissedEnd:
    """What the message that did not come would have told."""

    source: str
    event_type: str
    id: str
    body: Mapping[str, object]


def _look(
    shop: Shop, what: str, each: Iterable[list[Row]], ask: Callable[[list[Row]], Iterable[_MissedEnd]]
) -> None:
    """Ask about each. A look counts when an answer was had, so that a system's bad minute delays no news by hours."""
    intake = Intake(
        shop.journal, shop.hints, replay_window=timedelta(days=shop.settings.limits.replay_window_days)
    )
    for rows in each:
        try:
            ends = list(ask(rows))
        except JournalUnavailable:
            raise
        except TemporaryError as error:
            # The others would have to wait for the same time-out.
            log.warning("cannot look at a %s: %s", what, error)
            return
        except (NotFound, Refused, UserError) as error:
            # It stays as it is until its check's deadline.
            log.warning("cannot look at a %s: %s", what, error)
            ends = []
        for end in ends:
            intake.accept(
                source=end.source,
                event_type=end.event_type,
                delivery_id=f"look:{end.id}",
                headers={"X-Looked-Up": "no message of this end has come"},
                body=json.dumps(end.body).encode(),
            )
        with shop.journal.write() as session:
            for row in rows:
                next_at = next_look(row.looks + 1, row.submitted_at)
                if isinstance(row, BuildRow):
                    builds.looked(session, row, next_at)
                else:
                    test_runs.looked(session, row, next_at)


def _ends_of_build(shop: Shop, rows: list[BuildRow]) -> Iterator[_MissedEnd]:
    """``rows`` are the chroots of one build."""
    build_id = rows[0].build_id
    try:
        build = shop.services.copr.get_build(int(build_id))
    except NotFound:
        if min(row.looks for row in rows) + 1 < GONE_AT:
            raise
        # Deleted. There will be no result, which is what being canceled comes to.
        build = CoprBuild(id=int(build_id), url="", state="canceled")
    for row in rows:
        # The state of the whole build stands for chroots that Copr gave up before it came to them.
        state = build.chroots.get(row.chroot, build.state)
        if state in _ENDS:
            yield _MissedEnd(
                "fedora-messaging",
                "org.fedoraproject.prod.copr.build.end",
                f"copr:{build_id}:{row.chroot}",
                {
                    "build": int(build_id),
                    "chroot": row.chroot,
                    "status": _ENDS[state],
                    "owner": row.owner,
                    "copr": row.project_name,
                    "pkg": build.package,
                },
            )


def _end_of_task(shop: Shop, row: BuildRow) -> Iterator[_MissedEnd]:
    task = shop.services.koji.task(int(row.build_id))
    if task.is_final:
        yield _MissedEnd(
            "fedora-messaging",
            "org.fedoraproject.prod.buildsys.task.state.change",
            f"koji:{row.build_id}",
            {"id": task.id, "new": task.state, "method": "build"},
        )


def _end_of_request(shop: Shop, row: TestRunRow) -> Iterator[_MissedEnd]:
    if shop.services.testing_farm.get_request(row.request_id).state.is_final:
        yield _MissedEnd(
            "testing-farm", "result", f"testing-farm:{row.request_id}", {"request_id": row.request_id}
        )


def end_late_checks(shop: Shop) -> int:
    """Give a final state to checks whose deadline is past. Returns how many."""
    hours = int(checks.PATIENCE.total_seconds() // 3600)
    with shop.journal.write() as session:
        late = checks.past_deadline(session)
        ids = checks.want(session, [_too_late(session, check, hours) for check in late])
    for check_id in ids:
        shop.hints.check(check_id)
    return len(ids)


def _too_late(session: Session, check: CheckRow, hours: int) -> Wanted:
    words = texts.too_late(hours, texts.again(check.kind, reruns.event_behind(session, check.event_id)))
    return check.with_words(words.status, words.conclusion, words.title, words.summary)
