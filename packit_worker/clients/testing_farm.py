"""Testing Farm behind ``ports.TestingFarm``, over its API v0.1. Imported by ``services`` only.

https://api.dev.testing-farm.io/redoc
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from packit_worker.clients import http_errors
from packit_worker.clients.budget import Budget
from packit_worker.clients.http import Http
from packit_worker.errors import Refused
from packit_worker.ports import TestRequest, TestRun, TestState

SYSTEM = "Testing Farm"
CALLBACK_PATH = "/api/testing-farm/results"
#: The variable of a request's environments that holds our marker. ``environments[].variables`` is documented with the
#: operation "Request a new test": https://api.dev.testing-farm.io/redoc#operation/request_a_new_test_v0_1_requests_post.
#: The tests see it; it is no secret.
MARKER_VARIABLE = "PACKIT_WORKER_KEY"
#: Days back in which a request without an answer is looked for.
LOOKED_BACK = 1


class TestingFarmClient:
    """One Testing Farm. Safe to use from several threads.

    ``api_url`` ends with the version (``.../v0.1``); ``server_url`` is ours, where news go to with ``callback_token``;
    ``timeout`` is in seconds.
    """

    __test__ = False

    def __init__(
        self,
        *,
        api_url: str,
        token: str,
        server_url: str | None = None,
        callback_token: str | None = None,
        timeout: float = 30.0,
        budget: Budget | None = None,
    ) -> None:
        secrets = tuple(secret for secret in (token, callback_token) if secret)
        self._http = Http(SYSTEM, api_url, timeout=timeout, secrets=secrets, words=_words, budget=budget)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._server_url = server_url
        self._callback_token = callback_token

    def request(self, request: TestRequest) -> TestRun:
        """Ask for tests. One call. Raises ValueError for a body without environments: the marker has no place then."""
        body = dict(request.body)
        environments = body.get("environments")
        if not isinstance(environments, list) or not environments:
            raise ValueError("A request for tests needs environments")
        body["environments"] = [_marked(environment, request.marker) for environment in environments]
        if self._server_url:
            webhook = {"url": self._server_url.rstrip("/") + CALLBACK_PATH}
            if self._callback_token:
                webhook["token"] = self._callback_token
            body["notification"] = {"webhook": webhook}
        answer = self._http.json("POST", "requests", write=True, json=body, headers=self._headers)
        return _run(answer, write=True)

    def find_request(self, request: TestRequest) -> TestRun | None:
        """The request that was made with this marker, if it is of today or yesterday. One call."""
        since = (datetime.now(UTC) - timedelta(days=LOOKED_BACK)).strftime("%Y-%m-%d")
        listed = self._http.json(
            "GET", "requests", write=False, params={"created_after": since}, headers=self._headers
        )
        found = [answer for answer in listed or () if request.marker in _markers(answer)]
        newest = max(found, key=lambda answer: str(answer.get("created")), default=None)
        return _run(newest, write=False) if newest is not None else None

    def get_request(self, request_id: str) -> TestRun:
        """A request with its result. One call. Raises NotFound."""
        answer = self._http.json("GET", _path(request_id), write=False, headers=self._headers)
        return _run(answer, write=False)

    def cancel_request(self, request_id: str) -> None:
        """Cancel a request. One call; two for one that is final, which stays as it is."""
        try:
            self._http.call("DELETE", _path(request_id), write=True, headers=self._headers)
        except Refused:
            if not self.get_request(request_id).state.is_final:
                raise


def _path(request_id: str) -> str:
    return f"requests/{quote(request_id, safe='')}"


def _marked(environment: Mapping[str, Any], marker: str) -> dict[str, Any]:
    variables = dict(environment.get("variables") or {})
    return {**environment, "variables": {**variables, MARKER_VARIABLE: marker}}


def _markers(answer: Mapping[str, Any]) -> set[str]:
    environments: Iterable[Any] = answer.get("environments_requested") or answer.get("environments") or ()
    return {(environment.get("variables") or {}).get(MARKER_VARIABLE, "") for environment in environments}


def _run(answer: Any, *, write: bool) -> TestRun:
    try:
        result = answer.get("result") or {}
        run = answer.get("run") or {}
        return TestRun(
            id=str(answer["id"]),
            state=TestState(answer["state"]),
            overall=result.get("overall"),
            summary=result.get("summary") or _trouble(answer),
            url=run.get("artifacts"),
        )
    except (AttributeError, KeyError, ValueError) as error:
        raise http_errors.from_nonsense(repr(error), system=SYSTEM, write=write) from error


def _trouble(answer: Mapping[str, Any]) -> str | None:
    """What went wrong, of a request that ended without a result."""
    notes = [str(note.get("message")) for note in answer.get("notes") or () if note.get("message")]
    return "; ".join(notes) or None


def _words(body: Any) -> str:
    """The message of an error. Of wrong fields only where and what is wrong: their values may hold our token."""
    said = body.get("message") or ""
    wrong = body.get("errors") or body.get("detail")
    if isinstance(wrong, str):
        return f"{said}; {wrong}" if said else wrong
    if isinstance(wrong, Mapping):
        reasons = [f"{field}: {why}" for field, why in wrong.items()]
    else:
        reasons = [f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg', '')}" for one in wrong or ()]
    return "; ".join([said, *reasons] if said else reasons)
