"""One log format, without secrets, with the ids that lead to a story."""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from celery import Celery
from celery._state import _task_stack

from packit_worker import logs

SECRET = "s3cr3t/+ words&more"


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "censor", logs.Censor())
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def log(capsys: pytest.CaptureFixture[str], message: str, *args: object, **options: object) -> str:
    logging.getLogger("packit_worker.test").warning(message, *args, **options)  # type: ignore[arg-type]
    return capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "leak",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        f"https://user:{quote(SECRET, safe='')}@example.org",
    ],
)
def test_secrets_are_censored_in_all_their_forms(
    capsys: pytest.CaptureFixture[str], leak: str, as_json: bool
) -> None:
    logs.setup([SECRET], json=as_json)
    for text in (
        log(capsys, f"it is {leak}"),
        log(capsys, "it is %s", leak),
        log(capsys, "%r", {"a": [leak]}),
    ):
        assert logs.CENSORED in text
        assert leak.rstrip("=") not in text


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "packit"])
def test_a_password_in_an_authorization_header_is_censored(
    capsys: pytest.CaptureFixture[str], user: str
) -> None:
    logs.setup([SECRET], json=False)
    header = base64.b64encode(f"{user}:{SECRET}".encode()).decode()
    assert logs.CENSORED in log(capsys, f"Authorization: Basic {header}")


def test_exceptions_are_censored(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup([SECRET], json=False)
    try:
        raise ValueError(f"cannot log in with {SECRET}")
    except ValueError:
        text = log(capsys, "it failed", exc_info=True)
    assert "ValueError: cannot log in with [secret]" in text


def test_other_handlers_get_censored_records_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup([SECRET], json=False)
    seen: list[logging.LogRecord] = []
    other = logging.Handler()
    other.handle = seen.append  # type: ignore[method-assign,assignment]
    logging.getLogger().addHandler(other)
    log(capsys, "it is %s", SECRET)
    assert seen[0].getMessage() == "it is [secret]"


def test_lines_of_a_key_are_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    key = "-----BEGIN KEY-----\nabcdefghijklmnopqrst\nuvwxyzabcdefghijklmn\n-----END KEY-----\n"
    logs.setup([key], json=False)
    assert "uvwxyz" not in log(capsys, "line uvwxyzabcdefghijklmn")
    assert "BEGIN KEY" not in log(capsys, "%r", key)
    assert "-----BEGIN KEY-----" in log(capsys, "a file that begins with -----BEGIN KEY-----")


def test_a_token_minted_at_run_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup([], json=False)
    assert "ghs_abcdef" in log(capsys, "ghs_abcdef")
    logs.add_secret("ghs_abcdef")
    assert "ghs_abcdef" not in log(capsys, "ghs_abcdef")


def test_short_and_empty_secrets_do_not_blank_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(["", "a", " \n"], json=False)
    assert "a plain line" in log(capsys, "a plain line")


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup([], json=True, process="web")
    with logs.about(delivery="d-1", event=None):
        made = json.loads(log(capsys, "two\nlines"))
    assert made["message"] == "two\nlines"
    assert (made["process"], made["level"], made["logger"]) == ("web", "WARNING", "packit_worker.test")
    assert made["delivery"] == "d-1"
    assert "event" not in made
    assert made["time"].endswith("Z")


def test_without_a_terminal_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup([])
    assert json.loads(log(capsys, "x"))["message"] == "x"


@pytest.mark.parametrize(
    ("name", "id", "root", "ids"),
    [
        ("task.parse_message", "d-1", "d-1", {"delivery": "d-1"}),
        ("task.process_release_event", "e-1", "d-1", {"event": "e-1", "delivery": "d-1"}),
        ("task.show_check", "c-1", "c-1", {"check": "c-1"}),
        ("task.parse_message", None, None, {}),
    ],
)
def test_ids_of_celerys_task(name: str, id: str | None, root: str | None, ids: dict[str, str]) -> None:
    app = Celery("test", set_as_current=False)

    @app.task(name=name, shared=False)  # type: ignore[untyped-decorator]
    def nothing() -> None: ...

    task = app.tasks[name]
    task.push_request(task=name, id=id, root_id=root)
    _task_stack.push(task)
    try:
        assert logs.current_ids() == ids
    finally:
        _task_stack.pop()
        task.pop_request()
    assert logs.current_ids() == {}


def test_a_wrong_format_is_logged_all_the_same() -> None:
    logs.add_secret(SECRET)
    # Not through a logger: pytest's own handler raises for a wrong format.
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "%d of %d", (SECRET,), None)
    assert logs.Filter().filter(record)
    assert "%d of %d" in record.getMessage()
    assert SECRET not in record.getMessage()


def test_setting_up_twice_logs_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup([], json=False)
    logs.setup([], json=False)
    assert log(capsys, "once").count("once") == 1


def test_noisy_libraries_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup([], level="DEBUG", json=False)
    logging.getLogger("urllib3.connectionpool").debug("GET /")
    logging.getLogger("packit_worker.x").debug("ours")
    text = capsys.readouterr().err
    assert "GET /" not in text
    assert "ours" in text


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["/bin/celery", "worker", "--queues", "parse", "--hostname", "parse-1@%h"], "parse-1"),
        (["/bin/packit-worker", "sweeper"], "packit-worker sweeper"),
        (["/x/packit_worker/cli/__main__.py", "sweeper"], "cli sweeper"),
        (["/bin/gunicorn", "packit_worker.web.wsgi:app"], "gunicorn"),
    ],
)
def test_the_name_of_the_process(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    logs.setup([], json=False)
    assert f" {name}[" in log(capsys, "x")
