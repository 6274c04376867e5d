"""Who sent this: GitHub's signature over a body, and the token of Testing Farm. Pure; used by the doors of this folder.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

#: The one algorithm. What the sender would like better is not asked.
PREFIX = b"sha256="


def refusal_of_signature(secret: str | None, body: bytes, header: str | None) -> str | None:
    """Why ``header`` (X-Hub-Signature-256) does not show that ``body`` is from who knows ``secret``; None if it does.

    The words tell nothing that the sender does not know, so they can be sent and logged. Never raises.
    """
    if not secret:
        return "no secret is configured here to check the signature with"
    if not header:
        return "the header X-Hub-Signature-256 is missing: set a secret in the App's settings"
    given = header.encode("utf-8", "surrogatepass")
    if not given.startswith(PREFIX):
        return "the header X-Hub-Signature-256 has to be sha256=<hex digits>"
    wanted = PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
    # Bytes, as compare_digest raises TypeError for text beyond ASCII.
    if not hmac.compare_digest(given, wanted):
        return "the signature does not match the body: is the secret here that of the App's settings?"
    return None


def is_token(secret: str | None, given: Any) -> bool:
    """Whether ``given``, anything from a JSON body, is the secret. Takes the same time wherever they differ."""
    if not secret or not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
