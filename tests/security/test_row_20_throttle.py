"""Row 20: nobody tries names and tokens without end, and nobody keeps others from logging in."""

from __future__ import annotations

import logging
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from prometheus_client import generate_latest
from sqlalchemy import event
from web.opening import Opened, opened
from web.provider import Provider

from packit_worker.journal import Journal
from packit_worker.web import throttle

HERE = "https://packit.example"
TOKEN = "a-token-of-alice-that-is-long"
OPERATORS = [{"name": "alice", "token": TOKEN}]
REDIS = "redis://127.0.0.1:6379/9"
LIMIT = throttle.PER_ADDRESS.amount


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """What is logged is heard, whatever level tests before these have left."""
    caplog.set_level(logging.INFO)


@pytest.fixture
def journal(sqlite_url: str) -> Iterator[Journal]:
    """A journal."""
    made = Journal(sqlite_url, timeout=5)
    yield made
    made.dispose()


@pytest.fixture
def wait_for_a_minute_to_begin() -> None:
    """Attempts are counted by the minute; these tests are not about its end."""
    if time.time() % 60 > 50:
        time.sleep(60 - time.time() % 60)


@pytest.fixture
def address() -> str:
    """An address that no other test has used: Redis remembers."""
    return str(uuid.uuid4())


def attempt(door: Opened, address: str = "192.0.2.1", token: str = "wrong", **headers: str) -> Any:
    """Try to log in, from an address."""
    return door.client.post(
        "/login",
        base_url=HERE,
        data={"name": "alice", "token": token},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        environ_overrides={"REMOTE_ADDR": address},
    )


def statuses(door: Opened, times: int, *addresses: str, **headers: str) -> list[int]:
    """Of so many attempts, from these addresses in turn."""
    return [
        attempt(door, addresses[number % len(addresses)], **headers).status_code for number in range(times)
    ]


