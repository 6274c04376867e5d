"""Each line of the log that is written at work leads to the story in the journal."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from stories.world import ONE_BUILD, World

from packit_worker import logs
from packit_worker.course import processing
from packit_worker.handlers.copr import PullRequestCoprBuildHandler


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_lines_of_an_events_work_carry_its_ids(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = PullRequestCoprBuildHandler.run

    def telling(handler: Any) -> str:
        logging.getLogger("packit_worker.test").warning("deep down")
        return run(handler)

    monkeypatch.setattr(PullRequestCoprBuildHandler, "run", telling)
    delivery = world.opened(world.repository(ONE_BUILD))
    world.post(delivery)
    world.work(lanes=["parse"])
    (event,) = world.events()
    logs.setup([], json=True, process="test")
    sys.stderr.flush()
    capsys.readouterr()
    # Without Celery around it, so that nobody else can know the ids.
    processing.process(world.shop, world.worker.heart, event.id)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = [line for line in lines if line["message"] == "deep down"]
    assert len(told) == 1
    for line in lines:
        assert line["delivery"] == delivery.headers["X-GitHub-Delivery"], line
        assert line["event"] == event.id, line
    assert logs.current_ids() == {}
