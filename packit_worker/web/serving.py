"""How gunicorn serves the door: ``gunicorn --config python:packit_worker.web.serving packit_worker.web.wsgi:app``.

Many threads and short patience: a client that sends slowly holds a thread, never the service. Nobody imports this.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from packit_worker.web.body import BODY_IS_HERE, READ_SECONDS

# Gunicorn's settings, by its names for them.
worker_class = "packit_worker.web.serving.DoorWorker"
workers = 1
threads = 64
timeout = 30
graceful_timeout = 20
keepalive = 5
loglevel = "warning"


class DoorWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's threads, with an end to waiting for a request: by themselves they would wait for ever."""

    wsgi: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: By thread: since when it reads, and from which connection.
        self._reading: dict[int, tuple[float, Any]] = {}

    def load_wsgi(self) -> None:
        """Load the application, and let it say when it has read a body."""
        super().load_wsgi()
        app = self.wsgi

        def telling(environ: dict[str, Any], start_response: Any) -> Any:
            environ[BODY_IS_HERE] = self._has_read
            return app(environ, start_response)

        self.wsgi = telling

    def handle(self, conn: Any) -> Any:
        """Read a request from a connection and answer it. Runs in a thread of the pool."""
        self._reading[threading.get_ident()] = time.monotonic(), conn
        try:
            return super().handle(conn)
        finally:
            self._has_read()

    def murder_keepalived(self, *args: Any, **kwargs: Any) -> None:
        """Called about every second by the main thread: cuts off whoever has been sending for too long."""
        super().murder_keepalived(*args, **kwargs)
        latest = time.monotonic() - READ_SECONDS
        for since, conn in list(self._reading.values()):
            if since < latest:
                # The thread that reads gets the end of the stream, and cleans up by itself.
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)

    def _has_read(self) -> None:
        self._reading.pop(threading.get_ident(), None)
