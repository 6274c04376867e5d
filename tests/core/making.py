"""Shops for tests of single parts: a journal, a broker in memory, and systems outside that are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from packit_worker.broker.celery_app import create_app
from packit_worker.broker.hints import Hints
from packit_worker.config.service import from_mapping
from packit_worker.journal import Journal
from packit_worker.shop import Shop


class Outside:
    """Only what a test gives it is there."""

    def __init__(self, **systems: Any) -> None:
        for name, system in systems.items():
            setattr(self, name, system)


def a_shop(
    journal: Journal, data_dir: Path, *, hints: Hints | None = None, outside: Any = None, **more: Any
) -> Shop:
    settings = from_mapping(
        {
            "deployment": "dev",
            "server_url": "http://127.0.0.1:8000",
            "data_dir": str(data_dir),
            "database_url": journal.url.render_as_string(hide_password=False),
            "github": {"web_url": "https://forge.example", "api_url": "https://forge.example/api/v3"},
            **more,
        }
    )
    return Shop(settings, journal, outside or Outside(), hints or Hints(create_app("memory://")))
