"""What a simulation tells is what the live service then does."""

from __future__ import annotations

from pathlib import Path

import pytest

from packit_worker.ports import Permission
from packit_worker.simulating import Given, simulate

from .world import CONFIG, World


@pytest.mark.parametrize("author", ["alice", "mallory"])
def test_as_it_comes(world: World, tmp_path: Path, author: str) -> None:
    path = tmp_path / ".packit.yaml"
    path.write_text(CONFIG)
    (tmp_path / "hello.spec").touch()
    pull = world.repository(author=author)
    posted = world.opened(pull)
    permission = Permission.ADMIN if author == "alice" else Permission.READ
    simulation = simulate(
        world.settings,
        world.shop.services.aliases,
        Given(config=path, permission=permission),
        "github",
        "pull_request",
        posted.body,
    )
    world.post(posted)
    world.work()
    (foreseen,) = simulation.events
    (event,) = world.events()
    told = {(decision.step, decision.verdict) for decision in foreseen.decisions}
    delivery = event.delivery_id or ""
    lived = {
        (entry.facts["step"], entry.facts["verdict"])
        for entry in world.decisions(delivery)
        if entry.facts["event"] == event.id
    }
    assert told == lived
    assert {check.name for check in foreseen.checks} == set(world.checks(pull.head_sha))
