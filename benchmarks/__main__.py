"""The command line of the benchmarks. Everything is started on 127.0.0.1 and stopped again."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import backlog, economy, latency, running, throughput
from benchmarks.databases import database
from benchmarks.report import Row, show

NAMES = (economy.NAME, backlog.NAME, throughput.NAME, latency.NAME)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the service: what an event costs, how many it takes in, how long they take. "
        "Counts (economy) are the same everywhere; figures with a time are worth comparing within one run only.",
    )
    made.add_argument(
        "--only", choices=NAMES, action="append", metavar="NAME", help=f"one of {', '.join(NAMES)}"
    )
    made.add_argument("--json", action="store_true", help="print the rows as JSON lines")
    made.add_argument(
        "--check", action="store_true", help="exit with status 1 when a figure is over its budget"
    )
    made.add_argument(
        "--events", type=int, default=300, help="events in a round of throughput (default %(default)s)"
    )
    made.add_argument(
        "--workers", type=int, default=2, help="solo workers in throughput (default %(default)s)"
    )
    made.add_argument(
        "--database-url", help="PostgreSQL; databases are made and dropped there (default: SQLite)"
    )
    made.add_argument(
        "--broker-url",
        help="an unused virtual host of Redis or RabbitMQ; notes of queues stay there (default: an own Redis)",
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and judge."""
    options = parser().parse_args(arguments)
    rows: list[Row] = []
    failed = False
    try:
        for found in _measured(options):
            rows += found
            if options.json:
                for row in found:
                    print(json.dumps(row.to_json()), flush=True)
    except running.Failed as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        failed = True
    if not options.json:
        show(rows)
    over = [row for row in rows if row.is_over]
    for row in over:
        print(f"over budget: {row.benchmark}, {row.what}: {row.value:g}, {row.note}", file=sys.stderr)
    return 2 if failed else int(options.check and bool(over))


def _measured(options: argparse.Namespace) -> Iterator[list[Row]]:
    """The rows of each benchmark, each on a database and in a directory of its own."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    print(
        f"load average {load:.1f} on {processors} processors before the measurements",
        file=sys.stderr,
        flush=True,
    )
    for name in options.only or NAMES:
        print(f"measuring {name}...", file=sys.stderr, flush=True)
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="packit-worker-bench-")))
            made = stack.enter_context(database(options.database_url, directory))
            if name == economy.NAME:
                yield economy.measure(made, directory)
                continue
            if name == backlog.NAME:
                yield backlog.measure(made)
                continue
            broker_url = stack.enter_context(running.broker(options.broker_url, directory))
            if name == throughput.NAME:
                yield throughput.measure(
                    made, broker_url, directory, events=options.events, workers=options.workers
                )
            else:
                yield latency.measure(made, broker_url, directory)


if __name__ == "__main__":
    sys.exit(main())
