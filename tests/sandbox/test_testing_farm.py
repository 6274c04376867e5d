"""The stand-in for Testing Farm, driven by plain HTTP."""

import json
import time
from typing import Any

import pytest
import requests

from packit_worker.sandbox import Sandbox

from .receiving import receiver

TEST = {"fmf": {"url": "https://git.example.org/acme/hello", "ref": "main", "name": "/"}}
ENVIRONMENTS = [
    {
        "arch": "x86_64",
        "os": {"compose": "Fedora-43"},
        "artifacts": [{"type": "fedora-copr-build", "id": "1:fedora-43-x86_64"}],
    }
]


def call(
    sandbox: Sandbox, method: str, path: str = "", token: str | None = None, **options: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token or sandbox.testing_farm.token}"}
    return requests.request(
        method, f"{sandbox.testing_farm.url}/v0.1/requests{path}", headers=headers, timeout=5, **options
    )


def order(sandbox: Sandbox, **more: Any) -> str:
    answer = call(sandbox, "POST", json={"test": TEST, "environments": ENVIRONMENTS, **more})
    assert (answer.status_code, answer.json()["state"]) == (200, "new")
    number: str = answer.json()["id"]
    return number


def test_request_is_shown(sandbox: Sandbox) -> None:
    number = order(sandbox, notification={"webhook": {"url": "http://127.0.0.1:9/", "token": "secret"}})
    shown = call(sandbox, "GET", f"/{number}").json()
    assert (shown["state"], shown["result"], shown["environments_requested"]) == ("new", None, ENVIRONMENTS)
    assert shown["test"]["fmf"] == TEST["fmf"]
    assert shown["notification"] == {"webhook": {"url": "http://127.0.0.1:9/"}}
    assert "secret" not in json.dumps(shown)


@pytest.mark.parametrize("overall", ["passed", "failed", "error", "skipped"])
def test_results(sandbox: Sandbox, overall: str) -> None:
    number = order(sandbox)
    sandbox.testing_farm.finish(number, overall, summary="Well")
    shown = call(sandbox, "GET", f"/{number}").json()
    assert shown["state"] == ("error" if overall == "error" else "complete")
    assert (shown["result"]["overall"], shown["result"]["summary"]) == (overall, "Well")
    assert overall in shown["result"]["xunit"]
    assert requests.get(shown["run"]["artifacts"], timeout=5).status_code == 200


def test_call_back_is_repeated_until_taken(sandbox: Sandbox) -> None:
    sandbox.testing_farm.retry_seconds = (0.02, 0.02)
    with receiver(status=500) as (url, got):
        number = order(sandbox, notification={"webhook": {"url": url, "token": "secret"}})
        sandbox.testing_farm.finish(number)
        deadline = time.monotonic() + 5
        while len(sandbox.testing_farm.callbacks) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [json.loads(body) for _, body in got] == [{"request_id": number, "token": "secret"}] * 3
    assert {made.status for made in sandbox.testing_farm.callbacks} == {500}


def test_every_change_is_told(sandbox: Sandbox) -> None:
    with receiver() as (url, got):
        number = order(sandbox, notification={"webhook": {"url": url}})
        sandbox.testing_farm.start(number)
        sandbox.testing_farm.finish(number)
        sandbox.testing_farm.finish(number, "failed")
        deadline = time.monotonic() + 5
        while len(sandbox.testing_farm.callbacks) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [json.loads(body) for _, body in got] == [{"request_id": number}] * 2
    assert sandbox.testing_farm.request(number).history == ["new", "running", "complete"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({}, 422),
        ({"test": {}}, 422),
        ({"test": {"fmf": {"url": "http://x"}}}, 422),
        ({"test": {"fmf": {"url": "http://x", "ref": "m"}, "tmt": {"url": "http://x", "ref": "m"}}}, 422),
        ({"test": TEST, "environments": {}}, 422),
        ({"test": TEST, "environments": [{"os": {"compose": "Fedora-43"}}]}, 422),
        (
            {
                "test": TEST,
                "environments": [{"arch": "x86_64", "artifacts": [{"type": "fedora-copr-build"}]}],
            },
            422,
        ),
    ],
)
def test_refused_requests(sandbox: Sandbox, body: Any, status: int) -> None:
    answer = call(sandbox, "POST", json=body)
    assert (answer.status_code, "message" in answer.json()) == (status, True)
    assert sandbox.testing_farm.requests == []


def test_tokens_are_needed(sandbox: Sandbox) -> None:
    assert call(sandbox, "POST", token="wrong", json={"test": TEST}).status_code == 401
    assert call(sandbox, "GET", token="wrong").status_code == 401
    assert call(sandbox, "GET", "/unknown").status_code == 404


def test_list_and_cancel(sandbox: Sandbox) -> None:
    first, second = order(sandbox), order(sandbox)
    sandbox.testing_farm.finish(first)
    assert [one["id"] for one in call(sandbox, "GET").json()] == [second, first]
    assert [one["id"] for one in call(sandbox, "GET", params={"state": "complete"}).json()] == [first]
    created = sandbox.testing_farm.request(second).created
    assert [one["id"] for one in call(sandbox, "GET", params={"created_after": created}).json()] == [second]
    sandbox.testing_farm.users["other"] = "somebody"
    assert call(sandbox, "GET", token="other").json() == []

    assert call(sandbox, "DELETE", f"/{second}", token="other").status_code == 403
    assert call(sandbox, "DELETE", f"/{second}").json()["state"] == "canceled"
    assert call(sandbox, "DELETE", f"/{first}").status_code == 409


def test_requests_move_by_themselves(moving: Sandbox) -> None:
    moving.testing_farm.outcomes["1:fedora-43-x86_64"] = "failed"
    number = order(moving)
    deadline = time.monotonic() + 5
    while moving.testing_farm.request(number).state != "complete" and time.monotonic() < deadline:
        time.sleep(0.01)
    found = moving.testing_farm.request(number)
    assert (found.overall, found.history) == ("failed", ["new", "queued", "running", "complete"])


def test_composes(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.testing_farm.url}/v0.1/composes", timeout=5).json()
    assert {"name": "Fedora-Rawhide", "type": "compose"} in answer["composes"]
    assert requests.get(f"{sandbox.testing_farm.url}/v0.1/about", timeout=5).json()["api_version"] == "v0.1"
