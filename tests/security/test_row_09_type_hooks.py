"""Row 9: kombu turns ``{"__type__": ..., "__value__": ...}`` in a message into an object; ours carry flat facts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from stories.world import ONE_BUILD, REPOSITORY, World

from packit_worker.sandbox.github_webhooks import signed

HOOKS = [
    {"__type__": "datetime", "__value__": 1},
    {"__type__": "uuid", "__value__": {"hex": "x"}},
    {"__type__": "Decimal", "__value__": "1"},
    {"__type__": "x", "__value__": 1},
]


def sent(world: World, event: str, payload: Any) -> Any:
    github = world.sandbox.github
    return signed(event, payload, github.webhook_secret, github.app_id)


@pytest.mark.parametrize("hook", HOOKS)
def test_in_a_payload_it_is_of_no_interest(world: World, hook: dict[str, Any]) -> None:
    pull = world.repository(ONE_BUILD)
    payload = world.opened(pull).json()
    payload |= {"client_payload": hook, **hook}
    payload["pull_request"]["labels"] = []
    payload["pull_request"] |= hook
    assert world.post(sent(world, "pull_request", payload)).status_code == 202
    world.work()
    assert [event.state for event in world.events()] == ["done"]
    assert len(world.sandbox.copr.builds) == 1


@pytest.mark.parametrize("hook", HOOKS)
def test_in_place_of_a_fact_it_is_malformed(world: World, hook: dict[str, Any]) -> None:
    pull = world.repository(ONE_BUILD)
    payload = world.opened(pull).json()
    payload["pull_request"]["head"]["sha"] = hook
    delivery = sent(world, "pull_request", payload)
    world.post(delivery)
    world.work()
    assert (world.delivery(delivery.id).state, world.events()) == ("malformed", [])


def test_a_repository_dispatch_is_ignored(world: World) -> None:
    world.repository(ONE_BUILD)
    frame = {"action": "go", "client_payload": HOOKS[0], "repository": {"full_name": REPOSITORY}}
    answer = world.post(sent(world, "repository_dispatch", frame))
    assert (answer.status_code, answer.json["decision"]) == (202, "ignored")


@pytest.mark.parametrize("hook", HOOKS)
def test_in_a_configuration_it_is_an_unknown_key(world: World, hook: dict[str, Any]) -> None:
    pull = world.repository(f"specfile_path: {json.dumps(hook)}\n" + ONE_BUILD.split("\n", 1)[1])
    world.post(world.opened(pull))
    world.work()
    assert [event.state for event in world.events()] == ["ignored"]
    (check,) = world.checks(pull.head_sha).values()
    assert check["conclusion"] in ("failure", "neutral")
    assert "specfile_path" in check["output"]["summary"] + check["output"]["title"]
