"""How gunicorn serves the door: ``gunicorn --config python:packit_worker.web.serving packit_worker.web.wsgi:app``.

Many threads and short patience: a client that sends slowly holds a thread, never the service. Nobody imports this.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

#: The head of a request has to be here within so many seconds; for the body see ``body.READ_SECONDS``.
HEAD_SECONDS = 10.0

# Gunicorn's settings, by its names for them.
worker_class = "packit_worker.web.serving.DoorWorker"
workers = 1
threads = 64
timeout = 30
graceful_timeout = 20
keepalive = 5
loglevel = "warning"


class DoorWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's threads, with an end to waiting for the head of a request, for which they would wait for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading_since: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """Read a request from a connection and answer it. Runs in a thread of the pool."""
        self._reading_since[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._reading_since.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head is here."""
        self._reading_since.pop(conn, None)
        return super().handle_request(req, conn)

    def murder_keepalived(self, *args: Any, **kwargs: Any) -> None:
        """Called about every second by the main thread: cuts off whoever has been sending a head for too long."""
        super().murder_keepalived(*args, **kwargs)
        latest = time.monotonic() - HEAD_SECONDS
        for conn, since in list(self._reading_since.items()):
            if since < latest:
                # The thread that reads gets the end of the stream, and cleans up by itself.
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)
