"""The composition root: everything a process of the service works with, made once and put together here."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from celery import Celery
from celery.signals import worker_process_init

from packit_worker import handlers, registry, tasks
from packit_worker.broker.celery_app import create_app
from packit_worker.broker.embedded import current_url
from packit_worker.broker.hints import Hints
from packit_worker.broker.reconnecting import Reconnecting
from packit_worker.config.service import ServiceConfig
from packit_worker.intake import Intake
from packit_worker.journal import Journal
from packit_worker.journal.heart import Heart
from packit_worker.services import Services
from packit_worker.shop import Shop
from parsers.registry import sent

log = logging.getLogger(__name__)

#: Importing the package has registered the handlers; named here so that nobody takes the import for unused.
HANDLERS = handlers

#: Events that end as ignored until somebody writes their handler.
WAITING_FOR_A_HANDLER: tuple[str, ...] = ()


@dataclass(frozen=True)
class Worker:
    """A worker process: its Celery application with all tasks, and what they work with."""

    app: Celery
    shop: Shop
    heart: Heart


def broker_url(settings: ServiceConfig) -> str:
    """The configured broker, else the embedded one of the data directory."""
    return settings.broker_url or current_url(settings.data_dir)


def self_check() -> None:
    """Be sure that every event has a parser, and a handler or the mark that it waits for one. Raises BrokenRegistry."""
    registry.check(sent(), WAITING_FOR_A_HANDLER)


def worker(settings: ServiceConfig) -> Worker:
    """Put a worker together. Nothing is connected yet."""
    self_check()
    app = create_app(broker_url(settings))
    journal = Journal(settings.database_url)
    shop = Shop(settings, journal, Services.from_config(settings, journal), Hints(app))
    limits = settings.limits
    heart = Heart(
        journal,
        lease=timedelta(seconds=limits.lease_seconds),
        beat=timedelta(seconds=limits.heartbeat_seconds),
    )
    tasks.register(app, shop, heart)
    app.steps["consumer"].add(Reconnecting)
    # A forked child shares no connection with its parent.
    worker_process_init.connect(lambda **_: journal.engine.dispose(close=False), weak=False)
    return Worker(app, shop, heart)


def intake(settings: ServiceConfig, *, in_background: bool) -> tuple[Intake, Journal]:
    """What a door works with: the way in, and the journal behind it."""
    journal = Journal(settings.database_url)
    hints = Hints(create_app(broker_url(settings)), in_background=in_background)
    window = timedelta(days=settings.limits.replay_window_days)
    return Intake(journal, hints, replay_window=window), journal
