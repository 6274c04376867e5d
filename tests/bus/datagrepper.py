"""A small datagrepper: answers ``/raw`` out of a list, as the real one does."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Datagrepper:
    """Serves ``messages`` while the context lasts. ``failures`` are statuses that are answered first."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.failures: list[int] = []
        self.asked: list[dict[str, list[str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                outer.asked.append(query)
                status = outer.failures.pop(0) if outer.failures else 200
                found = parts.path == "/datagrepper/raw"
                body = json.dumps(
                    outer.answer(query) if status == 200 and found else {"error": "no"}
                ).encode()
                self.send_response(status if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/datagrepper"

    def __enter__(self) -> Datagrepper:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def tell(self, id: str, topic: str, msg: Any, *, ago: float = 60.0) -> None:
        """A message that was on the bus ``ago`` seconds ago."""
        at = time.time() - ago
        self.messages.append(
            {"msg_id": id, "topic": topic, "msg": msg, "timestamp": at, "i": 1, "headers": {}}
        )

    def answer(self, query: dict[str, list[str]]) -> dict[str, Any]:
        start, end = float(query["start"][0]), float(query["end"][0])
        found = [
            one
            for one in self.messages
            if not isinstance(one, dict)
            or (one["topic"] in query["topic"] and start <= one["timestamp"] <= end)
        ]
        if query["order"] == ["asc"]:
            found.sort(key=lambda one: one["timestamp"] if isinstance(one, dict) else 0)
        rows, page = int(query["rows_per_page"][0]), int(query["page"][0])
        shown = found[(page - 1) * rows : page * rows]
        pages = -(-len(found) // rows)
        return {
            "raw_messages": shown,
            "total": len(found),
            "pages": pages,
            "count": len(shown),
            "arguments": {},
        }
