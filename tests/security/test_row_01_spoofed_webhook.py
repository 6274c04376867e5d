"""Row 1: only who knows the secret is heard, and nothing is parsed before that is known."""

from __future__ import annotations

import random
import string

import pytest
from web.opening import BODY, SECRET, WEBHOOK, Opened, opened, signature, signed

from packit_worker.journal import Journal
from packit_worker.web.signatures import refusal_of_signature

#: From GitHub's "Validating webhook deliveries".
VECTOR = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_the_example_of_the_documentation_passes() -> None:
    assert refusal_of_signature(SECRET, b"Hello, World!", VECTOR) is None


def test_one_flipped_bit_anywhere(door: Opened) -> None:
    headers = signed(BODY)
    for place in range(len(BODY)):
        flipped = bytearray(BODY)
        flipped[place] ^= 1
        assert door.client.post(WEBHOOK, data=bytes(flipped), headers=headers).status_code == 401
    assert door.count() == 0


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        " ",
        "sha256=",
        "sha256",
        signature(BODY, "another key"),
        signature(BODY).upper(),
        signature(BODY)[:-1],
        signature(BODY) + "0",
        signature(BODY).replace("sha256=", ""),
        signature(BODY).replace("sha256", "sha1"),
        signature(BODY) + "," + signature(BODY),
        signature(b""),
        "sha1=" + "0" * 40,
    ],
)
def test_headers_that_do_not_prove_it(door: Opened, given: str | None) -> None:
    answer = door.webhook(X_Hub_Signature_256=given)
    assert answer.status_code == 401
    assert door.count() == 0


def test_two_hundred_random_headers(door: Opened) -> None:
    chance = random.Random(1)
    alphabet = string.printable.replace("\n", "").replace("\r", "") + "éÿ\x00\x7f"
    for _ in range(200):
        given = "".join(chance.choices(alphabet, k=chance.randrange(120)))
        assert door.webhook(X_Hub_Signature_256=chance.choice(["", "sha256="]) + given).status_code == 401
    assert door.count() == 0


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 400_000, b"", b"[]"])
def test_nothing_is_parsed_for_a_stranger(door: Opened, body: bytes) -> None:
    """Each of these bodies is answered with 400 as soon as somebody parses it."""
    assert door.webhook(body, X_Hub_Signature_256=signature(body, "another key")).status_code == 401
    assert door.webhook(body, X_Hub_Signature_256=None, Content_Type="text/plain").status_code == 401
    assert door.webhook(body).status_code == 400


def test_without_a_secret_nobody_is_heard(sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Serving refuses to start then; see the tests of the start. This is the second lock."""
    door = opened(Journal(sqlite_url), tmp_path_factory.mktemp("data"), github={})
    for given in (signature(BODY, "None"), "sha256=", None):
        assert door.webhook(X_Hub_Signature_256=given).status_code == 401
    assert refusal_of_signature("", BODY, signature(BODY, "")) is not None
    assert door.count() == 0
    door.journal.dispose()
