"""Row 3: the algorithm is ours to choose."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from web.opening import BODY, SECRET, Opened


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha512"])
def test_a_right_signature_of_another_algorithm(door: Opened, algorithm: str) -> None:
    given = f"{algorithm}={hmac.new(SECRET.encode(), BODY, algorithm).hexdigest()}"
    assert door.webhook(X_Hub_Signature_256=None, X_Hub_Signature=given).status_code == 401
    assert door.webhook(X_Hub_Signature_256=given).status_code == 401


def test_the_old_header_counts_for_nothing(door: Opened) -> None:
    given = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert door.webhook(X_Hub_Signature_256=None, X_Hub_Signature=given).status_code == 401
    assert door.webhook(X_Hub_Signature="sha1=wrong").status_code == 202
