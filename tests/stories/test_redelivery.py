"""The web door was away: what mattered of what did not arrive is asked for again, as if nothing had been."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.serving import make_server

from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import EffectRow
from packit_worker.sweeping.redelivery import ATTEMPTS, ask_for_missed
from packit_worker.sweeping.sweeper import Sweeper

from .world import ONE_BUILD, World

#: Deliveries that are sent while nobody listens: what matters, and what does not.
DOWN_FOR = 20
MATTERING = 5


class Door:
    """An address of the web door; somebody answers there or nobody does."""

    def __init__(self, world: World) -> None:
        self._app = world.web.application
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/api/webhooks/github"
        self._server.server_close()

    def open(self) -> None:
        self._server = make_server("127.0.0.1", self.port, self._app, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def door(world: World) -> Iterator[Door]:
    made = Door(world)
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    """GitHub sends again when it comes to it."""
    give_up_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_at, "it never happened"
        time.sleep(0.02)


def arrived(world: World) -> list[Delivery]:
    with world.journal.read() as session:
        return list(session.execute(select(Delivery)).scalars())


def an_interval_passes(world: World) -> None:
    back = timedelta(seconds=world.settings.limits.redelivery_interval)
    with world.journal.write() as session:
        row = session.get_one(EffectRow, "redelivery")
        assert row.sent_at is not None
        row.sent_at -= back
        session.flush()


def missed(world: World) -> tuple[list[Any], list[Any]]:
    """What matters and what does not, each sent once."""
    github = world.sandbox.github
    pull = world.repository(ONE_BUILD)
    issue = github.add_issue("acme/hello", author="alice", title="Hello?")
    matters = [
        world.opened(pull),
        github.webhook("issue_comment", "created", repository="acme/hello", issue=issue.number, comment="Hi"),
        github.webhook("push", repository="acme/hello"),
        github.webhook("installation", "created", account="newcomer", repositories=["newcomer/one"]),
        github.webhook(
            "installation_repositories", "added", account="newcomer", repositories=["newcomer/two"]
        ),
    ]
    others = [
        ("pull_request", "labeled", {"pull_request": pull.number}),
        ("pull_request", "closed", {"pull_request": pull.number}),
        ("issues", "opened", {"issue": issue.number}),
        ("check_suite", "requested", {"sha": pull.head_sha}),
        ("check_suite", "completed", {"sha": pull.head_sha}),
        *[
            (event, action, {})
            for event in ("star", "watch", "fork", "label", "member")
            for action in ("created", "deleted")
        ],
    ]
    rest = [github.webhook(event, action, repository="acme/hello", **more) for event, action, more in others]
    assert (len(matters), len(rest)) == (MATTERING, DOWN_FOR - MATTERING)
    return matters, rest


def test_the_door_was_away(world: World, door: Door) -> None:
    matters, rest = missed(world)
    for delivery in [*rest[:8], *matters, *rest[8:]]:
        assert world.sandbox.github.deliver(delivery, door.url).status_code == 502
    assert arrived(world) == []

    door.open()
    assert ask_for_missed(world.shop) == MATTERING
    until(lambda: len(arrived(world)) == DOWN_FOR)
    world.work()
    read = {delivery.id: delivery for delivery in arrived(world)}
    assert {read[delivery.id].state for delivery in matters} <= {"done", "ignored"}
    assert read[matters[0].id].state == "done"
    assert read[matters[0].id].body == matters[0].body
    assert len(world.sandbox.copr.builds) == 1
    for delivery in rest:
        assert read[delivery.id].state == "ignored"
        assert "did not arrive, and was not asked for again" in (read[delivery.id].reason or "")

    an_interval_passes(world)
    assert ask_for_missed(world.shop) == 0, "all that matters is here"
    asked = [call for call in world.sandbox.calls("github") if call.path.endswith("/attempts")]
    assert len(asked) == MATTERING


def test_two_sweepers(world: World, door: Door) -> None:
    matters, _ = missed(world)
    for delivery in matters:
        world.sandbox.github.deliver(delivery, door.url)
    door.open()
    with ThreadPoolExecutor(4) as sweepers:
        asked = list(sweepers.map(ask_for_missed, [world.shop] * 8))
    assert sorted(asked) == [0] * 7 + [MATTERING]
    until(lambda: len(arrived(world)) == MATTERING)


def test_the_door_answers_with_an_error(world: World, door: Door) -> None:
    """A database that was away, a secret that was wrong: what was refused is asked for, and only some times."""
    pull = world.repository(ONE_BUILD)
    delivery = world.opened(pull)
    delivery.headers["X-Hub-Signature-256"] = "sha256=" + "0" * 64
    door.open()
    assert world.sandbox.github.deliver(delivery, door.url).status_code == 401
    for attempt in range(ATTEMPTS + 2):
        assert ask_for_missed(world.shop) == (1 if attempt < ATTEMPTS else 0)
        sent = 2 + min(attempt, ATTEMPTS - 1)
        until(lambda sent=sent: len(world.sandbox.github.sent) == sent)
        an_interval_passes(world)
    assert arrived(world) == []
    with world.journal.read() as session:
        assert session.get_one(EffectRow, f"redelivery/{delivery.id}").sends == ATTEMPTS


def test_what_arrived_is_not_asked_for(world: World, door: Door) -> None:
    """Not even by a journal that was begun later: what was answered well then was somebody else's."""
    pull = world.repository(ONE_BUILD)
    door.open()
    world.sandbox.github.deliver(world.opened(pull), door.url)
    assert ask_for_missed(world.shop) == 0
    with world.journal.write() as session:
        session.delete(session.get_one(Delivery, arrived(world)[0].id))
    an_interval_passes(world)
    with world.journal.write() as session:
        session.execute(update(EffectRow).values(confirmed_at=None))
    assert ask_for_missed(world.shop) == 0
    an_interval_passes(world)
    assert ask_for_missed(world.shop) == 1, "this journal was there, and has never seen it"


