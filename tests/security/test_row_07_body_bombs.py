"""Row 7: bodies that are too long, never end, come slowly, or are nested too deeply."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
import statistics
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from web.opening import BODY, WEBHOOK, Opened, signed
from web.serving import Served

MEGABYTE = 1024 * 1024


def head(port: int, *lines: str) -> bytes:
    return "\r\n".join((f"POST {WEBHOOK} HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines, "", "")).encode()


def test_nesting(door: Opened) -> None:
    for bomb in (b"[" * 400_000, b'{"a":' * 100_000, b"[" * 400_000 + b"]" * 400_000):
        assert door.webhook(bomb).status_code == 400
    assert door.count() == 0


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity", "x-gzip"])
def test_compressed_bodies(door: Opened, encoding: str) -> None:
    body = gzip.compress(b"0" * MEGABYTE)
    assert door.webhook(body, Content_Encoding=encoding).status_code == 415


def test_exactly_as_long_as_allowed(door: Opened) -> None:
    limit = 25 * MEGABYTE
    body = b'{"a": "' + b"x" * (limit - 9) + b'"}'
    assert len(body) == limit
    assert door.webhook(body).status_code == 202
    assert door.webhook(body + b" ").status_code == 413


def test_26_megabytes_that_say_so_are_not_read(served: Served) -> None:
    before = served.memory()
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.sendall(head(served.port, f"Content-Length: {26 * MEGABYTE}"))
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")
    assert served.memory() - before < 5 * MEGABYTE


def test_26_megabytes_in_pieces(served: Served) -> None:
    before = served.memory()

    def pieces() -> Iterator[bytes]:
        for _ in range(26 * 16):
            yield b"0" * (MEGABYTE // 16)

    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("POST", WEBHOOK, body=pieces(), headers=signed(BODY), encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    assert served.memory() - before < 30 * MEGABYTE


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"5\r\nabc", b"5\r\nabcdeXX", b"0\r\nA\n\r\n\r\n", b"-1\r\n", b"5;\r\x00\r\n"]
)
def test_broken_pieces_are_the_sender_s_fault(served: Served, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.sendall(head(served.port, "Transfer-Encoding: chunked") + body)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100).startswith(b"HTTP/1.1 4")


def test_an_endless_body_is_cut(served: Served) -> None:
    piece = b"10000\r\n" + b"0" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        client.sendall(head(served.port, "Transfer-Encoding: chunked"))
        sent, answer, started = 0, b"", time.monotonic()
        try:
            while time.monotonic() - started < 20:
                client.sendall(piece)
                sent += len(piece)
                client.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    answer += client.recv(1000)
                client.settimeout(20)
        except OSError:
            pass
        else:
            raise AssertionError(f"{sent} bytes were taken and no end in sight")
    # The connection is cut with bytes still on their way: TCP may throw the answer away with them.
    assert not answer or answer.startswith(b"HTTP/1.1 413 ")
    assert sent < 60 * MEGABYTE
    assert served.memory() < 200 * MEGABYTE
    assert requests.post(served.url + WEBHOOK, data=BODY, headers=signed(BODY), timeout=5).status_code == 202


@pytest.mark.slow
def test_fifty_who_send_slowly_hold_up_nobody(served: Served) -> None:
    """One half never ends the head, the other never the body."""
    ended = threading.Event()
    clients = [socket.create_connection(("127.0.0.1", served.port), timeout=30) for _ in range(50)]
    for number, client in enumerate(clients):
        if number % 2:
            client.sendall(
                head(served.port, *(f"{k}: {v}" for k, v in signed(BODY).items()), "Content-Length: 999")
            )
        else:
            client.sendall(f"POST {WEBHOOK} HTTP/1.1\r\n".encode())

    def trickle() -> None:
        while not ended.wait(0.5):
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(b"a")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        seconds: list[float] = []
        started = time.monotonic()
        with requests.Session() as session:
            while time.monotonic() - started < 8:
                body = b'{"n": %d}' % len(seconds)
                began = time.monotonic()
                answer = session.post(served.url + WEBHOOK, data=body, headers=signed(body), timeout=10)
                seconds.append(time.monotonic() - began)
                assert answer.status_code == 202
                time.sleep(0.01)
        assert statistics.quantiles(seconds, n=100)[98] < 0.1
        # And they are not waited for for ever.
        time.sleep(max(0.0, started + 14 - time.monotonic()))
        assert all(_is_closed(client) for client in clients)
    finally:
        ended.set()
        thread.join()
        for client in clients:
            client.close()


def _is_closed(client: socket.socket) -> bool:
    client.settimeout(2)
    try:
        while client.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True
