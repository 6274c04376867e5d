"""Row 4: nothing that is written or answered tells the right signature."""

from __future__ import annotations

import logging

import pytest
from web.opening import BODY, SECRET, WEBHOOK, Opened, signature
from web.serving import Served

DIGEST = signature(BODY).removeprefix("sha256=")


def test_neither_log_nor_answer_holds_a_digest(door: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = ""
    for given in ("sha256=" + "0" * 64, "sha256=é", None, "sha1=0", DIGEST, DIGEST[:-1]):
        answers += door.webhook(X_Hub_Signature_256=given).text
    assert "a webhook was refused" in caplog.text
    for secret in (DIGEST, DIGEST[:16], SECRET):
        assert secret not in caplog.text
        assert secret not in answers


def test_neither_does_the_log_of_the_server(served: Served) -> None:
    import requests

    for given in ("sha256=" + "0" * 64, "sha1=0"):
        headers = {"X-Hub-Signature-256": given, "Content-Type": "application/json"}
        assert requests.post(served.url + WEBHOOK, data=BODY, headers=headers, timeout=5).status_code == 401
    written = served.log.read_text()
    assert DIGEST not in written
    assert SECRET not in written
