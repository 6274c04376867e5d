"""Metrics: every name once. They are scraped, never pushed; what the journal knows is added by ``web.metrics``.

A process counts in its memory, and shows that on ``metrics.port`` or, the web, as ``/metrics``. Where
PROMETHEUS_MULTIPROC_DIR is set (``packit-worker up`` sets it) all processes count in files of that folder, and the web
shows their sums: https://prometheus.github.io/client_python/multiprocess/

Labels have few values, which our code chooses: no names of projects, and no texts of senders.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

#: The variable is the library's, which reads it when it is imported, and expects the folder to be there.
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_directory = os.environ.get(MULTIPROCESS)
if _directory:
    Path(_directory).mkdir(parents=True, exist_ok=True)

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

from packit_worker.config.service import MetricsConfig  # noqa: E402
from parsers.registry import kind_of_message, registered  # noqa: E402

log = logging.getLogger(__name__)

#: Seconds.
_SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8)
_FIRST_STATUS = (1, 2, 5, 15, 25, 60)
_PICKUP = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800)
_JOB = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600)

# The doors.
webhook_requests = Counter(
    "webhook_requests_total",
    "Webhooks by door, kind of event, and what was decided; an error of HTTP is its status.",
    ("source", "event", "result"),
)
webhook_accept_seconds = Histogram(
    "webhook_accept_seconds", "How long it took to write a webhook down.", buckets=_SHORT
)
bus_messages = Counter("bus_messages_total", "Messages of the bus by what was decided.", ("result",))

# The course.
event_pickup_seconds = Histogram(
    "event_pickup_seconds", "From an event's record to its first attempt.", ("lane",), buckets=_PICKUP
)
first_status_seconds = Histogram(
    "first_status_seconds",
    "From an event's record to the moment when the forge shows a check for the first time.",
    buckets=_FIRST_STATUS,
)
job_duration_seconds = Histogram(
    "job_duration_seconds", "How long handlers ran, and how it ended.", ("handler", "result"), buckets=_JOB
)
job_retries = Counter(
    "job_retries_total", "How often work was put back to be tried again, by lane.", ("lane",)
)
effects = Counter("effects_total", "Calls that change something outside, by their end.", ("kind", "state"))

# Around it.
github_rate_remaining = Gauge(
    "github_rate_remaining",
    "Requests to GitHub that are left until the reset, as GitHub said last.",
    ("installation",),
    multiprocess_mode="mostrecent",
)
github_rate_reset_timestamp_seconds = Gauge(
    "github_rate_reset_timestamp_seconds",
    "When what is left of requests to GitHub counts anew.",
    ("installation",),
    multiprocess_mode="mostrecent",
)
github_cache_responses = Counter(
    "github_cache_responses_total",
    "Answers to reads from GitHub that may come again: miss (first), changed, revalidated (free), no-store (no ETag).",
    ("mode",),
)
hints_resent = Counter("hints_resent_total", "Wake-ups that the sweeper has sent again.")
sweep_timestamp_seconds = Gauge(
    "sweep_timestamp_seconds", "When the sweeper ended its last round.", multiprocess_mode="mostrecent"
)
error_reports = Counter("error_reports_total", "Reports to Sentry: sent, or capped in a flood.", ("result",))


def kind_of(source: str, event_type: str | None) -> str:
    """The kind of a message as a label: what a parser is registered for, else ``other``."""
    kind = kind_of_message(source, event_type)
    return kind.name if kind is not None and (source, kind.name) in registered() else "other"


def registry() -> CollectorRegistry:
    """What this process counts; with PROMETHEUS_MULTIPROC_DIR, what all count."""
    if not _directory:
        return REGISTRY
    summed = CollectorRegistry()
    MultiProcessCollector(summed, _directory)
    return summed


def serve(settings: MetricsConfig) -> None:
    """Show what this process counts on the port that is configured, from a thread; on none by default.

    Where processes share their counts nothing is opened: the web shows them. A port that cannot be had is no reason not
    to work.
    """
    if settings.port is None or _directory:
        return
    try:
        start_http_server(settings.port, settings.address)
    except OSError as error:
        log.error("no metrics are shown on port %s of %s: %s", settings.port, settings.address, error)
