"""Looking after what is silent: builds and tests are asked for, and no check stays without a result for ever.

What is learnt comes in by the front door, as a delivery of its own, and takes the way of every other message.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta

from sqlalchemy import update

from packit_worker import reruns
from packit_worker.errors import NotFound, Refused, TemporaryError, UserError
from packit_worker.intake import Intake
from packit_worker.journal import JournalUnavailable, Session, builds, checks, test_runs
from packit_worker.journal.base import now
from packit_worker.journal.builds import BuildRow
from packit_worker.journal.checks import CheckRow, Wanted
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.pipeline import Shop
from packit_worker.ports import CoprBuild
from packit_worker.reporting import texts

log = logging.getLogger(__name__)

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
        silent = builds.silent(session, BATCH)
        for row in silent:
            session.execute(
                update(BuildRow)
                .where(BuildRow.id == row.id)
                .values(looks=row.looks + 1, look_at=next_look(row.looks + 1, row.submitted_at))
                .execution_options(synchronize_session=False)
            )
    rows = [row for row in silent if row.system == "copr"]
    try:
        for build_id in dict.fromkeys(row.build_id for row in rows):
            _look_at_build(shop, build_id, [row for row in rows if row.build_id == build_id])
    except JournalUnavailable:
        raise
    except TemporaryError as error:
        # The others would have to wait for the same time-out.
        log.warning("cannot look at Copr builds: %s", error)
    _look_at_tasks(shop, [row for row in silent if row.system == "koji"])
    return len(silent)


def _look_at_build(shop: Shop, build_id: str, rows: list[BuildRow]) -> None:
    try:
        build = shop.services.copr.get_build(int(build_id))
    except NotFound as error:
        log.warning("Copr does not know build %s: %s", build_id, error)
        if min(row.looks for row in rows) + 1 < GONE_AT:
            return
        # Deleted. There will be no result, which is what being canceled comes to.
        build = CoprBuild(id=int(build_id), url="", state="canceled")
    except Refused as error:
        log.warning("cannot look at Copr build %s: %s", build_id, error)
        return
    for row in rows:
        # The state of the whole build stands for chroots that Copr gave up before it came to them.
        state = build.chroots.get(row.chroot, build.state)
        if state not in _ENDS:
            continue
        body = {
            "build": int(build_id),
            "chroot": row.chroot,
            "status": _ENDS[state],
            "owner": row.owner,
            "copr": row.project_name,
            "pkg": build.package,
        }
        _intake(shop).accept(
            source="fedora-messaging",
            event_type="org.fedoraproject.prod.copr.build.end",
            delivery_id=f"look:copr:{build_id}:{row.chroot}",
            headers={"X-Looked-Up": "the message of the bus did not come"},
            body=json.dumps(body).encode(),
        )


def _look_at_tasks(shop: Shop, rows: list[BuildRow]) -> None:
    for row in rows:
        try:
            task = shop.services.koji.task(int(row.build_id))
        except (NotFound, Refused, UserError) as error:
            # It stays as it is until its check's deadline.
            log.warning("cannot look at Koji task %s: %s", row.build_id, error)
            continue
        except TemporaryError as error:
            log.warning("cannot look at Koji tasks: %s", error)
            break
        if not task.is_final:
            continue
        _intake(shop).accept(
            source="fedora-messaging",
            event_type="org.fedoraproject.prod.buildsys.task.state.change",
            delivery_id=f"look:koji:{row.build_id}",
            headers={"X-Looked-Up": "the message of the bus did not come"},
            body=json.dumps({"id": task.id, "new": task.state, "method": "build"}).encode(),
        )


def look_at_silent_tests(shop: Shop) -> int:
    """Ask Testing Farm about requests without news. Returns how many were asked for."""
    with shop.journal.write() as session:
        rows = test_runs.silent(session, BATCH)
        for row in rows:
            session.execute(
                update(TestRunRow)
                .where(TestRunRow.request_id == row.request_id)
                .values(looks=row.looks + 1, look_at=next_look(row.looks + 1, row.submitted_at))
                .execution_options(synchronize_session=False)
            )
    for row in rows:
        try:
            run = shop.services.testing_farm.get_request(row.request_id)
        except (NotFound, Refused) as error:
            # It stays as it is until its check's deadline.
            log.warning("cannot look at request %s: %s", row.request_id, error)
            continue
        except TemporaryError as error:
            log.warning("cannot look at requests: %s", error)
            break
        if run.state.is_final:
            _intake(shop).accept(
                source="testing-farm",
                event_type="result",
                delivery_id=f"look:testing-farm:{row.request_id}",
                headers={"X-Looked-Up": "the call-back did not come"},
                body=json.dumps({"request_id": row.request_id}).encode(),
            )
    return len(rows)


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


def _intake(shop: Shop) -> Intake:
    return Intake(
        shop.journal, shop.hints, replay_window=timedelta(days=shop.settings.limits.replay_window_days)
    )
