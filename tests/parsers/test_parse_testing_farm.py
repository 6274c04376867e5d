"""Testing Farm: the call-back of today, the result of 2020, and the secret that neither passes on."""

from __future__ import annotations

from typing import Any

import pytest

from events.testing_farm import TestingFarmResultEvent

SECRET = "open-sesame"
RESULT: dict[str, Any] = {
    "token": SECRET,
    "pipeline": {"id": "614d240a-1e27"},
    "result": "passed",
    "message": "All good",
    "url": "https://console.example/pipeline/614d240a-1e27?tab=log#end",
    "environment": {"image": "Fedora-40"},
    "artifact": {
        "commit-sha": "687abc76d67d",
        "copr-chroot": "fedora-40-x86_64",
        "copr-repo-name": "packit/teapots-kettle-3",
        "git-ref": "main",
        "git-url": "https://github.com/teapots/kettle.git",
        "repo-name": "kettle",
        "repo-namespace": "teapots",
    },
    "tests": [{"name": "/smoke", "result": "passed"}, {"name": "/boil", "result": "failed", "log": None}],
}


def test_call_back(event_of):
    event = event_of(
        "testing-farm", None, {"request_id": "129bd474-e4d3", "token": SECRET, "source": "testing-farm"}
    )
    assert event == TestingFarmResultEvent(pipeline_id="129bd474-e4d3")
    assert SECRET not in str(event.facts())


def test_result_of_2020(event_of):
    event = event_of("testing-farm", None, RESULT)
    assert event == TestingFarmResultEvent(
        pipeline_id="614d240a-1e27",
        result="passed",
        message="All good",
        log_url="https://console.example/pipeline/614d240a-1e27?tab=log#end",
        copr_repo_name="packit/teapots-kettle-3",
        copr_chroot="fedora-40-x86_64",
        repo_namespace="teapots",
        repo_name="kettle",
        git_ref="main",
        project_url="https://github.com/teapots/kettle",
        commit_sha="687abc76d67d",
        tests="/smoke,/boil",
    )
    assert SECRET not in str(event.facts())


@pytest.mark.parametrize("event_type", [None, "", "anything"])
def test_there_is_one_kind_only(event_of, event_type):
    assert event_of("testing-farm", event_type, RESULT).result == "passed"


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"result": "failed"}, "failed"),
        ({"result": "error"}, "error"),
        ({"result": "needs_inspection"}, "needs_inspection"),
        ({"result": ...}, "error"),
        ({"result": None}, "error"),
        ({"result": "", "artifact": None, "tests": None, "url": None}, "error"),
        ({"result": ..., "message": None}, None),
    ],
)
def test_result(event_of, changed, changes, result):
    assert event_of("testing-farm", None, changed(RESULT, changes)).result == result


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"pipeline": ...}, "pipeline.id: is missing or null"),
        ({"pipeline.id": "../../admin"}, "pipeline.id: is no identifier"),
        ({"pipeline.id": 12}, "pipeline.id: is int, not str"),
        ({"result": {"overall": "passed"}}, "result: is dict, not str"),
        (
            {"artifact.git-url": "https://me:secret@github.com/a/b"},
            "artifact.git-url: is no address of a project's page",
        ),
        ({"url": "javascript:alert(1)"}, "url: is no web address"),
        ({"tests": [None]}, "tests.0: is missing or null"),
    ],
)
def test_malformed(refusal_of, changed, changes, why):
    assert refusal_of("testing-farm", None, changed(RESULT, changes)).malformed == why


def test_answer_of_the_api_is_no_call_back(refusal_of):
    answer = {"id": "129bd474-e4d3", "state": "complete", "result": {"overall": "passed", "summary": None}}
    assert refusal_of("testing-farm", None, answer).malformed == "pipeline.id: is missing or null"
