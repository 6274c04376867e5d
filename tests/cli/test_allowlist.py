"""``packit-worker allowlist``: who is served, and why."""

from __future__ import annotations

import getpass
import json

import pytest

from packit_worker.journal import Journal, accounts
from packit_worker.journal.accounts import Approval

from .conftest import Run


def state(journal: Journal, forge: str, name: str) -> str | None:
    with journal.read() as session:
        row = accounts.of(session, forge, [name]).get(name)
    return row.state if row else None


@pytest.mark.parametrize(
    "words",
    [
        ("github.com", "Acme"),
        ("GitHub.com", "@acme"),
        ("github", "acme"),
        ("https://github.com", "acme"),
        ("https://GitHub.com/ACME/",),
        ("https://github.com/acme/hello/pull/7",),
        ("github.com/acme",),
    ],
)
def test_an_account_is_approved_however_it_is_named(
    run: Run, journal: Journal, words: tuple[str, ...]
) -> None:
    result = run("allowlist", "approve", *words, "--why", "asked", "--by", "carol")
    assert result.exit_code == 0, result.output
    assert "github.com/acme is approved_manually (it was unknown), by carol: asked" in result.stdout
    assert state(journal, "github.com", "acme") == Approval.APPROVED_MANUALLY


def test_groups_within_groups(run: Run, journal: Journal) -> None:
    assert run("allowlist", "approve", "https://gitlab.com/redhat/centos").exit_code == 0
    assert state(journal, "gitlab.com", "redhat/centos") == Approval.APPROVED_MANUALLY


def test_who_decided_is_the_login_name(run: Run, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "dave")
    run("allowlist", "deny", "github.com", "spam", "--why", "spam")
    with journal.read() as session:
        (change,) = accounts.history(session, "github.com", "spam")
    assert (change.by, change.why, change.state) == ("dave", "spam", Approval.DENIED)


def test_a_user_without_name_has_to_say_who_decides(
    run: Run, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nobody)
    result = run("allowlist", "approve", "github.com", "acme")
    assert result.exit_code == 1
    assert "--by NAME" in result.stderr
    assert state(journal, "github.com", "acme") is None


def test_a_denial_needs_a_reason(run: Run, journal: Journal) -> None:
    assert run("allowlist", "deny", "github.com", "spam").exit_code == 2


@pytest.mark.parametrize("words", [("github.com",), ("https://github.com",), ("github.com", " ")])
def test_what_is_no_account_is_wrong_usage(run: Run, journal: Journal, words: tuple[str, ...]) -> None:
    assert run("allowlist", "approve", *words).exit_code == 2


def test_the_list(run: Run, journal: Journal) -> None:
    run("allowlist", "approve", "github.com", "acme", "--by", "carol", "--why", "asked")
    run("allowlist", "deny", "gitlab.com", "spam", "--by", "carol", "--why", "spam\x1b[2J")
    out = run("allowlist", "list").stdout
    header, first, second = out.splitlines()
    assert header.split() == ["FORGE", "ACCOUNT", "STATE", "SINCE", "BY", "WHY"]
    assert first.split()[:3] == ["github.com", "acme", "approved_manually"]
    assert "\x1b" not in second
    assert "acme" not in run("allowlist", "list", "--state", "denied").stdout
    made = [json.loads(line) for line in run("allowlist", "list", "--json").stdout.splitlines()]
    assert [(row["forge"], row["name"]) for row in made] == [("github.com", "acme"), ("gitlab.com", "spam")]


def test_an_empty_list(run: Run, journal: Journal) -> None:
    result = run("allowlist", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no account is known yet" in result.stderr


def test_why_tells_the_rules_and_the_audit_trail(run: Run, journal: Journal) -> None:
    with journal.write() as session:
        accounts.introduce(
            session, "github.com", "acme", Approval.WAITING, by="alice", why="installed the App"
        )
    out = run("allowlist", "why", "github.com", "Acme").stdout
    assert "=> refused: the account Acme is waiting for approval" in out
    run("allowlist", "approve", "github.com", "acme", "--by", "carol", "--why", "asked in #112")
    out = run("allowlist", "why", "https://github.com/acme").stdout
    assert "3. an approved account is served: acme" in out
    assert "=> served: the account acme is approved (approved_manually)" in out
    assert out.index("waiting by alice: installed the App") < out.index(
        "approved_manually by carol: asked in #112"
    )


def test_why_of_a_user_in_a_project(run: Run, journal: Journal) -> None:
    run("allowlist", "approve", "github.com", "acme", "--by", "carol")
    run("allowlist", "deny", "github.com", "mallory", "--by", "carol", "--why", "mines coins")
    served = run("allowlist", "why", "https://github.com/acme/hello", "alice").stdout
    assert "=> served: the account acme is approved" in served
    assert "github.com/alice: nothing was ever decided" in served
    refused = run("allowlist", "why", "https://github.com/acme/hello", "Mallory").stdout
    assert "2. a denied account is refused: mallory" in refused
    assert "=> refused: the account Mallory is denied: mines coins" in refused


def test_administrators_and_strangers(run: Run, journal: Journal) -> None:
    assert "=> served: root is an administrator" in run("allowlist", "why", "github.com", "root").stdout
    stranger = run("allowlist", "why", "github.com", "stranger").stdout
    assert "5. an account that nobody knows is refused: stranger" in stranger
    assert "=> refused:" in stranger
    assert "what to do:" in stranger
