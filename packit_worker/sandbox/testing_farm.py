"""The stand-in for Testing Farm: requests that move by themselves or when told.

Used by tests, demo and control server.

Source: https://api.testing-farm.io/ (API v0.1) and https://docs.testing-farm.io (notification webhooks): whenever the
state of a request changes, ``{"request_id", "token"}`` is posted to its ``notification.webhook.url``.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from flask import Flask

from packit_worker.sandbox import testing_farm_api
from packit_worker.sandbox.clock import precise_now
from packit_worker.sandbox.outgoing import post
from packit_worker.sandbox.recorder import Recorder, canonical
from packit_worker.sandbox.scheduler import Scheduler
from packit_worker.sandbox.server import locked
from packit_worker.sandbox.testing_farm_api import FINISHED, RequestError

TOKEN = "sandbox-testing-farm-token"
OVERALL = ("passed", "failed", "error", "skipped", "unknown")
CALLBACK_TIMEOUT_SECONDS = 10


@dataclass
class Request:
    """A request to test. `environments` and `test` are as asked for."""

    id: str
    user: str
    test: dict[str, Any]
    environments: list[dict[str, Any]]
    notification: dict[str, Any]
    settings: dict[str, Any]
    state: str = "new"
    overall: str = "unknown"
    summary: str | None = None
    xunit: str | None = None
    created: str = field(default_factory=precise_now)
    updated: str = field(default_factory=precise_now)
    history: list[str] = field(default_factory=lambda: ["new"])


@dataclass(frozen=True)
class Callback:
    """One attempt to tell about a change; status 502 if nobody could be reached."""

    request_id: str
    state: str
    url: str
    status: int


class TestingFarm:
    """A Testing Farm. All methods may be called from any thread."""

    __test__ = False
    token = TOKEN

    def __init__(
        self, recorder: Recorder, scheduler: Scheduler, *, auto: bool = True, test_seconds: float = 1.0
    ) -> None:
        self.url = ""
        self.recorder = recorder
        self.auto = auto
        self.test_seconds = test_seconds
        self.lock = threading.RLock()
        self.outcomes: dict[str, str] = {}
        """For auto mode: compose, artifact id, or test URL -> an overall result, ``error`` or ``stuck``."""
        self.retry_seconds: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)
        """How long to wait before each further attempt to call back."""
        self.notify_states: set[str] = {"running", "complete", "error", "canceled"}
        """The changes that are told."""
        self._scheduler = scheduler
        self.users: dict[str, str] = {}
        self._requests: dict[str, Request] = {}
        self.callbacks: list[Callback] = []
        app = Flask(__name__)
        app.json.sort_keys = False  # type: ignore[attr-defined]
        testing_farm_api.add_routes(app, self)
        self.wsgi = locked(app, self.lock)
        self.reset()

    def reset(self) -> None:
        """Empty again; the address and the sandbox's own token stay."""
        with self.lock:
            self.users = {TOKEN: "packit"}
            self._requests = {}
            self.outcomes.clear()
            self.callbacks = []

    @property
    def requests(self) -> list[Request]:
        """All requests, oldest first."""
        with self.lock:
            return list(self._requests.values())

    def request(self, request_id: str) -> Request:
        """One request. Raises RequestError 404."""
        with self.lock:
            if request_id not in self._requests:
                raise RequestError(404, "No such entity")
            return self._requests[request_id]

    def create(self, user: str, sent: dict[str, Any]) -> Request:
        """A new request from a validated body, which in auto mode will run."""
        settings = {
            key: value
            for key, value in sent.items()
            if key not in ("test", "environments", "notification", "api_key")
        }
        request = Request(
            id=str(uuid.uuid4()),
            user=user,
            test=sent["test"],
            environments=sent.get("environments") or [],
            notification=sent.get("notification") or {},
            settings=settings,
        )
        with self.lock:
            self._requests[request.id] = request
            self.recorder.count(
                "tf_request", canonical({"test": request.test, "environments": request.environments})
            )
        if self.auto:
            self._scheduler.after(0, lambda: self._move(request, "queued"))
            self._scheduler.after(self.test_seconds / 3, lambda: self._move(request, "running"))
            self._scheduler.after(self.test_seconds, lambda: self._end(request))
        return request

    def start(self, request_id: str) -> None:
        """Let the tests run. Nothing happens if they did before. Raises RequestError 404."""
        self._move(self.request(request_id), "running")

    def finish(
        self,
        request_id: str,
        overall: str = "passed",
        *,
        summary: str | None = None,
        state: str | None = None,
    ) -> None:
        """End a request with an overall result and call back. Nothing happens if it has ended.

        `state` is ``error`` for the overall result ``error`` and ``complete`` otherwise, unless given.
        Raises RequestError 404, and ValueError for an unknown result.
        """
        if overall not in OVERALL:
            raise ValueError(f"Unknown result {overall!r}; known are {', '.join(OVERALL)}")
        request = self.request(request_id)

        def result() -> None:
            request.overall = overall
            request.summary = summary
            request.xunit = _xunit(request, overall)

        self._move(request, state or ("error" if overall == "error" else "complete"), result)

    def cancel(self, request_id: str) -> Request:
        """Cancel a request. Raises RequestError: 404, or 409 if it has ended."""
        with self.lock:
            request = self.request(request_id)
            if request.state in FINISHED:
                raise RequestError(409, f"Request in state '{request.state}' cannot be canceled")
            self._move(request, "canceled")
            return request

    def call_back(self, request_id: str) -> None:
        """Tell about a request once more, as if its state had changed."""
        self._notify(self.request(request_id))

    def _end(self, request: Request) -> None:
        keys = [request.test.get(kind, {}).get("url") for kind in ("fmf", "tmt") if request.test.get(kind)]
        for environment in request.environments:
            keys.append((environment.get("os") or {}).get("compose"))
            keys.extend(artifact.get("id") for artifact in environment.get("artifacts") or [])
        outcome = next((self.outcomes[key] for key in keys if key in self.outcomes), "passed")
        if outcome != "stuck":
            self.finish(request.id, outcome)

    def _move(self, request: Request, state: str, change: Callable[[], None] | None = None) -> None:
        with self.lock:
            if request.state in (*FINISHED, state) or request.id not in self._requests:
                return
            if change is not None:
                change()
            request.state, request.updated = state, precise_now()
            request.history.append(state)
        if state in self.notify_states:
            self._notify(request)

    def _notify(self, request: Request) -> None:
        webhook = request.notification.get("webhook") or {}
        if webhook.get("url"):
            state = request.state
            self._scheduler.spawn(lambda: self._call(request.id, state, webhook["url"], webhook.get("token")))

    def _call(self, request_id: str, state: str, url: str, token: str | None) -> None:
        """Post the call-back until it is answered with a success."""
        body = {"request_id": request_id} | ({"token": token} if token is not None else {})
        for wait in (0.0, *self.retry_seconds):
            if self._scheduler.stopping.wait(wait):
                return
            status = post(url, json=body, timeout=CALLBACK_TIMEOUT_SECONDS).status_code
            with self.lock:
                self.callbacks.append(Callback(request_id, state, url, status))
            if 200 <= status < 300:
                return


def _xunit(request: Request, overall: str) -> str:
    suites = "".join(
        f'<testsuite name={quoteattr(str(env.get("arch")))} result={quoteattr(overall)} tests="1">'
        f'<testcase name="/smoke" result={quoteattr(overall)}/></testsuite>'
        for env in request.environments or [{"arch": "x86_64"}]
    )
    return f"<testsuites overall-result={quoteattr(overall)}>{suites}</testsuites>"
