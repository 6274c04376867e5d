"""Testing Farm's client against the sandbox over HTTP: what it does, in how many calls, and how it fails."""

from __future__ import annotations

import pytest

from clients.statuses import STATUSES
from packit_worker import ports
from packit_worker.clients.testing_farm import MARKER_VARIABLE, TestingFarmClient
from packit_worker.errors import NotFound, Refused, TemporaryError, Unanswered
from packit_worker.ports import TestRequest, TestState
from packit_worker.sandbox import Sandbox

from .conftest import SLOW, TIMEOUT, calls

CALLBACK_TOKEN = "callback-canary-0123456789"


def wanted(marker: str = "run-17") -> TestRequest:
    body = {
        "test": {"fmf": {"url": "https://github.com/acme/tool", "ref": "main"}},
        "environments": [
            {
                "arch": "x86_64",
                "os": {"compose": "Fedora-Rawhide"},
                "artifacts": [{"type": "fedora-copr-build", "id": "17:fedora-rawhide-x86_64"}],
                "variables": {"HOW": "quickly"},
            }
        ],
    }
    return TestRequest(body=body, marker=marker)


def client(sandbox: Sandbox, token: str | None = None) -> TestingFarmClient:
    return TestingFarmClient(
        api_url=f"{sandbox.testing_farm.url}/v0.1",
        token=token or sandbox.testing_farm.token,
        server_url="https://worker.example/",
        callback_token=CALLBACK_TOKEN,
        timeout=TIMEOUT,
    )


@pytest.fixture
def farm(sandbox: Sandbox) -> TestingFarmClient:
    return client(sandbox)


def test_keeps_the_contract(sandbox: Sandbox) -> None:
    farm: ports.TestingFarm = client(sandbox)
    assert farm is not None and not sandbox.calls("testing_farm")


def test_a_request_from_order_to_result(sandbox: Sandbox, farm: TestingFarmClient) -> None:
    request = wanted()
    run = farm.request(request)
    assert run.state is TestState.NEW and run.overall is None
    assert calls(sandbox, "testing_farm") == ["POST /v0.1/requests"]
    (made,) = sandbox.testing_farm.requests
    assert made.environments[0]["variables"] == {"HOW": "quickly", MARKER_VARIABLE: "run-17"}
    assert made.notification == {
        "webhook": {"url": "https://worker.example/api/testing-farm/results", "token": CALLBACK_TOKEN}
    }
    assert request == wanted(), "the request itself stays as it was"

    sandbox.testing_farm.notify_states = set()
    sandbox.testing_farm.finish(run.id, "failed", summary="1 of 3 failed")
    sandbox.recorder.clear()
    done = farm.get_request(run.id)
    assert (done.state, done.overall, done.summary) == (TestState.COMPLETE, "failed", "1 of 3 failed")
    assert done.url == f"{sandbox.testing_farm.url}/artifacts/{run.id}"
    assert len(sandbox.calls("testing_farm")) == 1


@pytest.mark.parametrize("kind", ["drop_after_commit", "status_after"])
def test_a_request_without_an_answer_is_found(sandbox: Sandbox, farm: TestingFarmClient, kind: str) -> None:
    farm.request(wanted("run-16"))
    sandbox.faults.add("testing_farm", kind=kind, status=502, method="POST")
    with pytest.raises(Unanswered):
        farm.request(wanted())
    farm.request(wanted("run-18"))
    sandbox.recorder.clear()
    found = farm.find_request(wanted())
    assert found is not None and found.id == sandbox.testing_farm.requests[1].id
    assert calls(sandbox, "testing_farm") == ["GET /v0.1/requests"]
    assert farm.find_request(wanted("run-19")) is None


def test_cancel(sandbox: Sandbox, farm: TestingFarmClient) -> None:
    sandbox.testing_farm.notify_states = set()
    run = farm.request(wanted())
    farm.cancel_request(run.id)
    assert farm.get_request(run.id).state is TestState.CANCELED
    farm.cancel_request(run.id)
    with pytest.raises(NotFound):
        farm.cancel_request("none")


def test_what_the_api_says_about_a_wrong_request(farm: TestingFarmClient) -> None:
    body = {**wanted().body, "test": {"fmf": {"url": "https://github.com/acme/tool"}}}
    with pytest.raises(Refused) as caught:
        farm.request(TestRequest(body=body, marker="run-17"))
    assert caught.value.status == 422
    assert caught.value.answer == "Validation error; test.fmf.ref: field required"


def test_a_request_without_environments_is_a_mistake_of_ours(farm: TestingFarmClient) -> None:
    with pytest.raises(ValueError, match="environments"):
        farm.request(TestRequest(body={"test": {}}, marker="run-17"))


@pytest.mark.parametrize(("status", "reading", "writing"), STATUSES)
def test_statuses(
    sandbox: Sandbox,
    farm: TestingFarmClient,
    status: int,
    reading: type[Exception],
    writing: type[Exception],
) -> None:
    sandbox.faults.add("testing_farm", kind="status", status=status, times=2)
    with pytest.raises(reading) as caught:
        farm.get_request("some")
    assert type(caught.value) is reading
    with pytest.raises(writing) as caught:
        farm.request(wanted())
    assert type(caught.value) is writing


def test_slow_answers_and_no_second_sending(sandbox: Sandbox, farm: TestingFarmClient) -> None:
    sandbox.faults.add("testing_farm", kind="delay", seconds=SLOW, times=2)
    with pytest.raises(Unanswered, match="timed out"):
        farm.request(wanted())
    with pytest.raises(TemporaryError) as caught:
        farm.get_request("some")
    assert type(caught.value) is TemporaryError
    assert len(sandbox.testing_farm.requests) <= 1


def test_nobody_there() -> None:
    farm = TestingFarmClient(api_url="http://127.0.0.1:9/v0.1", token="x" * 20, timeout=TIMEOUT)
    with pytest.raises(TemporaryError, match="cannot be reached") as caught:
        farm.request(wanted())
    assert type(caught.value) is TemporaryError


def test_no_token_in_texts_or_logs(sandbox: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    farm = client(sandbox, "token-canary-0123456789")
    with pytest.raises(Refused, match="Not authorized") as caught:
        farm.request(wanted())
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r} {logged.text}"
    assert "v0.1/requests" in logged.text, "nothing was logged at all"
