"""Row 2: no header makes the door stumble."""

from __future__ import annotations

import http.client

import pytest
from web.opening import BODY, WEBHOOK, Opened, signed
from web.serving import Served

HEADERS = [
    *("sha256=é", "é", "sha256", "=", "sha256==", "sha256=" + "a" * 10_000, "sha256=\x00", "\x00"),
    *("sha256=" + "ÿ" * 64, "sha256=" + "\x80" * 64, "sha256=\t", "SHA256=" + "0" * 64),
]


@pytest.mark.parametrize("given", HEADERS)
def test_malformed_signatures(door: Opened, given: str) -> None:
    assert door.webhook(X_Hub_Signature_256=given).status_code == 401
    assert door.count() == 0


def test_malformed_signatures_on_the_wire(served: Served) -> None:
    for given in HEADERS:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
        connection.putrequest("POST", WEBHOOK)
        for name, value in (signed(BODY) | {"Content-Length": str(len(BODY))}).items():
            raw = given if name == "X-Hub-Signature-256" else value
            connection._buffer.append(name.encode() + b": " + raw.encode())  # type: ignore[attr-defined]
        connection.endheaders(BODY)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert 400 <= answer.status < 500, (given, answer.status)
