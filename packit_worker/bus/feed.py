"""The reader of a local message feed, where there is no bus: ``python -m packit_worker.bus.feed``. For the sandbox.

``GET <feed_url>/messages?after=N&wait=20`` answers ``{"messages": [{"id", "topic", "body", "sent_at"}], "last": N}``.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import requests
from fedora_messaging.exceptions import Nack
from fedora_messaging.message import Message

from packit_worker import logs
from packit_worker.bus.consumer import Consumer
from packit_worker.config.service import load_service_config

log = logging.getLogger(__name__)

#: Seconds that the feed is asked to wait for a message, and that its answer is waited for beyond that.
WAIT = 20
_TIMEOUT = (5, WAIT + 10)
#: Seconds before the feed is tried again; doubled up to the second.
_PAUSES = (0.2, 5.0)


class Feed:
    """Hands the messages of a feed to a callback, one after another, until it is stopped."""

    def __init__(self, url: str, callback: Callable[[Message], None], *, wait: float = WAIT) -> None:
        self._url = url.rstrip("/") + "/messages"
        self._callback = callback
        self._wait = wait
        self._after = 0
        self._is_stopping = False
        self._is_idle = False

    def run(self) -> None:
        """Read until ``stop``. A feed that is away is waited for."""
        pause = _PAUSES[0]
        with requests.Session() as session:
            while not self._is_stopping:
                try:
                    self._read(session)
                    pause = _PAUSES[0]
                except (requests.RequestException, ValueError, KeyError, TypeError) as error:
                    log.warning("the feed does not answer: %s", error)
                    # It may count from one when it comes back; what was read before is known by its id.
                    self._after = 0
                    self._rest(pause)
                    pause = min(2 * pause, _PAUSES[1])
                except Nack:
                    # The callback has waited already. What was not taken comes again.
                    log.info("a message was not taken; it is read again")

    def stop(self, *_: object) -> None:
        """End after the message at hand; also a signal handler."""
        self._is_stopping = True
        if self._is_idle:
            # Only waiting for the feed: nothing is lost by ending in the middle of that.
            raise SystemExit(0)

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT end the reader."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)

    def _read(self, session: requests.Session) -> None:
        self._is_idle = True
        try:
            parameters: dict[str, float] = {"after": self._after, "wait": self._wait}
            response = session.get(self._url, params=parameters, timeout=_TIMEOUT)
            response.raise_for_status()
            answer = response.json()
        finally:
            self._is_idle = False
        for sent in answer["messages"]:
            if self._is_stopping:
                return
            self._callback(_message(sent))
            self._after = sent.get("number", self._after)
        self._after = answer["last"]

    def _rest(self, seconds: float) -> None:
        self._is_idle = True
        try:
            time.sleep(seconds)
        finally:
            self._is_idle = False


def _message(sent: dict[str, Any]) -> Message:
    message = Message(topic=sent["topic"], body=sent["body"])
    message.id = sent["id"]
    if sent.get("sent_at"):
        message._headers["sent-at"] = sent["sent_at"]
    return message


def main() -> None:
    """Read the configured feed until SIGTERM."""
    settings = load_service_config()
    logs.setup(settings.secrets())
    if not settings.bus.feed_url:
        sys.exit("there is no feed to read: set bus.feed_url")
    feed = Feed(settings.bus.feed_url, Consumer())
    feed.stop_on_signals()
    log.info("reading %s", settings.bus.feed_url)
    feed.run()


if __name__ == "__main__":
    main()
