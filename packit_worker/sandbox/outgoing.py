"""What the sandbox itself sends: webhooks and call-backs.

Used inside the sandbox only. Proxies of the environment are not used: receivers are on this machine.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

import requests

UNREACHABLE = 502


@dataclass(frozen=True)
class Answer:
    """How a receiver answered; status 502 if it could not be reached or took too long."""

    status_code: int
    text: str
    headers: dict[str, str]
    seconds: float

    def json(self) -> Any:
        """The body of the answer, read as JSON. Raises ValueError."""
        return json.loads(self.text)


def post(url: str, *, timeout: float, **content: Any) -> Answer:
    """POST once and wait `timeout` seconds at most; `content` is given to requests: data, json, headers."""
    started = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(url, timeout=timeout, allow_redirects=False, **content)
        except requests.RequestException as error:
            return Answer(UNREACHABLE, str(error), {}, time.monotonic() - started)
        seconds = time.monotonic() - started
        return Answer(response.status_code, response.text, dict(response.headers), seconds)
