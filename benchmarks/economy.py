"""``economy``: statements, transactions, calls and bytes of one pull request. Counts, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import scene
from benchmarks.counting import CountedService, Handled, Transaction, Work, statements
from benchmarks.databases import Database
from benchmarks.report import Row
from packit_worker.sandbox import Sandbox

NAME = "economy"

#: The budgets. "Beside effects": without the two transactions that each thing done outside takes.
STATEMENTS, TRANSACTIONS, READS, BYTES = 15, 4, 3, 2000
#: Jobs that match the event.
FEW, MANY = 1, 20


def measure(database: Database, directory: Path) -> list[Row]:
    """All rows."""
    with Sandbox(auto=False) as sandbox:
        service = CountedService(sandbox, database.url, directory)
        try:
            handled = {jobs: handle_two(service, jobs) for jobs in (FEW, MANY)}
        finally:
            service.close()
    rows = list(_of_doors(handled[FEW][0]))
    for jobs, events in handled.items():
        for position, each in zip(("first", "second"), events, strict=True):
            note = f"{position} event of a repository, {jobs} job{'s' * (jobs > 1)}"
            rows += _of_event(each, note)
            rows += _of_calls(each, note)
    rows += _of_checks(handled[MANY][0])
    rows.append(_difference(handled))
    rows.append(_of_budgets(handled))
    return rows


def handle_two(service: CountedService, jobs: int) -> tuple[Handled, Handled]:
    """Two pull requests of a project that is new to the service."""
    project = scene.Project(service.sandbox.github, f"with-{jobs}", jobs).create()
    first, second = (service.handle(project.opened(project.open(number))) for number in (1, 2))
    return first, second


def _of_doors(each: Handled) -> Iterator[Row]:
    yield _row("accepting a delivery: statements", len(statements(each.accepted.transactions)))
    yield _row("accepting a delivery: transactions", len(each.accepted.transactions))
    yield from _of_task("task.parse_message", each.parsing, "")


def _of_event(each: Handled, note: str) -> Iterator[Row]:
    work = each.event
    beside, effects = work.beside_effects, work.of_effects
    yield _row("event task beside effects: statements", len(statements(beside)), note, STATEMENTS)
    yield _row("event task beside effects: transactions", len(beside), note, TRANSACTIONS)
    count = max(1, len(effects) // 2)
    yield _row("event task, per effect: statements", _each(effects, count), note)
    yield _row("event task, per effect: transactions", len(effects) / count, note)
    yield _row("event task: message", work.message_bytes, note, BYTES, unit="B")


def _of_calls(each: Handled, note: str) -> Iterator[Row]:
    reads = [call for work in each.tasks for call in work.made("github") if call.method == "GET"]
    writes = [call for work in each.tasks for call in work.made("github") if call.method != "GET"]
    copr = [call for work in each.tasks for call in work.made("copr")]
    yield _row("GitHub reads before the first check", len(each.reads_before_first_check), note, READS)
    yield _row("GitHub reads", len(reads), note)
    yield _row("GitHub tokens minted", each.tokens, note, 0 if note.startswith("second") else None)
    yield _row("GitHub writes", len(writes) - each.tokens, note)
    yield _row("Copr calls", len(copr), note)


def _of_checks(each: Handled) -> Iterator[Row]:
    # Of the tasks of one check some find that an earlier one has shown it already.
    working = [work for work in each.shown if work.of_effects]
    yield from _of_task("check shown", working[0], "")
    idle = [work for work in each.shown if not work.of_effects]
    if idle:
        yield _row("check found shown: statements", len(statements(idle[0].transactions)))


def _of_task(name: str, work: Work, note: str) -> Iterator[Row]:
    yield _row(f"{name}: statements", len(statements(work.transactions)), note)
    yield _row(f"{name}: transactions", len(work.transactions), note)
    yield _row(f"{name}: message", work.message_bytes, note, BYTES, unit="B")


def _difference(handled: dict[int, tuple[Handled, Handled]]) -> Row:
    few, many = (len(statements(handled[jobs][1].event.beside_effects)) for jobs in (FEW, MANY))
    return _row(f"statements beside effects, {MANY} jobs more than {FEW}", many - few, "second events", 0)


def _of_budgets(handled: dict[int, tuple[Handled, Handled]]) -> Row:
    """How often a process that has just begun told and asked: ``clients.sharing`` says after how many seconds."""
    tasks = [work for events in handled.values() for each in events for work in each.tasks]
    told = [transaction for work in tasks for transaction in work.of_budgets]
    return _row("rate limits told and asked for: transactions", len(told), f"{len(tasks)} tasks in all")


def _each(transactions: list[Transaction], count: int) -> float:
    return len(statements(transactions)) / count


def _row(what: str, value: float, note: str = "", most: float | None = None, *, unit: str = "") -> Row:
    return Row(benchmark=NAME, what=what, value=value, unit=unit, most=most, note=note)
