"""The module that Celery is pointed at: ``celery -A packit_worker.worker worker -Q <lane>``."""

from __future__ import annotations

from packit_worker import logs, startup
from packit_worker.config.service import load_service_config

_settings = load_service_config()
logs.setup(_settings.secrets())

worker = startup.worker(_settings)
app = worker.app
