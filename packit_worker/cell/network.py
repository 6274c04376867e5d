"""The way out of a jail: a proxy of ours on a unix socket, which lets chosen hosts through and nothing else.

``cell`` starts it; ``git`` uses ``public_addresses`` to pin where it clones from. Names are resolved here and once, so
that an answer that changes (DNS rebinding) changes nothing. What a host that is allowed serves, and what other names
live behind its address, is beyond this proxy.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import selectors
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Host and port -> the addresses it has. Raises OSError.
Resolve = Callable[[str, int], Sequence[str]]

_PORTS = (80, 443)
_HEAD, _CHUNK = 16 * 1024, 64 * 1024
#: Seconds: for a connection to be made, and without a byte in either direction.
_CONNECTING, _IDLE = 15.0, 120.0
_CONNECTIONS = 64
#: Public by its number, but answers about the machine itself: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_METADATA = frozenset({"168.63.129.16"})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class RefusedHost(Exception):
    """This host may not be talked to; the text says why and holds nothing secret."""


class Rules:
    """Which hosts may be talked to. An entry is ``host`` (ports 80 and 443) or ``host:port``.

    A private, local or metadata address is refused, whatever name it hides behind, unless ``address:port`` is an entry
    of its own.
    """

    def __init__(self, allow: Sequence[str]) -> None:
        self._allowed: set[tuple[str, int]] = set()
        self._exact: set[tuple[str, int]] = set()
        for entry in allow:
            host, port = _split(entry, None)
            if port is None:
                self._allowed |= {(host, number) for number in _PORTS}
            else:
                self._exact.add((host, port))
        self._allowed |= self._exact

    def addresses(self, host: str, port: int, resolve: Resolve, *, any_host: bool = False) -> list[str]:
        """The addresses at which this host may be talked to. Raises RefusedHost.

        With ``any_host`` somebody else has chosen the host, and only its addresses are looked at.
        """
        host = _normal(host)
        if not any_host and (host, port) not in self._allowed:
            raise RefusedHost("it is not among the hosts that are allowed")
        try:
            found = resolve(host, port)
        except OSError as error:
            raise RefusedHost(f"its name cannot be resolved ({error.strerror})") from error
        fit = [address for address in found if (address, port) in self._exact or is_public(address)]
        if not fit:
            raise RefusedHost("its address is private, local or the machine's own")
        return fit


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, looked at through addresses that carry others."""
    try:
        number: _Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address):
        carried = number.ipv4_mapped or number.sixtofour or (number.teredo or (None, None))[1]
        if number in _NAT64:
            carried = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        if carried is not None:
            number = carried
    return number.is_global and not number.is_multicast and str(number) not in _METADATA


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them, each once and in its order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Proxy:
    """An HTTP proxy on the unix socket ``path`` for as long as the context lasts: CONNECT, and plain HTTP."""

    def __init__(self, path: Path, allow: Sequence[str], *, resolve: Resolve = resolve) -> None:
        self._path = path
        self.rules = Rules(allow)
        self.resolve = resolve

    def __enter__(self) -> Proxy:
        self._server = _Server(str(self._path), _Connection)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        # Waits for its threads too: they see that they are to stop.
        self._server.closing.set()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = False
    request_queue_size = _CONNECTIONS
    proxy: Proxy

    def __init__(self, path: str, handler: type[_Connection]) -> None:
        super().__init__(path, handler)
        self.closing = threading.Event()
        self.free = threading.Semaphore(_CONNECTIONS)

    def handle_error(self, request: object, client_address: object) -> None:
        log.exception("a connection through the proxy of a jail failed")


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        if not self.server.free.acquire(blocking=False):
            self._answer("503 Service Unavailable", "packit_worker: too many connections\n")
            return
        try:
            self._serve()
        finally:
            self.server.free.release()

    def _serve(self) -> None:
        self.request.settimeout(_CONNECTING)
        try:
            head, rest = self._head()
            method, target, version = head[0].split(" ")
            host, port, first = _aim(method, target, version, head[1:])
        except (ValueError, OSError):
            self._answer("400 Bad Request")
            return
        try:
            addresses = self.server.proxy.rules.addresses(host, port, self.server.proxy.resolve)
        except RefusedHost as refusal:
            log.warning("a jail may not talk to %r port %s (%s): %s", host, port, method[:20], refusal)
            self._answer("403 Forbidden", f"packit_worker: {host} port {port} is refused: {refusal}\n")
            return
        far = self._connected(addresses, port)
        if far is None:
            self._answer("502 Bad Gateway", f"packit_worker: {host} port {port} cannot be reached\n")
            return
        with far, contextlib.suppress(OSError):
            if method == "CONNECT":
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            far.sendall(first + rest)
            self._carry(far)

    def _head(self) -> tuple[list[str], bytes]:
        """The lines of the request's head, and what was read behind it."""
        data = b""
        deadline = time.monotonic() + _CONNECTING
        while b"\r\n\r\n" not in data:
            more = self.request.recv(_CHUNK)
            data += more
            if not more or len(data) > _HEAD or time.monotonic() > deadline or self.server.closing.is_set():
                raise ValueError("no head of a request")
        head, _, rest = data.partition(b"\r\n\r\n")
        return head.decode("ascii").split("\r\n"), rest

    def _connected(self, addresses: Sequence[str], port: int) -> socket.socket | None:
        for address in addresses:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, port), timeout=_CONNECTING)
        return None

    def _carry(self, far: socket.socket) -> None:
        other = {self.request: far, far: self.request}
        with selectors.DefaultSelector() as selector:
            for one in other:
                selector.register(one, selectors.EVENT_READ)
            idle_from = time.monotonic()
            while selector.get_map() and not self.server.closing.is_set():
                ready = selector.select(0.2)
                if ready:
                    idle_from = time.monotonic()
                elif time.monotonic() - idle_from > _IDLE:
                    return
                for key, _ in ready:
                    end = key.fileobj
                    assert isinstance(end, socket.socket)
                    data = end.recv(_CHUNK)
                    if data:
                        other[end].sendall(data)
                    else:
                        selector.unregister(end)
                        other[end].shutdown(socket.SHUT_WR)

    def _answer(self, status: str, text: str = "") -> None:
        body = text.encode("ascii", "replace")
        fields = f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close"
        head = f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n"
        with contextlib.suppress(OSError):
            self.request.sendall(head.encode("ascii") + body)


def _aim(method: str, target: str, version: str, headers: list[str]) -> tuple[str, int, bytes]:
    """Host, port and what is sent there first. Raises ValueError."""
    if method == "CONNECT":
        host, port = _split(target, None)
        if port is None:
            raise ValueError("no port")
        return host, port, b""
    parts = urlsplit(target)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("only http:// goes through here without CONNECT")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    dropped = ("host:", "connection:", "proxy-", "keep-alive:")
    kept = [line for line in headers if not line.lower().startswith(dropped)]
    # One request a connection: the next could be meant for another host.
    lines = [
        f"{method} {path} {version}",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "Connection: close",
        *kept,
    ]
    return _normal(parts.hostname), parts.port or 80, ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _split(text: str, port: int | None) -> tuple[str, int | None]:
    """``host``, ``host:port``, ``[::1]:port`` or a bare IPv6 address. Raises ValueError."""
    if text.count(":") > 1 and not text.startswith("["):
        return _normal(text), port
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path or parts.username is not None:
        raise ValueError(f"{text!r} is no host")
    return _normal(parts.hostname), parts.port or port


def _normal(host: str) -> str:
    return host.rstrip(".").lower()
