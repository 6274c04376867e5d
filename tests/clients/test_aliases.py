"""Aliases against a small Bodhi over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from packit_worker.clients.aliases import GOOD_FOR, DistributionAliases
from packit_worker.clients.caching import RETRY_INTERVAL, Remembered
from packit_worker.errors import TemporaryError
from packit_worker.ports import Aliases


def release(version: str, state: str, prefix: str = "FEDORA") -> dict[str, Any]:
    epel = prefix == "FEDORA-EPEL"
    return {
        "name": f"EPEL-{version}" if epel else f"F{version}",
        "long_name": f"Fedora EPEL {version}" if epel else f"Fedora {version}",
        "version": version,
        "state": state,
        "branch": f"epel{version}" if epel else f"f{version}",
        "id_prefix": prefix,
    }


class Bodhi(ThreadingHTTPServer):
    """Answers ``/releases/`` in pages of two."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []
        self.broken = False
        self.releases = [
            release("73", "current"),
            release("72", "current"),
            release("74", "pending"),
            release("75", "pending"),
            release("9", "current", "FEDORA-EPEL"),
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Bodhi

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        body = json.dumps(
            {"releases": self.server.releases[2 * page - 2 : 2 * page], "page": page, "pages": 3}
        )
        self.send_response(503 if self.server.broken else 200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def bodhi() -> Iterator[Bodhi]:
    with Bodhi() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_the_releases_make_of_aliases(bodhi: Bodhi) -> None:
    aliases: Aliases = DistributionAliases({}, bodhi.url)
    assert aliases.expand("fedora-stable") == ("fedora-73", "fedora-72")
    assert aliases.expand("fedora-all") == ("fedora-rawhide", "fedora-74", "fedora-73", "fedora-72")
    assert aliases.expand("fedora-latest-stable") == ("fedora-73",)
    assert aliases.expand("epel-all") == ("epel-9",)
    assert aliases.expand("fedora-newest") is None
    assert len(bodhi.asked) == 3, "one call a page, once"


def test_overrides_and_plain_names_ask_nobody() -> None:
    aliases = DistributionAliases({"fedora-stable": ["fedora-17"]}, "http://127.0.0.1:9")
    assert aliases.expand("fedora-stable") == ("fedora-17",)
    for plain in ("fedora-43", "fedora-rawhide", "epel-10-x86_64", "centos-stream-10", "epel-10.1"):
        assert aliases.expand(plain) is None


@pytest.mark.parametrize("broken", [True, False])
def test_nothing_known_and_nobody_there(bodhi: Bodhi, broken: bool) -> None:
    bodhi.broken = broken
    if not broken:
        bodhi.releases = [{"name": "F73"}]
    with pytest.raises(TemporaryError):
        DistributionAliases({}, bodhi.url).expand("fedora-stable")


def test_what_was_known_is_used_while_nobody_is_there() -> None:
    now = [0.0]
    answers: Iterator[int | TemporaryError] = iter([1, TemporaryError("away"), 2])

    def fetch() -> int:
        answer = next(answers)
        if isinstance(answer, TemporaryError):
            raise answer
        return answer

    remembered = Remembered(fetch, seconds=GOOD_FOR, clock=lambda: now[0])
    assert remembered.get() == remembered.get() == 1
    now[0] = GOOD_FOR + 1
    assert remembered.get() == remembered.get() == 1
    now[0] += RETRY_INTERVAL + 1
    assert remembered.get() == 2
