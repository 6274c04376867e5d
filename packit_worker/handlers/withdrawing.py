"""Withdrawing orders: builds and tests that nobody waits for any more are canceled where they run. Used by handlers.

In the journal a withdrawn order has ended as canceled, so that whatever news comes of it later changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from sqlalchemy.orm import Session

from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.handlers.base import Context
from packit_worker.journal import JournalUnavailable, builds, test_runs
from packit_worker.journal.base import now
from packit_worker.journal.builds import SRPM_BUILDS, BuildRow, BuildState
from packit_worker.journal.test_runs import TestRunRow
from packit_worker.ports import Posted, TestState

#: Kind of the effect of canceling something outside.
CANCEL = "cancel"


def withdraw(context: Context, builds_: Sequence[BuildRow], tests: Sequence[TestRunRow]) -> list[str]:
    """What is done again takes the place of these orders. A build that is wanted in other chroots goes on.

    Canceling is for saving the others' time: where it cannot be done now, it is left. Safe to repeat. Returns notes.
    """
    if not (builds_ or tests):
        return []
    notes: list[str] = []
    if context.settings.copr.cancel_superseded:
        with context.journal.read() as session:
            whole = list(_whole(session, builds_))
        try:
            notes = withdraw_builds(context, whole) + withdraw_tests(context, tests)
        except JournalUnavailable:
            raise
        except TemporaryError as error:
            notes = [f"what was under way could not be canceled: {error}"]
    context.desk.afterwards(lambda session: end_builds(session, builds_))
    context.desk.afterwards(lambda session: end_tests(session, tests))
    return notes


def _whole(session: Session, withdrawn: Sequence[BuildRow]) -> Iterator[BuildRow]:
    """The rows, also those of the source package, of builds that nobody waits for in any chroot."""
    ids = {row.id for row in withdrawn}
    for system, build_id in dict.fromkeys((row.system, row.build_id) for row in withdrawn):
        rows = [
            row for row in builds.of_build(session, system, build_id) if not BuildState(row.state).is_final
        ]
        if all(row.id in ids or row.chroot == SRPM_BUILDS for row in rows):
            yield from rows


def withdraw_builds(context: Context, rows: Iterable[BuildRow]) -> list[str]:
    """Cancel the builds that these rows are of. Safe to repeat. Returns notes. Raises TemporaryError."""
    ordered = sorted(rows, key=lambda row: (row.system, int(row.build_id), row.id))
    return [
        _withdraw_build(context, system, build_id, list(chroots))
        for (system, build_id), chroots in groupby(ordered, key=lambda row: (row.system, row.build_id))
    ]


def withdraw_tests(context: Context, rows: Iterable[TestRunRow]) -> list[str]:
    """Cancel requests for tests. Safe to repeat. Returns notes. Raises TemporaryError."""
    return [_withdraw_tests(context, row) for row in rows]


def end_builds(session: Session, rows: Iterable[BuildRow]) -> None:
    """Builds count as canceled from now on; those that have ended stay as they are."""
    for row in rows:
        builds.end(session, row.id, BuildState.CANCELED, at=now())


def end_tests(session: Session, rows: Iterable[TestRunRow]) -> None:
    """Requests for tests count as canceled from now on; those that have ended stay as they are."""
    for row in rows:
        test_runs.update_state(session, row.request_id, TestState.CANCELED, None, None)


def _withdraw_build(context: Context, system: str, build_id: str, rows: list[BuildRow]) -> str:
    def send() -> Posted:
        if system == "koji":
            context.services.koji.cancel(int(build_id))
        else:
            context.services.copr.cancel_build(int(build_id))
        return Posted(id=build_id, url=rows[0].web_url)

    what = f"Koji task {build_id}" if system == "koji" else f"Copr build {build_id}"
    return _cancel(context, what, send, lambda session: end_builds(session, rows))


def _withdraw_tests(context: Context, row: TestRunRow) -> str:
    def send() -> Posted:
        context.services.testing_farm.cancel_request(row.request_id)
        return Posted(id=row.request_id, url=row.web_url)

    return _cancel(
        context,
        f"Testing Farm request {row.request_id}",
        send,
        lambda session: end_tests(session, [row]),
    )


def _cancel(context: Context, what: str, send: Callable[[], Posted], end: Callable[[Session], None]) -> str:
    # Nothing to look for: canceling twice cancels once.
    calls = Calls(send, lambda: None)
    try:
        context.desk.once(CANCEL, what, {"what": what}, calls, lambda session, _: end(session))
    except (NotFound, Refused) as error:
        # It goes on where it runs, and nobody here listens to it any more.
        context.desk.afterwards(end)
        return f"{what} could not be canceled: {error}"
    return f"canceled {what}"
