"""Sentry: what operators have to hear about, once each, named after the task of the event that it happened in.

``setup`` once a process; ``working`` around the work on a row; ``report`` where a failure is final. Without a
``sentry_dsn`` all of it does nothing. Reported are bugs, and what was given up; never what only a user can mend, and
no attempt that is followed by another. The log has each of them, too.
"""

from __future__ import annotations

import importlib.metadata
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.transport import Transport

from packit_worker import logs, metrics
from packit_worker.config.service import ServiceConfig

#: Reports of one process a minute about the same error of the same handler.
MOST = 5
#: Pairs of event and error that are remembered as reported.
REMEMBERED = 1000
#: Characters of an error's message; behind its first line may stand a statement with its values.
LONGEST = 300


class Flood:
    """Counts reports by key and minute. Safe to use from several threads."""

    def __init__(self, most: int = MOST, *, clock: Callable[[], float] = time.time) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: Counter[object] = Counter()

    def lets_through(self, key: object) -> bool:
        """Whether there have been fewer than the most of this minute."""
        with self._lock:
            minute = int(self._clock() // 60)
            if minute != self._minute:
                self._minute, self._counts = minute, Counter()
            self._counts[key] += 1
            return self._counts[key] <= self._most


class _Reported:
    """What was reported of which event."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: OrderedDict[object, None] = OrderedDict()

    def is_new(self, key: object) -> bool:
        """Whether it is the first time; remembers it."""
        with self._lock:
            if key in self._keys:
                return False
            self._keys[key] = None
            if len(self._keys) > REMEMBERED:
                self._keys.popitem(last=False)
            return True


_reported = _Reported()


def setup(settings: ServiceConfig, *, transport: Transport | None = None, flood: Flood | None = None) -> None:
    """Report to the configured Sentry from now on, if there is one. ``transport`` instead of HTTP."""
    if settings.sentry_dsn is None:
        return
    flood = flood or Flood()

    def before_send(event: Any, _: object) -> Any:
        error = (event.get("exception") or {}).get("values") or [{}]
        key = (event.get("tags", {}).get("handler"), event.get("transaction"), error[-1].get("type"))
        if not flood.lets_through(key):
            metrics.error_reports.labels("capped").inc()
            return None
        metrics.error_reports.labels("sent").inc()
        for value in error:
            value["value"] = _first_line(str(value.get("value", "")))
        return _censored(event)

    sentry_sdk.init(
        dsn=settings.sentry_dsn.reveal(),
        environment=settings.deployment.value,
        release=f"packit-worker@{importlib.metadata.version('packit-worker')}",
        transport=transport,
        traces_sample_rate=settings.sentry_traces_sample_rate or None,
        before_send=before_send,
        before_send_transaction=lambda event, _: _censored(event),
        # What others have sent us is none of Sentry's business, and who we are none of theirs. Its default is to send
        # no personal data; send_default_pii has come to be deprecated.
        include_local_variables=False,
        max_request_body_size="never",
        trace_propagation_targets=[],
        auto_session_tracking=False,
        spotlight=False,
        # Named one by one: the others report what is not final, or look into requests.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda *_: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
            LoggingIntegration(level=logging.INFO, event_level=None),
            ThreadingIntegration(),
        ],
    )


@contextmanager
def working(task: str, *, project: str | None = None, **ids: str | None) -> Iterator[None]:
    """Work on a row. Inside, log lines carry ``ids`` (delivery, event...), and reports carry them and the project."""
    with logs.about(**ids):
        if not sentry_sdk.is_initialized():
            yield
            return
        with sentry_sdk.isolation_scope() as scope:
            scope.set_transaction_name(task)
            scope.set_tags({name: value for name, value in {**ids, "project": project}.items() if value})
            if not sentry_sdk.get_client().options["traces_sample_rate"]:
                yield
                return
            with sentry_sdk.start_transaction(op="queue.process", name=task):
                yield


def report(error: BaseException, handler: str) -> None:
    """Tell the operators of a failure that no attempt will follow; once for each event, handler and kind of error."""
    event = logs.current_ids().get("event")
    if not sentry_sdk.is_initialized():
        return
    if event is not None and not _reported.is_new((event, handler, type(error))):
        return
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("handler", handler)
        sentry_sdk.capture_exception(error)


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:LONGEST]


def _censored(value: Any) -> Any:
    """The same without secrets."""
    if isinstance(value, str):
        return logs.censor(value)
    if isinstance(value, dict):
        return {key: _censored(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_censored(item) for item in value]
    return value
