"""HTTP servers of the sandbox: threads, keep-alive, recorded calls, injected faults.

Used inside the sandbox only.
"""

import contextlib
import errno
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from packit_worker.sandbox.faults import Fault, Faults
from packit_worker.sandbox.recorder import Call, Recorder

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"
WITHOUT_BODY = {"204", "304"}


class DroppedConnection(ConnectionError):
    """The connection is to be closed without an answer."""


class _Answer:
    """A whole answer, collected before the first byte is sent."""

    def __init__(self) -> None:
        self.status = "500 Internal Server Error"
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def collect(self, app: "WSGIApplication", environ: "WSGIEnvironment") -> None:
        """Run `app` to its end."""
        chunks: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _: Any = None
        ) -> Callable[[bytes], Any]:
            self.status, self.headers = status, headers
            return chunks.append

        body: Iterable[bytes] = app(environ, start_response)
        try:
            chunks.extend(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        self.body = b"".join(chunks)

    def fill(self, status: str, payload: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Make it a JSON answer."""
        self.status = status
        self.body = json.dumps(payload).encode()
        self.headers = [("Content-Type", "application/json; charset=utf-8"), *(headers or {}).items()]


class _Handler(WSGIRequestHandler):
    """One connection. Sends an answer in one piece and keeps the connection open, as the real services do."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        _read_body(environ)
        answer = _Answer()
        try:
            answer.collect(self.server.app, environ)
        except DroppedConnection:
            self.close_connection = True
            _hang_up(self.connection)
            return
        self._send(answer)

    def _send(self, answer: _Answer) -> None:
        code, _, reason = answer.status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in answer.headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if code in WITHOUT_BODY:
            answer.body = b""
        else:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.command != "HEAD":
            self._headers_buffer.extend((b"\r\n", answer.body))
        else:
            self._headers_buffer.append(b"\r\n")
        try:
            self.flush_headers()
        except ConnectionError:
            self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Calls are recorded, not logged."""


class _ThreadedServer(ThreadedWSGIServer):
    """A server that can hang up on the connections clients keep open, and wait for its threads."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, app: "WSGIApplication") -> None:
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()
        super().__init__(HOST, port, app, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection in a thread of its own."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._open_lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that is done."""
        super().shutdown_request(request)
        with self._open_lock:
            self._open.pop(request, None)

    def hang_up(self) -> None:
        """Close all open connections and wait for their threads, two seconds at most for each."""
        with self._open_lock:
            still_open = list(self._open.items())
        for connection, _ in still_open:
            _hang_up(connection)
        for _, thread in still_open:
            thread.join(2)


def locked(app: "WSGIApplication", lock: threading.RLock) -> "WSGIApplication":
    """`app`, answering one request at a time: what it reads and writes belongs to `lock`."""

    def serve(environ: "WSGIEnvironment", start_response: Any) -> Iterable[bytes]:
        answer = _Answer()
        with lock:
            answer.collect(app, environ)
        start_response(answer.status, answer.headers)
        return [answer.body]

    return serve


class Server:
    """One named HTTP server on 127.0.0.1 in front of a WSGI application."""

    def __init__(
        self,
        name: str,
        app: "WSGIApplication",
        recorder: Recorder,
        faults: Faults,
        *,
        port: int = 0,
        prefix: str = "",
    ) -> None:
        """Bind the port (0: any free one). `prefix` is a path under which the same is served once more.

        Raises OSError for a port that is taken.
        """
        self.name = name
        self._app = app
        self._recorder = recorder
        self._faults = faults
        self._prefix = prefix
        self._stopping = threading.Event()
        try:
            self._server = _ThreadedServer(port, self._serve)
        except SystemExit:  # what werkzeug does about a port that is taken
            raise OSError(errno.EADDRINUSE, f"Port {port} is taken") from None
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to answer."""
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.5},
            name=f"sandbox-{self.name}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, hang up on everybody, free the port."""
        self._stopping.set()
        if self._thread is None:
            self._server.server_close()
            return
        shutdown = threading.Thread(target=self._server.shutdown, daemon=True)
        shutdown.start()
        while (
            shutdown.is_alive()
        ):  # a connection wakes the server up, so that it sees at once that it is to stop
            self._poke()
            shutdown.join(0.01)
        self._thread.join(2)
        self._server.hang_up()

    def _poke(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self._server.server_port), 1):
            return

    def _serve(self, environ: "WSGIEnvironment", start_response: Any) -> Iterable[bytes]:
        at, started = time.time(), time.monotonic()
        path = environ["PATH_INFO"]
        if self._prefix and (path + "/").startswith(self._prefix + "/"):
            path = path[len(self._prefix) :] or "/"
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = self._prefix, path
        method = environ["REQUEST_METHOD"]
        fault = self._faults.take(self.name, method, path)
        answer = _Answer()
        dropped = False
        try:
            dropped = self._answer(answer, fault, environ)
        finally:
            self._recorder.record(
                Call(
                    server=self.name,
                    method=method,
                    path=path,
                    query=environ.get("QUERY_STRING", ""),
                    status=0 if dropped else int(answer.status.split(" ", 1)[0]),
                    at=at,
                    seconds=time.monotonic() - started,
                    fault=fault.kind if fault else None,
                )
            )
        if dropped:
            raise DroppedConnection(self.name)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _answer(self, answer: _Answer, fault: Fault | None, environ: "WSGIEnvironment") -> bool:
        """Fill `answer`, with the fault if there is one. True if the connection is to be dropped instead."""
        if fault is None:
            answer.collect(self._app, environ)
            return False
        if fault.seconds and fault.kind != "delay_after":
            self._stopping.wait(fault.seconds)
        if fault.kind == "drop_before":
            return True
        if fault.kind == "status":
            answer.fill(f"{fault.status} Injected", _failure(fault.status))
        elif fault.kind == "rate_limit":
            status = "429 Too Many Requests" if fault.status == 429 else "403 Forbidden"
            answer.fill(status, PRIMARY_LIMIT, _limit_headers(fault.reset_seconds))
        elif fault.kind == "secondary_limit":
            status = "429 Too Many Requests" if fault.status == 429 else "403 Forbidden"
            answer.fill(status, SECONDARY_LIMIT, {"Retry-After": str(fault.reset_seconds)})
        else:
            answer.collect(self._app, environ)
            if fault.kind == "status_after":
                answer.fill(f"{fault.status} Injected", _failure(fault.status))
            elif fault.kind == "delay_after":
                self._stopping.wait(fault.seconds)
            return fault.kind == "drop_after_commit"
        return False


# The bodies of GitHub's limits: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
PRIMARY_LIMIT = {
    "message": "API rate limit exceeded for installation.",
    "documentation_url": "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
    "status": "403",
}
SECONDARY_LIMIT = {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    "documentation_url": "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
    "status": "403",
}


def _limit_headers(reset_seconds: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-used": "5000",
        "x-ratelimit-reset": str(int(time.time()) + reset_seconds),
        "x-ratelimit-resource": "core",
    }


def _failure(status: int) -> dict[str, Any]:
    """A body each of the clients finds its message in."""
    text = f"The sandbox was told to answer {status}"
    return {"message": text, "error": text, "status": str(status)}


def _read_body(environ: "WSGIEnvironment") -> None:
    """Take the whole body off the connection, so that the next request on it starts at its beginning."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read()
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
