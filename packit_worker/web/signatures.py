"""Who sent this: signatures of GitHub and Pagure over a body, tokens of GitLab and Testing Farm. Pure; for this folder.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.pagure.org/pagure/usage/using_webhooks.html
https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

#: The one algorithm. What the sender would like better is not asked.
PREFIX = b"sha256="
#: As many keys as a project can have: the present one and the one before.
MOST_KEYS = 2
#: Stands in for keys that a project has not; nobody knows it.
_NOBODYS_KEY = secrets.token_hex(32)


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


def refusal_of_pagure_signature(keys: Sequence[str], body: bytes, header: str | None) -> str | None:
    """Why ``header`` (X-Pagure-Signature-256) does not show that ``body`` is from who knows one of ``keys``.

    Like ``refusal_of_signature``. Words and time are the same for a project without keys as for a wrong key.
    """
    if not header:
        return "the header X-Pagure-Signature-256 is missing; a signature with SHA-1 is not taken"
    given = header.encode("utf-8", "surrogatepass")
    tried = [key or _NOBODYS_KEY for key in keys] + [_NOBODYS_KEY] * (MOST_KEYS - len(keys))
    # A list, as the first match must not end the comparing.
    matches = [
        hmac.compare_digest(given, hmac.new(key.encode(), body, hashlib.sha256).hexdigest().encode())
        for key in tried
    ]
    if not any(matches):
        return "the signature does not match: is this project known here, with the key of its settings on Pagure?"
    return None


def refusal_of_gitlab_token(keys: Sequence[str], places: int, header: str | None) -> str | None:
    """Why ``header`` (X-Gitlab-Token) is none of ``keys``, which belong to ``places`` or fewer; None if it is one.

    Like ``refusal_of_signature``. Words and time are the same for a project without keys as for a wrong token.
    """
    if not header:
        return "the header X-Gitlab-Token is missing: set a secret token in the settings of the webhook"
    given = header.encode("utf-8", "surrogatepass")
    tried = [key or _NOBODYS_KEY for key in keys] + [_NOBODYS_KEY] * (MOST_KEYS * places - len(keys))
    # A list, as the first match must not end the comparing.
    matches = [hmac.compare_digest(given, key.encode()) for key in tried]
    if not any(matches):
        return (
            "the token does not match: is the project that the body names known here, with this secret token?"
        )
    return None


def is_token(secret: str | None, given: Any) -> bool:
    """Whether ``given``, anything from a JSON body, is the secret. Takes the same time wherever they differ."""
    if not secret or not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
