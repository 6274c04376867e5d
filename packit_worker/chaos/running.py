"""One run: the stage is set, the script is played, the service becomes quiet, and what is left is gathered."""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import create_engine, make_url, text

from packit_worker.chaos import gathering
from packit_worker.chaos.feeding import Feeder
from packit_worker.chaos.record import Record
from packit_worker.chaos.script import Script
from packit_worker.chaos.striking import Striker
from packit_worker.demo.stage import Stage, StageError
from packit_worker.journal import JournalUnavailable

log = logging.getLogger(__name__)

POSTGRESQL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
REDIS = "redis://127.0.0.1:6379"
#: What the sandbox does to calls, as a share of them; delays are in seconds.
FAULTS: dict[str, Any] = {
    "drop_after_commit": 0.10,
    "status_503": 0.05,
    "delay": (0.0, 0.2),
    "servers": ["github", "copr", "testing_farm"],
}
#: Shorter than by default, so that a run sees many of them pass; in the same proportions.
LIMITS = {
    "http_timeout": 2,
    "settle_seconds": 4,
    "lease_seconds": 4,
    "heartbeat_seconds": 1,
    "redelivery_interval": 10,
}
#: Nothing may be left for so long, in seconds: by then lost news has been asked for.
_QUIET = 2.0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a run takes place. ``calm`` leaves the sandbox without faults."""

    directory: Path
    database: str
    broker: str
    repositories: int
    patience: float
    is_calm: bool = False


#: Told while it goes on: what is going on, and how it stands.
Telling = Callable[[str], None]


def play(script: Script, setting: Setting, seed: int, tell: Telling, kept: Callable[[Stage], None]) -> Record:
    """Play a script. ``kept`` is called with the stage before it is struck. Raises StageError."""
    with ExitStack() as stack:
        database_url = stack.enter_context(_database(setting.database))
        broker_url = stack.enter_context(_broker(setting.broker))
        stage = stack.enter_context(
            Stage(
                setting.directory,
                build_seconds=1.0,
                test_seconds=0.8,
                more={
                    "database_url": database_url,
                    "broker_url": broker_url,
                    "limits": LIMITS,
                    "lanes": {"short-running": {"processes": 2}},
                },
            )
        )
        gathering.watch_claims(stage.journal.engine)
        feeder = Feeder(stage, setting.repositories)
        feeder.prepare()
        if not setting.is_calm:
            stage.sandbox.faults.chaos(seed, **FAULTS)
        striker = Striker(stage, broker_url)
        stack.callback(striker.close)
        begun = time.monotonic()
        _perform(script, feeder, striker, tell)
        performed = time.monotonic()
        is_quiet = _settle(stage, feeder, setting.patience, tell)
        settled = time.monotonic()
        record = gathering.gather(stage, feeder.sendings, feeder.heads, quiet=is_quiet)
        record.figures = {
            "seconds": round(performed - begun, 1),
            "settling": round(settled - performed, 1),
            "skipped": feeder.skipped,
            "missed": striker.missed,
            "hits": Counter({f"{target} {kind}": count for (target, kind), count in striker.hits.items()}),
            "faults": Counter(call.fault for call in stage.sandbox.calls() if call.fault),
        }
        kept(stage)
        return record


def _perform(script: Script, feeder: Feeder, striker: Striker, tell: Telling) -> None:
    """Everything at its time. What happens outside waits for nobody; blows fall from this thread."""
    number = itertools.count()
    queue: list[tuple[float, int, Callable[[], object]]] = []
    begun, told = time.monotonic(), 0.0
    with ThreadPoolExecutor(16, thread_name_prefix="feeding") as pool:
        under_way: list[Future[None]] = []
        ends: list[Callable[[], None]] = []

        def plan(at: float, do: Callable[[], object]) -> None:
            heapq.heappush(queue, (at, next(number), do))

        def begin(happening: Any) -> None:
            under_way.append(pool.submit(feeder.happen, happening))

        def strike(blow: Any) -> None:
            end = striker.strike(blow)
            if end is not None:
                ends.append(end)
                at = time.monotonic() - begun + blow.seconds
                plan(at, partial(finish, end))

        def finish(end: Callable[[], None]) -> None:
            ends.remove(end)
            end()

        for happening in script.happenings:
            plan(happening.at, partial(begin, happening))
        for blow in script.blows:
            plan(blow.at, partial(strike, blow))
        try:
            while queue:
                at, _, do = queue[0]
                elapsed = time.monotonic() - begun
                if elapsed < at:
                    time.sleep(min(at - elapsed, 0.5))
                    continue
                heapq.heappop(queue)
                do()
                if elapsed - told >= 2:
                    told = elapsed
                    tell(
                        f"{elapsed:4.0f} of {script.seconds:.0f} s: {len(under_way)} of {len(script.happenings)} "
                        f"events, {sum(striker.hits.values())} of {len(script.blows)} blows"
                    )
        finally:
            # Whatever was stopped goes on, also after Ctrl-C.
            for end in ends:
                end()
    for future in under_way:
        future.result()


def _settle(stage: Stage, feeder: Feeder, patience: float, tell: Telling) -> bool:
    """Wait until there is nothing left to be done, and stays so. False when it takes too long."""
    begun, quiet_since, told = time.monotonic(), None, -10.0
    while (now := time.monotonic()) < begun + patience:
        try:
            left = gathering.unfinished(stage)
            webhooks = gathering.missing(stage, feeder.sendings)
        except JournalUnavailable:
            left, webhooks = {"journal": 1}, 0
        if webhooks:
            left["webhooks"] = webhooks
        if left:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = now
        elif now - quiet_since >= _QUIET:
            return True
        if now - told >= 2:
            told = now
            tell(
                f"settling for {now - begun:.0f} s: "
                + (", ".join(f"{count} {name}" for name, count in left.items()) or "quiet")
            )
        time.sleep(0.4)
    return False


@contextmanager
def _database(kind: str) -> Iterator[str | None]:
    """A scratch database: a file on the stage, or a database of its own in the PostgreSQL of this machine."""
    if kind == "sqlite":
        yield None
        return
    url = make_url(os.environ.get("TEST_POSTGRESQL_URL", POSTGRESQL))
    name = f"packit_worker_chaos_{uuid.uuid4().hex[:12]}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except Exception as error:
        raise StageError(f"there is no PostgreSQL to make a database in: {error}") from error
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@contextmanager
def _broker(kind: str) -> Iterator[str | None]:
    """Nothing, for an embedded broker; else an empty database of the Redis of this machine, emptied at the end."""
    if kind == "embedded":
        yield None
        return
    server = os.environ.get("TEST_REDIS_URL", REDIS).rstrip("/")
    url = _empty_database(server)
    try:
        yield url
    finally:
        with redis.Redis.from_url(url) as client:
            client.flushdb()


def _empty_database(server: str) -> str:
    try:
        for number in range(15, 0, -1):
            with redis.Redis.from_url(f"{server}/{number}", socket_timeout=3) as client:
                # Empty, and nobody else takes it in the same moment.
                if client.dbsize() == 0 and client.set("chaos", "taken", nx=True):
                    return f"{server}/{number}"
    except redis.RedisError as error:
        raise StageError(f"there is no Redis to work with: {error}") from error
    raise StageError(f"no database of {server} is empty")
