"""``packit-worker explain``: the whole story, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from packit_worker import tracing
from packit_worker.config.tracing import TracingConfig
from packit_worker.journal import Journal, runs
from packit_worker.journal.base import State
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.decisions import Decision
from packit_worker.journal.runs import RunState

from . import written
from .conftest import Run
from .written import CHROOT, PULL


def test_a_pull_request_is_explained_from_end_to_end(run: Run, journal: Journal) -> None:
    written.pull_request(journal)
    result = run("explain", "pr-delivery")
    assert result.exit_code == 0, result.output
    for words in (
        "github pull_request",
        f"about     {PULL}",
        "outcome   done: ordered Copr build 100",
        "allowlist: approved",
        "the account acme is approved (approved_manually)",
        "PullRequestCoprBuildHandler for 0:copr_build: done",
        "copr_build: confirmed",
        "1 call",
        "org.fedoraproject.prod.copr.build.end",
        f"rpm-build:{CHROOT}",
        "success: The RPM build succeeded",
        "testing-farm request request-of-pr-event: passed",
    ):
        assert words in result.stdout, words


def test_it_can_be_read_in_80_columns(run: Run, journal: Journal) -> None:
    written.pull_request(journal)
    for line in run("explain", "pr-delivery").stdout.splitlines():
        # Only words that cannot be broken are longer.
        assert len(line) <= 80 or " " not in line.strip(), line


def test_events_and_checks_lead_to_the_story(run: Run, journal: Journal) -> None:
    written.pull_request(journal)
    with journal.read() as session:
        check_id = session.query(CheckRow.id).scalar()
    by_delivery = run("explain", "pr-delivery").stdout
    assert run("explain", "pr-event").stdout == by_delivery
    assert run("explain", check_id).stdout == by_delivery


def test_a_pull_request_by_its_url_tells_all_its_deliveries_oldest_first(run: Run, journal: Journal) -> None:
    for number in (1, 2):
        written.deliver(journal, f"d{number}")
        written.read(journal, f"d{number}", f"e{number}")
    for url in (PULL, f"{PULL}/files?w=1#x", PULL.removeprefix("https://")):
        result = run("explain", url)
        assert result.exit_code == 0
        assert result.stdout.index("delivery  d1") < result.stdout.index("delivery  d2")


def test_json_is_one_object_a_story(run: Run, journal: Journal) -> None:
    for number in (1, 2):
        written.deliver(journal, f"d{number}")
        written.read(journal, f"d{number}", f"e{number}")
    stories = [json.loads(line) for line in run("explain", PULL, "--json").stdout.splitlines()]
    assert [story["id"] for story in stories] == ["d1", "d2"]
    assert [entry["kind"] for entry in stories[0]["entries"]] == ["received", "parsed", "event"]


def test_the_reason_of_a_refusal_and_what_to_do(run: Run, journal: Journal) -> None:
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    refused = Decision(
        step="allowlist", verdict="refused", reason="nobody knows acme", next_step="Ask for approval."
    )
    written.end_event(journal, "e", State.IGNORED, "nobody knows acme", refused)
    out = run("explain", "d").stdout
    assert "allowlist: refused" in out
    assert "what to do: Ask for approval." in out


def test_a_bug_shows_the_end_of_its_traceback(run: Run, journal: Journal) -> None:
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    with journal.write() as session:
        runs.plan(session, "e", [("Handler", "", "")])
        trace = "Traceback (most recent call last):\n  File x\nKeyError: 'chroot'\n"
        result = {"handler": "Handler", "job": "", "target": "", "state": RunState.FAILED, "error": trace}
        runs.write_results(session, "e", [result])
    out = run("explain", "d").stdout
    assert "KeyError: 'chroot' (the traceback: --json)" in out
    assert "File x" not in out


def test_words_from_outside_cannot_steer_the_terminal(run: Run, journal: Journal) -> None:
    written.deliver(journal, "d")
    written.end_delivery(journal, "d", State.MALFORMED, "action is \x1b[2Jnot known\u202e")
    out = run("explain", "d").stdout
    assert "\x1b" not in out
    assert r"\x1b[2Jnot known\u202e" in out


def test_an_unknown_id(run: Run, journal: Journal) -> None:
    result = run("explain", "nobody")
    assert result.exit_code == 1
    assert "the journal knows no delivery, event or check nobody" in result.stderr
    assert "X-GitHub-Delivery" in result.stderr


def test_an_unknown_pull_request(run: Run, journal: Journal) -> None:
    result = run("explain", f"{PULL}9/files")
    assert result.exit_code == 1
    assert f"nothing about {PULL}9 is in the journal" in result.stderr


def test_the_trace_is_named(
    run: Run, journal: Journal, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.pull_request(journal)
    assert "trace" not in json.loads(run("explain", "pr-delivery", "--json").stdout)
    endpoint = "http://collector.example:4318/v1/traces"
    monkeypatch.setenv("PACKIT_WORKER_TRACING_ENDPOINT", endpoint)
    trace = tracing.trace_of(TracingConfig(endpoint=endpoint), "pr-delivery")
    assert f"trace     {trace}" in run("explain", "pr-delivery").stdout
    assert json.loads(run("explain", "pr-delivery", "--json").stdout)["trace"] == trace
