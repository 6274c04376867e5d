"""Injected faults and what is recorded of calls and effects."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests
from copr.v3 import Client, CoprRequestException

from packit_worker.sandbox import Sandbox


def get(sandbox: Sandbox) -> requests.Response:
    return requests.get(f"{sandbox.bus.url}/messages", timeout=5)


def test_dropped_after_the_effect(sandbox: Sandbox, copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", ["fedora-43-x86_64"])
    sandbox.faults.add("copr", method="POST", path=r"^/api_3/build/create", kind="drop_after_commit")
    with pytest.raises(CoprRequestException, match="Unable to connect"):
        copr.build_proxy.create_from_custom("packit", "hello", "x")
    assert len(sandbox.copr.builds) == 1
    copr.build_proxy.create_from_custom("packit", "hello", "x")
    [(key, count)] = [item for item in sandbox.effects().items() if item[0][0] == "copr_build"]
    assert (key[1], count) == ("packit/hello", 2)
    assert [call.status for call in sandbox.calls("copr")] == [200, 0, 200]
    assert sandbox.calls("copr")[1].fault == "drop_after_commit"


def test_slow_after_the_effect(sandbox: Sandbox) -> None:
    sandbox.faults.add("bus", method="POST", kind="delay_after", seconds=1.0)
    with pytest.raises(requests.Timeout):
        requests.post(f"{sandbox.bus.url}/messages", json={"topic": "t"}, timeout=0.5)
    assert len(sandbox.bus.messages()) == 1


def test_dropped_before_the_effect(sandbox: Sandbox) -> None:
    sandbox.faults.add("bus", method="POST", kind="drop_before")
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{sandbox.bus.url}/messages", json={"topic": "t"}, timeout=5)
    assert sandbox.bus.messages() == []


def test_status_before_and_after_the_effect(sandbox: Sandbox) -> None:
    sandbox.faults.add("bus", method="post", kind="status", status=503)
    sandbox.faults.add("bus", method="POST", kind="status_after", status=502)
    answers = [requests.post(f"{sandbox.bus.url}/messages", json={"topic": "t"}, timeout=5) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 502, 201]
    assert len(sandbox.bus.messages()) == 2


def test_delay_times_and_skip(sandbox: Sandbox) -> None:
    sandbox.faults.add("bus", kind="delay", seconds=0.2, times=2, skip=1)
    durations = []
    for _ in range(4):
        started = time.monotonic()
        assert get(sandbox).status_code == 200
        durations.append(time.monotonic() - started > 0.15)
    assert durations == [False, True, True, False]


@pytest.mark.parametrize(
    ("kind", "header"), [("rate_limit", "x-ratelimit-reset"), ("secondary_limit", "Retry-After")]
)
def test_limits(sandbox: Sandbox, kind: str, header: str) -> None:
    sandbox.faults.add("github", kind=kind, reset_seconds=30)
    answer = requests.get(f"{sandbox.github.url}/rate_limit", timeout=5)
    assert (answer.status_code, "limit" in answer.json()["message"]) == (403, True)
    assert int(answer.headers[header]) > 0


def test_path_and_server_are_matched(sandbox: Sandbox) -> None:
    sandbox.faults.add("bus", path="^/other", kind="drop_before", times=None)
    sandbox.faults.add("github", kind="drop_before", times=None)
    assert get(sandbox).status_code == 200
    with pytest.raises(ValueError, match="Unknown kind"):
        sandbox.faults.add("bus", kind="explode")


def chaotic(seed: int) -> list[int]:
    with Sandbox(auto=False) as sandbox:
        sandbox.faults.chaos(seed, drop_before=0.1, drop_after_commit=0.2, status_503=0.2, delay=(0.0, 0.001))
        for _ in range(40):
            try:
                get(sandbox)
            except requests.ConnectionError:
                continue
        return [call.status for call in sandbox.calls("bus")]


def test_chaos_is_the_same_for_the_same_seed() -> None:
    first = chaotic(7)
    assert first == chaotic(7)
    assert set(first) == {0, 200, 503}


def test_connections_are_kept_and_bodies_read(sandbox: Sandbox) -> None:
    """A refused request with a body must not spoil the next one on the same connection."""
    connection = HTTPConnection(sandbox.copr.url.removeprefix("http://"), timeout=5)
    with closing(connection):
        connection.connect()
        socket = connection.sock
        for _ in range(3):
            connection.request("POST", "/api_3/nothing", body=b"x" * 100_000)
            refused = connection.getresponse()
            assert (refused.status, bool(refused.read())) == (404, True)
            connection.request("GET", "/api_3/mock-chroots/list")
            assert b"fedora-rawhide" in connection.getresponse().read()
            assert connection.sock is socket


def test_chunked_bodies(sandbox: Sandbox) -> None:
    parts = iter([b'{"topic": ', b'"t"}'])
    answer = requests.post(
        f"{sandbox.bus.url}/messages", data=parts, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.status_code == 201


def test_many_threads(sandbox: Sandbox) -> None:
    def publish(number: int) -> int:
        with requests.Session() as session:
            return [
                session.post(
                    f"{sandbox.bus.url}/messages", json={"topic": f"{number}"}, timeout=5
                ).status_code
                for _ in range(10)
            ].count(201)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(publish, range(16))) == 160
    assert [message["number"] for message in sandbox.bus.messages()] == list(range(1, 161))
    assert len(sandbox.calls("bus")) == 160


def test_port_in_use(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    port = int(sandbox.github.url.rpartition(":")[2])
    with pytest.raises(OSError, match="taken"):
        Sandbox(ports={"copr": port}).start()


def test_reset(sandbox: Sandbox, copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", ["fedora-43-x86_64"])
    sandbox.github.add_repository("acme/hello")
    sandbox.faults.add("copr", kind="drop_before")
    url = sandbox.copr.url
    sandbox.reset()
    assert (sandbox.copr.builds, sandbox.calls(), dict(sandbox.effects()), sandbox.copr.url) == (
        [],
        [],
        {},
        url,
    )
    assert list(copr.project_proxy.get_list()) == []


def test_all_starts_quickly() -> None:
    Sandbox(auto=False)  # makes the App's key, once per process
    took = []
    for _ in range(3):
        started = time.monotonic()
        with Sandbox(auto=False):
            took.append(time.monotonic() - started)
    assert min(took) < 1.0
