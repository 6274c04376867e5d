"""``packit-worker parse``: what a message says, without touching anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from packit_worker.cli import main


def parse(body: bytes | str, source: str = "testing-farm", event_type: str = "result") -> Result:
    words = ["parse", "--source", source, "--type", event_type, "-"]
    # A configuration that is not there: the command must not look for one.
    return CliRunner().invoke(main, ["--config", "nowhere.yaml", *words], input=body)


def said(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_task_that_would_be_sent() -> None:
    result = parse(json.dumps({"request_id": "5e8a5a3c-1f1d-4f5e-9d6b-0a1b2c3d4e5f"}))
    assert result.exit_code == 0, result.output
    (line,) = said(result)
    assert line["task"] == "task.process_testing_farm_result_event"
    assert line["queue"] == "short-running"
    assert line["kwargs"]["pipeline_id"] == "5e8a5a3c-1f1d-4f5e-9d6b-0a1b2c3d4e5f"


def test_a_message_that_asks_nothing() -> None:
    result = parse("{}", "github", "watch")
    assert result.exit_code == 0
    assert list(said(result)[0]) == ["ignored"]


def test_a_malformed_message() -> None:
    result = parse(json.dumps({"action": "opened", "number": "seven"}), "github", "pull_request")
    assert result.exit_code == 1
    assert list(said(result)[0]) == ["malformed"]


def test_what_is_no_json() -> None:
    for body in (b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'):
        result = parse(body)
        assert result.exit_code == 1
        assert list(said(result)[0]) == ["malformed"]


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hook.json"
    file.write_text("{}")
    result = CliRunner().invoke(main, ["parse", "--source", "github", "--type", "watch", str(file)])
    assert result.exit_code == 0


def test_a_file_that_is_not_there_is_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["parse", "--source", "github", "--type", "watch", "nowhere.json"])
    assert result.exit_code == 2


def test_the_source_is_needed() -> None:
    assert CliRunner().invoke(main, ["parse", "-"], input="{}").exit_code == 2
