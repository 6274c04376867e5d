"""The network of a jail: none, or the hosts that were allowed, at addresses that are public or were allowed too."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from packit_worker.cell import Cell, Finished
from packit_worker.cell.network import Proxy, RefusedHost, Rules, is_public
from tests.cell.conftest import SMALL, Trap

FETCH = (
    "import sys, urllib.request\n"
    "for url in sys.argv[1:]:\n"
    "  try: print(urllib.request.urlopen(url, timeout=5).read().decode().strip())\n"
    "  except Exception as error: print('failed', error)\n"
)


def fetch(work: Path, *urls: str, **options: object) -> Finished:
    return Cell(work, limits=SMALL, **options).run(["python3", "-c", FETCH, *urls])  # type: ignore[arg-type]


def to(*addresses: str) -> object:
    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def test_without_permission_there_is_no_network(work: Path, trap: Trap) -> None:
    said = fetch(
        work, f"http://127.0.0.1:{trap.port}/", f"http://localhost:{trap.port}/", "http://1.1.1.1/"
    ).output
    assert said.count("failed") == 3
    script = (
        "import socket\n"
        "print([name for _, name in socket.if_nameindex()])\n"
        "for family, address in ((socket.AF_INET, ('8.8.8.8', 53)), (socket.AF_UNIX, '\\0/tmp/.X11-unix/X0')):\n"
        "  try: socket.socket(family).connect(address); print('CONNECTED')\n"
        "  except OSError as error: print(error)\n"
    )
    said = Cell(work, limits=SMALL).run(["python3", "-c", script]).output
    assert said.startswith("['lo']")
    assert "CONNECTED" not in said
    assert trap.seen == []


def test_an_abstract_socket_of_the_machine_is_not_reached(work: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0packit-worker-canary")
        server.listen()
        script = (
            "import socket; socket.socket(socket.AF_UNIX).connect('\\0packit-worker-canary'); print('IN')"
        )
        assert "IN" not in Cell(work, limits=SMALL).run(["python3", "-c", script]).output


def test_an_allowed_address_and_port_is_reached_and_no_other(work: Path, trap: Trap) -> None:
    allow = (f"127.0.0.1:{trap.port}",)
    said = fetch(
        work,
        f"http://127.0.0.1:{trap.port}/yes?x=1",
        "http://127.0.0.1:22/",
        "http://example.com/",
        allow=allow,
    ).output.splitlines()
    assert said[0] == "hello from the trap"
    assert all("403" in line for line in said[1:])
    assert trap.seen == [f"/yes?x=1 host=127.0.0.1:{trap.port}"]


def test_connect_and_the_usual_clients_go_through(work: Path, trap: Trap) -> None:
    name = f"sources.example:{trap.port}"
    allow = (name, f"127.0.0.1:{trap.port}")
    cell = Cell(work, limits=SMALL, allow=allow, resolve=to("127.0.0.1"))  # type: ignore[arg-type]
    done = cell.run(
        ["sh", "-c", f"curl -sS -p http://{name}/tunnel; curl -sS http://{name}/plain; env | grep -i proxy"]
    )
    assert done.output.count("hello from the trap") == 2, done
    assert [seen.split()[0] for seen in trap.seen] == ["/tunnel", "/plain"]
    assert "https_proxy=http://127.0.0.1:3128" in done.output


def test_a_name_that_means_a_private_address_is_refused(work: Path, trap: Trap) -> None:
    name = f"rebound.example:{trap.port}"
    said = fetch(work, f"http://{name}/", allow=(name,), resolve=to("127.0.0.1")).output
    assert "403" in said
    assert trap.seen == []


def test_an_answer_that_changes_changes_nothing(work: Path, trap: Trap) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    name = f"flips.example:{trap.port}"
    said = fetch(work, f"http://{name}/", allow=(name, f"127.0.0.1:{trap.port}"), resolve=resolve).output
    assert said.strip() == "hello from the trap"
    assert asked == ["flips.example"]


def test_the_metadata_service_is_refused_even_by_an_allowed_name() -> None:
    rules = Rules(["meta.example", "169.254.169.254"])
    for addresses in (
        ["169.254.169.254"],
        ["::ffff:169.254.169.254"],
        ["fd00:ec2::254"],
        ["10.0.0.1", "127.0.0.1"],
    ):
        with pytest.raises(RefusedHost, match="private"):
            rules.addresses("meta.example", 80, to(*addresses))  # type: ignore[arg-type]
    with pytest.raises(RefusedHost):
        rules.addresses("meta.example", 8080, to("93.184.216.34"))  # type: ignore[arg-type]
    # Of several addresses only those that are fit.
    assert rules.addresses("META.example.", 80, to("10.0.0.1", "93.184.216.34")) == ["93.184.216.34"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *(
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "168.63.129.16",
        ),
        *("255.255.255.255", "localhost", "127.1", "2130706433", "fe80::1%eth0", "ff02::1"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


def test_refusals_are_logged_without_what_was_asked_for(
    work: Path, caplog: pytest.LogCaptureFixture, trap: Trap
) -> None:
    with caplog.at_level(logging.DEBUG):
        fetch(work, "http://evil.example/path?token=canary-query", allow=("good.example",))
    assert "evil.example" in caplog.text
    assert "canary-query" not in caplog.text


@pytest.mark.parametrize(
    "request_",
    [
        *(b"GET / HTTP/1.1\r\n\r\n", b"CONNECT x HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"\xff\xfe\r\n\r\n"),
        *(
            b"GET ftp://x/ HTTP/1.1\r\n\r\n",
            b"CONNECT a@b:1 HTTP/1.1\r\n\r\n",
            b"CONNECT x:99999 HTTP/1.1\r\n\r\n",
        ),
    ],
)
def test_strange_requests_are_answered_politely(request_: bytes, tmp_path: Path) -> None:
    with Proxy(tmp_path / "s", ["good.example"]), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "s"))
        client.sendall(request_)
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_many_connections_are_bounded_and_all_end_with_the_proxy(tmp_path: Path) -> None:
    clients = [socket.socket(socket.AF_UNIX) for _ in range(80)]
    try:
        with Proxy(tmp_path / "s", ["good.example"]):
            refused = 0
            for client in clients:
                client.connect(str(tmp_path / "s"))
                client.settimeout(5)
            for client in clients[70:]:
                refused += client.recv(100).startswith(b"HTTP/1.1 503")
            assert refused == 10
            for client in clients:
                client.close()
    finally:
        for client in clients:
            client.close()


def test_the_way_out_ends_with_the_command(work: Path, trap: Trap) -> None:
    cell = Cell(work, limits=SMALL, allow=(f"127.0.0.1:{trap.port}",))
    assert cell.run(["true"]).seconds < 3
    # Killing it in the jail takes the network away and gives nothing.
    said = cell.run(
        ["sh", "-c", f"pkill -f [l]auncher; sleep 0.2; curl -sS http://127.0.0.1:{trap.port}/ || echo none"]
    )
    assert "none" in said.output
    assert trap.seen == []
