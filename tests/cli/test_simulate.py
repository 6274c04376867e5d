"""`packit-worker simulate`: what a message would lead to, as the live pipeline decides it, and nothing done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

CONFIG = """\
specfile_path: hello.spec
jobs:
  - {job: copr_build, trigger: pull_request, targets: [fedora-43, fedora-44]}
  - {job: tests, trigger: pull_request, targets: [fedora-43]}
  - {job: copr_build, trigger: commit, branch: main, targets: [fedora-43]}
"""
PULL = {
    "action": "opened",
    "number": 7,
    "installation": {"id": 1},
    "sender": {"login": "alice"},
    "repository": {
        "full_name": "acme/hello",
        "name": "hello",
        "owner": {"login": "acme"},
        "html_url": "https://github.com/acme/hello",
        "private": False,
    },
    "pull_request": {
        "number": 7,
        "user": {"login": "alice"},
        "head": {
            "sha": "c" * 40,
            "ref": "fix",
            "repo": {"name": "hello", "owner": {"login": "alice"}, "full_name": "alice/hello"},
        },
        "base": {"ref": "main", "repo": {"name": "hello", "owner": {"login": "acme"}}},
    },
}


@pytest.fixture
def simulated(run: Run, tmp_path: Path) -> Any:
    """Simulate a pull request with a configuration and more options; the JSON of its event."""

    def simulated(config: str, *options: str, payload: Any = PULL, status: int = 0) -> Any:
        (tmp_path / "project").mkdir(exist_ok=True)
        (tmp_path / "project" / "hello.spec").touch()
        path = tmp_path / "project" / ".packit.yaml"
        path.write_text(config)
        result = run(
            *("simulate", "--package-config", str(path), "--type", "pull_request"),
            *("--payload", "-", "--json", *options),
            input=json.dumps(payload),
        )
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    return simulated


def names(found: Any) -> list[str]:
    return [check["name"] for check in found["checks"]]


def test_a_pull_request(simulated: Any) -> None:
    found = simulated(CONFIG)
    assert [run["handler"] for run in found["runs"]] == ["PullRequestCoprBuildHandler"]
    assert set(names(found)) == {
        "rpm-build:fedora-43-x86_64",
        "rpm-build:fedora-44-x86_64",
        "testing-farm:fedora-43-x86_64",
    }
    reasons = {decision["step"]: decision["reason"] for decision in found["decisions"]}
    assert reasons["job 3, copr_build@commit"] == "it is for commit events, this is a pull_request event"


@pytest.mark.parametrize(
    ("option", "step"),
    [
        (("--permission", "read"), "PullRequestCoprBuildHandler for copr_build@pull_request"),
        (("--not-approved",), "allowlist"),
    ],
)
def test_refusals(simulated: Any, option: tuple[str, ...], step: str) -> None:
    found = simulated(CONFIG, *option)
    assert found["runs"] == []
    refused = [decision for decision in found["decisions"] if decision["verdict"] == "refused"]
    assert [decision["step"] for decision in refused] == [step] and refused[0]["next_step"]
    assert {check["conclusion"] for check in found["checks"]} <= {"action_required", "neutral"}


def test_a_private_project(simulated: Any) -> None:
    payload = PULL | {"repository": PULL["repository"] | {"private": True}}  # type: ignore[operator]
    found = simulated(CONFIG, payload=payload)
    assert (found["runs"], found["decisions"][-1]["verdict"]) == ([], "refused")


def test_a_configuration_that_cannot_be_used(simulated: Any) -> None:
    found = simulated("jobs: [{job: copr_buil}]")
    assert names(found) == ["package-config"]


def test_a_message_that_is_not_ours(simulated: Any) -> None:
    assert "ignored" in simulated(CONFIG, payload=PULL | {"action": "labeled"})
    assert "malformed" in simulated(CONFIG, payload={"action": "opened"}, status=1)


def test_for_people(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "packit.yaml"
    path.write_text("jobs: []\n")
    result = run(
        *("simulate", "--package-config", str(path), "--type", "pull_request", "--payload", "-"),
        input=json.dumps(PULL),
    )
    assert result.exit_code == 0, result.output
    assert "task.process_pull_request_GH_event about https://github.com/acme/hello/pull/7" in result.output
    assert result.output.count("  nothing\n") == 2