def test_github_is_away(world: World, door: Door) -> None:
    """Nothing is skipped: the next look begins where the last good one ended."""
    world.sandbox.github.deliver(world.opened(world.repository(ONE_BUILD)), door.url)
    door.open()
    fault = {"method": "POST", "path": r"/attempts$", "kind": "status", "status": 502, "times": 1}
    world.sandbox.faults.add("github", **fault)
    assert ask_for_missed(world.shop) == 0
    assert ask_for_missed(world.shop) == 0, "it is not time"
    an_interval_passes(world)
    assert ask_for_missed(world.shop) == 1
    until(lambda: len(arrived(world)) == 1)


def test_more_than_github_wants_at_once(world: World, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packit_worker.sweeping.redelivery.MOST", 2)
    matters, _ = missed(world)
    for delivery in matters:
        world.sandbox.github.deliver(delivery, door.url)
    door.open()
    assert ask_for_missed(world.shop) == 2
    until(lambda: len(arrived(world)) == 2)
    assert {delivery.id for delivery in arrived(world)} == {delivery.id for delivery in matters[:2]}, (
        "the oldest"
    )
    an_interval_passes(world)
    assert ask_for_missed(world.shop) == 2
    until(lambda: len(arrived(world)) == 4)
    an_interval_passes(world)
    assert ask_for_missed(world.shop) == 1


def test_the_sweeper_asks(world: World, door: Door) -> None:
    world.sandbox.github.deliver(world.opened(world.repository(ONE_BUILD)), door.url)
    door.open()
    sweeper = Sweeper(world.shop)
    thread = threading.Thread(target=sweeper.run)
    thread.start()
    try:
        until(lambda: len(arrived(world)) == 1)
    finally:
        sweeper.stop()
        thread.join()


def test_switched_off(make_world: Callable[..., World]) -> None:
    world = make_world(limits={"redelivery_interval": 0})
    world.sandbox.github.deliver(world.opened(world.repository(ONE_BUILD)), "http://127.0.0.1:9/")
    assert ask_for_missed(world.shop) == 0
    assert world.sandbox.calls("github") == []


def test_without_an_app(make_world: Callable[..., World]) -> None:
    world = make_world(github={"app_id": None, "private_key": None})
    assert ask_for_missed(world.shop) == 0
    assert world.sandbox.calls("github") == []
