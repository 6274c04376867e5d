"""The stand-in for the message bus: a numbered list of messages, read by long polling.

Used by tests, demo and control server.

``GET /messages?after=N&wait=SECONDS``
    ``{"messages": [{"number", "id", "topic", "body", "sent_at"}], "last": N}``: those with a number above N; waits up
    to SECONDS for one. Ask again with ``after`` = the ``last`` answered.
``POST /messages``
    ``{"topic", "body"}`` puts a message on the bus; with an ``id`` also one that was there before.
"""

import threading
import time
import uuid
from typing import Any

from flask import Flask, jsonify, request

from packit_worker.sandbox.clock import iso_now
from packit_worker.sandbox.page import show
from packit_worker.sandbox.recorder import Recorder

Message = dict[str, Any]
LONGEST_WAIT_SECONDS = 60.0

PAGE = """<h1>Messages</h1>{% for message in messages|reverse %}<div class="card"><div class="top">{{ message.number }}
<b>{{ message.topic }}</b> {{ message.sent_at }}</div><pre>{{ message.body|tojson(indent=1) }}</pre></div>
{% else %}<p class="soft">No messages yet.</p>{% endfor %}"""


class Bus:
    """Messages in order. All methods may be called from any thread."""

    def __init__(self, recorder: Recorder, stopping: threading.Event) -> None:
        self.url = ""
        self._recorder = recorder
        self._stopping = stopping
        self._condition = threading.Condition()
        self._messages: list[Message] = []
        self.wsgi = Flask(__name__)
        self._add_routes(self.wsgi)

    def reset(self) -> None:
        """Forget the messages. Numbers begin at 1 again."""
        with self._condition:
            self._messages.clear()
            self._condition.notify_all()

    def wake(self) -> None:
        """Let all who wait for messages go."""
        with self._condition:
            self._condition.notify_all()

    def publish(self, topic: str, body: dict[str, Any], id: str | None = None) -> Message:
        """Put a message on the bus."""
        with self._condition:
            message = {
                "number": len(self._messages) + 1,
                "id": id or str(uuid.uuid4()),
                "topic": topic,
                "body": body,
                "sent_at": iso_now(),
            }
            self._messages.append(message)
            self._condition.notify_all()
        return dict(message)

    def messages(self, after: int = 0, wait: float = 0.0) -> list[Message]:
        """The messages with a number above `after`; waits up to `wait` seconds for one."""
        deadline = time.monotonic() + min(wait, LONGEST_WAIT_SECONDS)
        with self._condition:
            while len(self._messages) <= after and not self._stopping.is_set():
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._condition.wait(left)
            return [dict(message) for message in self._messages[max(after, 0) :]]

    def _add_routes(self, app: Flask) -> None:
        @app.get("/messages")
        def read() -> Any:
            after = request.args.get("after", 0, int)
            found = self.messages(after, request.args.get("wait", 0.0, float))
            return jsonify(messages=found, last=found[-1]["number"] if found else after)

        @app.post("/messages")
        def inject() -> Any:
            sent = request.get_json(silent=True)
            if not isinstance(sent, dict) or not isinstance(sent.get("topic"), str):
                return jsonify(error="An object with a topic and a body is needed"), 400
            return jsonify(self.publish(sent["topic"], sent.get("body") or {}, sent.get("id"))), 201

        @app.get("/")
        def page() -> str:
            return show("Messages", "Messages", PAGE, messages=self.messages())
