"""The doors of Celery: a message is a wake-up, and whatever else it holds does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.base import event_classes
from packit_worker import startup
from packit_worker.config.service import from_mapping
from packit_worker.startup import Worker


@pytest.fixture
def worker(sqlite_url: str, tmp_path: Path) -> Worker:
    settings = {"data_dir": str(tmp_path), "database_url": sqlite_url, "broker_url": "memory://"}
    return startup.worker(from_mapping(settings))


def test_every_event_has_a_task(worker: Worker) -> None:
    for event_class in event_classes():
        task = worker.app.tasks[event_class.task]
        assert event_class.__name__ in (task.__doc__ or "")


def test_of_an_unknown_id(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for event_class in event_classes():
        worker.app.tasks[event_class.task].apply(task_id=f"no-{event_class.__name__}", throw=True)
        assert f"event no-{event_class.__name__} is not to be had: unknown" in caplog.text
    worker.app.tasks["task.parse_message"].apply(kwargs={"delivery_id": "nobody"}, throw=True)
    assert "delivery nobody is not to be had: unknown" in caplog.text
    worker.app.tasks["task.show_check"].apply(kwargs={"check_id": "none"}, throw=True)
    assert "check none is not to be had: unknown" in caplog.text


def test_of_another_release(worker: Worker) -> None:
    """While a new one is rolled out, both send messages to both."""
    new = {"what_the_next_release_brings": 1}
    for event_class in event_classes():
        worker.app.tasks[event_class.task].apply(kwargs=new, task_id="nobody", throw=True)
    worker.app.tasks["task.parse_message"].apply(kwargs={"delivery_id": "nobody", **new}, throw=True)
    worker.app.tasks["task.show_check"].apply(kwargs={"check_id": "none", **new}, throw=True)
