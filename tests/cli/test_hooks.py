"""``packit-worker hooks``: the keys of Pagure's projects."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import update

from packit_worker import logs
from packit_worker.journal import Journal, hooks
from packit_worker.journal.base import now
from packit_worker.journal.hooks import HookKeyRow

from .conftest import Run

WHERE = ("https://src.fedoraproject.org", "rpms/hello")
KEY = "PagureMakesFortyCharactersOfItForAProject"


def keys(journal: Journal) -> tuple[str, ...]:
    with journal.read() as session:
        return hooks.keys_of(session, *WHERE)


def printed_key(text: str) -> str:
    """The key in what a command has printed."""
    (line,) = [line for line in text.splitlines() if "Web-hook key" in line]
    return line.split()[-1]


@pytest.mark.parametrize(
    "words",
    [
        WHERE,
        ("HTTPS://SRC.FedoraProject.org/", "/rpms/hello/"),
        ("src.fedoraproject.org", "rpms/hello"),
        ("https://src.fedoraproject.org:443", "rpms/hello"),
    ],
)
def test_a_project_gets_a_key_that_is_printed_once(
    run: Run, journal: Journal, words: tuple[str, str]
) -> None:
    result = run("hooks", "add", *words, "--by", "carol")
    assert result.exit_code == 0, result.output
    key = printed_key(result.stdout)
    assert (len(key), keys(journal)) == (64, (key,))
    assert result.stdout.count(key) == 1
    assert "https://src.fedoraproject.org/rpms/hello/settings" in result.stdout
    assert "http://127.0.0.1:8000/api/webhooks/pagure" in result.stdout
    assert "hooks rotate https://src.fedoraproject.org rpms/hello --key-file -" in result.stdout
    for words_ in (("list",), ("list", "--json"), ("add", *WHERE), ("remove", *WHERE)):
        assert key not in run("hooks", *words_).output


def test_the_key_that_pagure_shows_is_handed_over_and_not_printed(
    run: Run, journal: Journal, tmp_path: Path
) -> None:
    result = run("hooks", "add", *WHERE, "--key-file", "-", input=f"{KEY}\n")
    assert result.exit_code == 0, result.output
    assert keys(journal) == (KEY,)
    assert KEY not in result.output
    assert logs.censor(f"it is {KEY}") == "it is [secret]"
    (tmp_path / "new.key").write_text("N3W" * 14)
    assert run("hooks", "rotate", *WHERE, "--key-file", str(tmp_path / "new.key")).exit_code == 0
    assert keys(journal) == ("N3W" * 14, KEY)


@pytest.mark.parametrize(
    "text", ["", "\n", "short", "two words that are long", "x" * 20 + "\x00", "é\x1b" * 20]
)
def test_what_is_no_key(run: Run, journal: Journal, text: str) -> None:
    result = run("hooks", "add", *WHERE, "--key-file", "-", input=text)
    assert result.exit_code == 1
    assert "this is no key" in result.stderr
    assert keys(journal) == ()


def test_bytes_that_are_no_text(run: Run, journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff" * 40)
    result = run("hooks", "add", *WHERE, "--key-file", str(tmp_path / "key"))
    assert (result.exit_code, "the key cannot be read" in result.stderr) == (1, True)


def test_a_project_that_has_a_key_keeps_it(run: Run, journal: Journal) -> None:
    run("hooks", "add", *WHERE)
    before = keys(journal)
    result = run("hooks", "add", *WHERE)
    assert result.exit_code == 1
    assert "what to do: packit-worker hooks rotate https://src.fedoraproject.org rpms/hello" in result.stderr
    assert keys(journal) == before


def test_the_key_before_is_taken_for_a_day(run: Run, journal: Journal) -> None:
    first = printed_key(run("hooks", "add", *WHERE, "--by", "carol").stdout)
    result = run("hooks", "rotate", *WHERE, "--by", "dave")
    second = printed_key(result.stdout)
    assert keys(journal) == (second, first)
    assert "for 1 day more" in result.stdout
    shown = json.loads(run("hooks", "list", "--json").stdout)
    assert (shown["instance"], shown["project"], shown["by"]) == (*WHERE, "dave")
    assert shown["previous_key_until"].startswith(f"{now() + timedelta(days=1):%Y-%m-%d}")
    with journal.write() as session:
        session.execute(update(HookKeyRow).values(rotated_at=now() - timedelta(hours=25)))
    assert keys(journal) == (second,)
    assert json.loads(run("hooks", "list", "--json").stdout)["previous_key_until"] is None
    third = printed_key(run("hooks", "rotate", *WHERE).stdout)
    assert keys(journal) == (third, second)


def test_a_key_is_removed(run: Run, journal: Journal) -> None:
    run("hooks", "add", *WHERE)
    assert "are refused from now on" in run("hooks", "remove", *WHERE).stdout
    assert keys(journal) == ()
    for command in ("remove", "rotate"):
        result = run("hooks", command, *WHERE)
        assert (result.exit_code, "has no key" in result.stderr) == (1, True)


def test_the_list(run: Run, journal: Journal, config: Path) -> None:
    assert "no project has a key yet" in run("hooks", "list").stderr
    run("hooks", "add", *WHERE, "--by", "carol")
    settings = yaml.safe_load(config.read_text())
    settings["pagure"] = {"hooks": [{"instance": "https://pagure.io", "project": "tea", "key": KEY}]}
    config.write_text(yaml.safe_dump(settings))
    out = run("hooks", "list").stdout
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [list(WHERE), ["https://pagure.io", "tea"]]
    assert "configuration" in out
    lines = [json.loads(line) for line in run("hooks", "list", "--json").stdout.splitlines()]
    assert [line["by"] for line in lines] == ["carol", "configuration"]
    assert KEY not in out
    result = run("hooks", "remove", "pagure.io", "tea")
    assert "what to do: Change pagure.hooks there." in result.stderr


@pytest.mark.parametrize(
    "where", [("://", "a"), ("https://[", "a"), ("https://a:b", "a"), ("pagure.io", "/")]
)
def test_wrong_usage(run: Run, journal: Journal, where: tuple[str, str]) -> None:
    assert run("hooks", "add", *where).exit_code == 2


def test_a_fork_has_its_page_elsewhere(run: Run, journal: Journal) -> None:
    out = run("hooks", "add", "pagure.io", "forks/alice/tea").stdout
    assert "(https://pagure.io/fork/alice/tea/settings)" in out


def test_no_row_shows_its_key(run: Run, journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = printed_key(run("hooks", "add", *WHERE).stdout)
    with journal.read() as session:
        (row,) = hooks.everyone(session)
    assert key not in repr(row) + caplog.text
    assert logs.censor(key) == logs.CENSORED


@pytest.mark.parametrize("place", ["acme/tools/hello", "acme/tools"])
def test_a_token_for_gitlab(run: Run, journal: Journal, place: str) -> None:
    result = run("hooks", "add", "https://gitlab.com", place)
    assert result.exit_code == 0, result.output
    assert f"https://gitlab.com/{place}/-/hooks" in result.stdout
    assert "http://127.0.0.1:8000/api/webhooks/gitlab" in result.stdout
    assert "Merge request events" in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if "Secret token" in line]
    with journal.read() as session:
        assert hooks.keys_of(session, "https://gitlab.com", "x", place) == (line.split()[-1],)
    assert "Pagure" not in result.stdout


def test_keys_of_a_project_and_of_what_is_above_it(journal: Journal) -> None:
    where = "https://gitlab.com"
    with journal.write() as session:
        hooks.add(session, where, "acme", "of the group", by="carol")
        hooks.add(session, where, "acme/tools/hello", "of the project", by="carol")
        hooks.rotate(session, where, "acme", "of the group, new", by="carol")
        hooks.add(session, "https://gitlab.example.org", "acme", "elsewhere", by="carol")
    with journal.read() as session:
        found = hooks.keys_of(session, where, "acme/tools/hello", "acme/tools", "acme")
        assert sorted(found) == ["of the group", "of the group, new", "of the project"]
        assert hooks.keys_of(session, where, "acme/tools/hello") == ("of the project",)
        assert hooks.keys_of(session, where, "other", "others") == ()
