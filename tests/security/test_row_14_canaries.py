"""Row 14: secrets in logs, messages, the journal and what is shown.

Every story is searched (``tests/stories/canaries.py``); here leaks are planted, to see that the search finds them.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import update
from stories.canaries import listening
from stories.world import CALLBACK_TOKEN, ONE_BUILD, REPOSITORY, World

from packit_worker.journal.decisions import DecisionRow
from packit_worker.logs import CENSORED, Censor
from packit_worker.sandbox import Sandbox

log = logging.getLogger("packit_worker.somewhere")


def minted(world: World) -> str:
    return next(iter(world.sandbox.github.gate._tokens))


def in_a_log(world: World) -> None:
    log.debug("calling with %s", {"Authorization": f"token {minted(world)}"})


def in_an_exception(world: World) -> None:
    try:
        raise ValueError(f"https://x-access-token:{minted(world)}@host/")
    except ValueError:
        log.exception("it failed")


def in_a_library(world: World) -> None:
    logging.getLogger("somelibrary").warning(
        "Basic %s", base64.b64encode(f"x:{minted(world)}".encode()).decode()
    )


def in_a_message(world: World) -> None:
    world.app.send_task("task.parse_message", kwargs={"delivery_id": CALLBACK_TOKEN}, queue="parse")


def in_the_journal(world: World) -> None:
    key = world.settings.github.private_key
    assert key
    with world.journal.write() as session:
        session.execute(update(DecisionRow).values(facts={"line": key.reveal().splitlines()[3]}))


def on_the_forge(world: World) -> None:
    secret = world.settings.github.webhook_secret
    assert secret
    world.sandbox.github.add_comment(REPOSITORY, 1, quote(secret.reveal(), safe=""))


@pytest.mark.parametrize(
    ("leak", "place"),
    [
        (in_a_log, "log"),
        (in_an_exception, "log"),
        (in_a_library, "library"),
        (in_a_message, "message"),
        (in_the_journal, "journal"),
        (on_the_forge, "forge"),
    ],
)
def test_a_leak_is_found(
    sandbox: Sandbox, sqlite_url: str, tmp_path: Path, leak: Callable[[World], None], place: str
) -> None:
    # Not the fixture, whose own search would find it as well.
    world = World(sandbox, sqlite_url, str(tmp_path))
    world.approve()
    with listening() as canaries, closing(world):
        pull = world.repository(ONE_BUILD)
        world.post(world.opened(pull))
        world.work()
        assert canaries.leaks(world) == []
        assert canaries.logged and canaries.sent, "nothing was heard"
        leak(world)
        found = canaries.leaks(world)
    assert {where.partition(":")[0] for where in found} == {place}


@pytest.mark.parametrize(
    "token",
    [
        "ghs_" + "a1" * 18,
        "ghp_" + "b2" * 18,
        "github_pat_" + "c3" * 20,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9." + "s" * 40,
    ],
)
def test_tokens_of_github_are_censored_though_nobody_told_of_them(token: str) -> None:
    assert Censor()(f"Authorization: token {token}, and more") == f"Authorization: token {CENSORED}, and more"
    known = Censor()
    known.add("another-secret")
    assert known(f"another-secret {token}") == f"{CENSORED} {CENSORED}"
