"""What an operator asks first: status, queues, deliveries, dead, projects, config."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from packit_worker.journal import Journal, budgets
from packit_worker.journal.base import State, now
from packit_worker.journal.budgets import Known
from packit_worker.journal.events import EventRow

from . import written
from .conftest import Run


def lines(run: Run, *words: str) -> list[Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def given_up(journal: Journal) -> str:
    """A delivery that was read, and whose event was given up."""
    written.deliver(journal, "d1")
    written.read(journal, "d1", "e1")
    with journal.write() as session:
        session.execute(
            update(EventRow).values(state=State.DEAD, reason="Copr is away\nTraceback: much of it")
        )
    return "d1"


def test_queues(run: Run, journal: Journal) -> None:
    written.deliver(journal, "d1")
    written.deliver(journal, "d2")
    written.read(journal, "d2", "e2")
    found = {lane["lane"]: lane for lane in lines(run, "queues")}
    assert (found["parse"]["waiting"], found["report"]["waiting"]) == (1, 0)
    assert found["parse"]["oldest_seconds"] >= 0
    assert "parse" in run("queues").output


def test_status(run: Run, journal: Journal, given_up: str) -> None:
    written.deliver(journal, "d2")
    (found,) = lines(run, "status")
    assert found["outcomes"] == {"dead": 1, "ready": 1}
    assert [each["id"] for each in found["dead"]] == [given_up]
    assert list(found["last_received"]) == ["github"]
    said = run("status", "--hours", "1").output
    assert said.startswith("1 wait for a worker, the oldest for")
    assert "Copr is away" in said


def test_status_tells_of_rate_limits(run: Run, journal: Journal) -> None:
    soon = now().timestamp() + 1800
    with journal.write() as session:
        told = {
            ("github.com", "8"): Known(limit=5000, remaining=12, reset_at=soon),
            ("copr.example", ""): Known(paused_until=soon),
            ("gitlab.example", ""): Known(limit=600, remaining=0, reset_at=5.0),
        }
        budgets.tell(session, told)
    (found,) = lines(run, "status")
    assert [(each["host"], each["installation"], each["remaining"]) for each in found["rate_limits"]] == [
        ("copr.example", "", None),
        ("github.com", "8", 12),
        ("gitlab.example", "", None),
    ]
    said = run("status").output
    assert re.search(r"copr\.example +nothing until 20\d\d-", said)
    assert re.search(r"github\.com +8 +12 of 5000 +20\d\d-", said)
    assert re.search(r"gitlab\.example +600 of 600", said)


def test_an_empty_journal_is_well(run: Run, journal: Journal) -> None:
    assert run("status").output.startswith("nothing waits for a worker")
    for command in ("deliveries", "projects"):
        assert run(command).exit_code == 0
    assert "nothing was given up" in run("dead", "list").output


def test_deliveries(run: Run, journal: Journal, given_up: str) -> None:
    written.deliver(journal, "d2", ignored="it is a star")
    assert [each["id"] for each in lines(run, "deliveries")] == ["d2", "d1"]
    assert [each["why"] for each in lines(run, "deliveries", "--outcome", "ignored")] == ["it is a star"]
    assert [each["id"] for each in lines(run, "deliveries", "--about", written.PROJECT)] == [given_up]
    assert lines(run, "deliveries", "--source", "pagure") == []
    page = run("deliveries", "--limit", "1")
    assert "more: packit-worker deliveries --after d2" in page.output
    assert [each["id"] for each in lines(run, "deliveries", "--after", "d2")] == ["d1"]


def test_dead(run: Run, journal: Journal, given_up: str) -> None:
    assert [each["id"] for each in lines(run, "dead", "list")] == [given_up]
    listed = run("dead", "list").output
    assert "Copr is away" in listed and "Traceback" not in listed
    assert "Copr is away" in run("dead", "show", given_up).output
    assert "process task.process_pull_request_GH_event" in run("dead", "replay", given_up, "--dry-run").output

    assert run("dead", "drop", given_up).exit_code == 2, "it takes a reason"
    dropped = run("dead", "drop", given_up, "--why", "the project is gone")
    assert dropped.output == "event e1 is ignored from now on\n"
    (now,) = lines(run, "deliveries")
    assert (now["outcome"], now["why"]) == ("ignored", "dropped by an operator: the project is gone")
    again = run("dead", "drop", given_up, "--why", "twice")
    assert again.exit_code == 1 and "only what was given up can be dropped" in again.output


def test_the_configuration_of_the_service(run: Run, config: Path) -> None:
    assert run("config", "check").output.startswith("the configuration can be used: dev")
    assert "webhook_secret" in run("config", "check", "--serving").output
    config.write_text("copr: {usrname: packit}\n")
    wrong = run("config", "check")
    assert wrong.exit_code == 1 and "username" in wrong.output


def test_the_configuration_of_a_project(run: Run, tmp_path: Path) -> None:
    path = tmp_path / ".packit.yaml"
    path.write_text(
        "specfile_path: a.spec\njobs: [{job: tests, trigger: pull_request, targets: [fedora-43]}]\n"
    )
    assert run("config", "check", str(path)).output == ".packit.yaml can be used: tests@pull_request\n"
    path.write_text("jobs: [{job: test, trigger: pull_request}]\n")
    wrong = run("config", "check", str(path))
    assert wrong.exit_code == 1 and "tests" in wrong.output


def test_projects(run: Run, journal: Journal) -> None:
    from packit_worker.journal import projects

    with journal.write() as session:
        projects.see(session, written.PROJECT, is_private=False, installation_id=1)
    (found,) = lines(run, "projects", "--below", "https://github.com/acme")
    assert found["url"] == written.PROJECT and found["handled"]["pull requests"] == 0
    assert lines(run, "projects", "--below", "https://github.com/other") == []