def test_too_many_from_an_address(journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    door = opened(journal, tmp_path, operators=OPERATORS)
    assert statuses(door, LIMIT, "192.0.2.1") == [401] * LIMIT
    answer = attempt(door)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "too many attempts to log in: try again in" in answer.text
    assert attempt(door, token=TOKEN).status_code == 429, "nor does the right token tell itself"
    assert attempt(door, "192.0.2.2", token=TOKEN).status_code == 303
    assert "somebody tries to log in too often" in caplog.text
    assert door.client.get("/dead", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200
    assert b'source="pages"' not in generate_latest(), "they are no webhooks"


def test_the_provider_is_asked_as_rarely(journal: Journal, tmp_path: Path) -> None:
    with Provider() as provider:
        door = opened(journal, tmp_path, oidc=provider.settings())
        got = [door.client.get("/login/oidc", base_url=HERE).status_code for _ in range(LIMIT + 3)]
    assert got == [303] * LIMIT + [429] * 3


def test_too_many_from_everywhere(journal: Journal, tmp_path: Path) -> None:
    door = opened(journal, tmp_path, operators=OPERATORS)
    most = throttle.OVERALL.amount
    addresses = [f"198.51.100.{number}" for number in range(most // LIMIT)]
    # one of them goes on and on, which is on its own account only
    assert statuses(door, 3 * LIMIT, addresses[0]) == [401] * LIMIT + [429] * 2 * LIMIT
    rest = addresses[1:]
    assert set(statuses(door, most - LIMIT, *rest)) == {401}
    assert attempt(door, "203.0.113.1").status_code == 429


@pytest.mark.parametrize(
    ("address", "customer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("192.0.2.1:4711", "192.0.2.1:4711"),
        ("unix:", "unix:"),
        ("x" * 5000, "x" * 100),
        ("", ""),
    ],
)
def test_whom_an_address_belongs_to(address: str, customer: str) -> None:
    assert throttle.customer(address) == customer


def test_what_a_stranger_says_about_addresses_is_not_believed(journal: Journal, tmp_path: Path) -> None:
    door = opened(journal, tmp_path, operators=OPERATORS)
    got = [attempt(door, X_Forwarded_For=f"203.0.113.{number}").status_code for number in range(LIMIT + 1)]
    assert got == [401] * LIMIT + [429]


@pytest.mark.parametrize(("proxies", "behind"), [(1, ""), (2, ", 10.0.0.1")])
def test_behind_proxies(journal: Journal, tmp_path: Path, proxies: int, behind: str) -> None:
    door = opened(journal, tmp_path, operators=OPERATORS, trusted_proxies=proxies)

    def said(number: int, client: str) -> int:
        # what the client itself has sent stands before what the proxies add
        forwarded = f"203.0.113.{number}, {client}{behind}"
        return int(attempt(door, "10.0.0.2", X_Forwarded_For=forwarded).status_code)

    assert [said(number, "192.0.2.1") for number in range(LIMIT + 1)] == [401] * LIMIT + [429]
    assert said(1, "192.0.2.2") == 401


@pytest.mark.services("redis")
@pytest.mark.usefixtures("wait_for_a_minute_to_begin")
def test_processes_count_together_in_redis(journal: Journal, tmp_path: Path, address: str) -> None:
    doors = [opened(journal, tmp_path, operators=OPERATORS, broker_url=REDIS) for _ in range(3)]
    got = [attempt(doors[number % 3], address).status_code for number in range(LIMIT + 1)]
    assert got == [401] * LIMIT + [429]
    client = redis.Redis.from_url(REDIS)
    keys = client.keys(f"packit-worker:logins*{address}*")
    assert len(keys) == 1 and 0 < client.ttl(keys[0]) <= 60, "and Redis forgets"
    client.close()


@pytest.mark.parametrize(
    "more", ["", "?known_to=celery", "?ssl_cert_reqs=CERT_REQUIRED", "?socket_timeout=x"]
)
def test_redis_is_away(journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture, more: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"redis://:password-of-redis@127.0.0.1:{nobody.getsockname()[1]}/0{more}"
        door = opened(journal, tmp_path, operators=OPERATORS, broker_url=url)
        assert statuses(door, LIMIT + 1, "192.0.2.1") == [401] * LIMIT + [429]
    assert "counted by this process alone" in caplog.text
    assert "password-of-redis" not in caplog.text


def test_redis_is_frozen(journal: Journal, tmp_path: Path) -> None:
    with socket.socket() as frozen:
        frozen.bind(("127.0.0.1", 0))
        frozen.listen()
        url = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        door = opened(journal, tmp_path, operators=OPERATORS, broker_url=url)
        began = time.monotonic()
        assert attempt(door, token=TOKEN).status_code == 303
        assert time.monotonic() - began < 5


def test_webhooks_meet_none_of_it(journal: Journal, tmp_path: Path) -> None:
    statements: list[str] = []

    def count(*told: Any) -> None:
        statements.append(told[2])

    event.listen(journal.engine, "before_cursor_execute", count)
    with Provider() as provider, socket.socket() as broker:
        broker.bind(("127.0.0.1", 0))
        broker.listen()
        broker.settimeout(0.2)
        plain = opened(journal, tmp_path)
        guarded = opened(
            journal,
            tmp_path,
            operators=OPERATORS,
            oidc=provider.settings(),
            broker_url=f"redis://127.0.0.1:{broker.getsockname()[1]}/0",
            trusted_proxies=1,
        )
        asked: list[list[str]] = []
        for door in (plain, guarded, plain, guarded):
            statements.clear()
            for _ in range(LIMIT + 2):
                assert door.webhook(X_Forwarded_For="192.0.2.1").status_code == 202
            asked.append([*statements])
        with pytest.raises(TimeoutError):
            broker.accept()
        assert provider.asked == []
    assert asked[0] and all(each == asked[0] for each in asked)
