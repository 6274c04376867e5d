"""Accounts are let in by what Fedora knows of people: on installation, or by ``/packit verify-fas`` in the issue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from packit_worker.journal import accounts
from packit_worker.journal.accounts import Approval
from packit_worker.sandbox import Sandbox

from .world import World

APPROVALS = "packit/approvals"
BOT = "packit-sandbox[bot]"


@pytest.fixture
def fedora(make_world: Callable[..., World], sandbox: Sandbox) -> World:
    """A world that knows Fedora's accounts."""
    world = make_world(fasjson_url=sandbox.fasjson.url)
    world.sandbox.github.add_repository(APPROVALS, installation_id=1002)
    return world


def install(world: World) -> None:
    """Zoe installs the App for the organisation newcomer."""
    delivery = world.sandbox.github.webhook(
        "installation", "created", account="newcomer", account_type="Organization", sender="zoe"
    )
    world.post(delivery)
    world.work()


def say(world: World, text: str, *, sender: str = "zoe", issue: int = 1) -> None:
    delivery = world.sandbox.github.webhook(
        "issue_comment", "created", repository=APPROVALS, issue=issue, comment=text, sender=sender
    )
    world.post(delivery)
    world.work()


def state(world: World) -> str:
    with world.journal.read() as session:
        return accounts.of(session, "127.0.0.1", ["newcomer"])["newcomer"].state


def answers(world: World, issue: int = 1) -> list[str]:
    comments = world.sandbox.github.comments(APPROVALS, issue)
    return [comment["body"] for comment in comments if comment["user"]["login"] == BOT]


def test_known_in_fedora_on_installation(fedora: World) -> None:
    fedora.sandbox.fasjson.add_user("zoe-fedora", "zoe", ["fedora-contributor"])
    install(fedora)
    assert state(fedora) == Approval.APPROVED_AUTOMATICALLY
    assert fedora.sandbox.github.issues(APPROVALS) == []
    with fedora.journal.read() as session:
        last = accounts.history(session, "127.0.0.1", "newcomer")[-1]
    assert "zoe-fedora" in last.why
    assert last.by == "zoe"


def test_verified_in_the_issue(fedora: World) -> None:
    install(fedora)
    (issue,) = fedora.sandbox.github.issues(APPROVALS)
    assert "/packit verify-fas" in issue["body"]
    assert state(fedora) == Approval.WAITING
    fedora.sandbox.fasjson.add_user("zoe-fedora", "Zoe", ["fedora-contributor"])
    say(fedora, "/packit verify-fas zoe-fedora")
    assert state(fedora) == Approval.APPROVED_AUTOMATICALLY
    (answer,) = answers(fedora)
    assert "is approved" in answer
    (issue,) = fedora.sandbox.github.issues(APPROVALS)
    assert issue["state"] == "closed"
    with fedora.journal.read() as session:
        assert [change.state for change in accounts.history(session, "127.0.0.1", "newcomer")] == [
            Approval.WAITING,
            Approval.APPROVED_AUTOMATICALLY,
        ]


@pytest.mark.parametrize(
    ("github", "groups", "words"),
    [
        ("somebody", ["fedora-contributor"], "does not name the GitHub account zoe"),
        (None, ["fedora-contributor"], "names none"),
        ("zoe", ["ipausers"], "not in the group fedora-contributor"),
    ],
)
def test_fedora_does_not_vouch(fedora: World, github: str | None, groups: list[str], words: str) -> None:
    install(fedora)
    fedora.sandbox.fasjson.add_user("zoe-fedora", github, groups)
    say(fedora, "/packit verify-fas zoe-fedora")
    assert state(fedora) == Approval.WAITING
    (answer,) = answers(fedora)
    assert words in answer
    assert fedora.sandbox.github.issues(APPROVALS)[0]["state"] == "open"


def test_no_such_account(fedora: World) -> None:
    install(fedora)
    say(fedora, "/packit verify-fas nobody")
    assert "no Fedora account `nobody`" in answers(fedora)[0]


def test_somebody_else(fedora: World) -> None:
    """A contributor of Fedora cannot let in what others have installed."""
    install(fedora)
    fedora.sandbox.fasjson.add_user("mallory", "mallory", ["fedora-contributor"])
    say(fedora, "/packit verify-fas mallory", sender="mallory")
    assert state(fedora) == Approval.WAITING
    assert "has not installed the App" in answers(fedora)[0]


def test_denied_stays_denied(fedora: World) -> None:
    install(fedora)
    with fedora.journal.write() as session:
        accounts.change(session, "127.0.0.1", "newcomer", Approval.DENIED, by="operator", why="spam")
    fedora.sandbox.fasjson.add_user("zoe-fedora", "zoe", ["fedora-contributor"])
    say(fedora, "/packit verify-fas zoe-fedora")
    assert state(fedora) == Approval.DENIED
    assert "spam" in answers(fedora)[0]


def test_an_issue_of_somebody(fedora: World) -> None:
    fedora.sandbox.github.add_issue(
        APPROVALS, title="Organization newcomer needs to be approved", author="zoe"
    )
    fedora.sandbox.fasjson.add_user("zoe-fedora", "zoe", ["fedora-contributor"])
    say(fedora, "/packit verify-fas zoe-fedora")
    assert "approval of no account" in answers(fedora)[0]


def test_fasjson_is_away(fedora: World) -> None:
    """The issue is opened all the same; a command waits until FASJSON is back."""
    fedora.sandbox.faults.add("fasjson", path=r"/v1/search", kind="status", status=503, times=9)
    fedora.sandbox.faults.add("fasjson", path=r"/v1/users", kind="status", status=503, times=1)
    fedora.sandbox.fasjson.add_user("zoe-fedora", "zoe", ["fedora-contributor"])
    install(fedora)
    assert len(fedora.sandbox.github.issues(APPROVALS)) == 1
    say(fedora, "/packit verify-fas zoe-fedora")
    assert state(fedora) == Approval.WAITING
    assert "tried again" in answers(fedora)[0]
    fedora.time_passes(seconds=60)
    fedora.sweep()
    fedora.work()
    assert state(fedora) == Approval.APPROVED_AUTOMATICALLY
    (answer,) = answers(fedora)
    assert "is approved" in answer


def test_another_project(fedora: World) -> None:
    fedora.sandbox.github.add_repository("acme/hello", installation_id=1001, permissions={"alice": "admin"})
    fedora.sandbox.github.add_issue("acme/hello", title="Hello")
    delivery = fedora.sandbox.github.webhook(
        "issue_comment",
        "created",
        repository="acme/hello",
        issue=1,
        comment="/packit verify-fas alice",
        sender="alice",
    )
    fedora.post(delivery)
    fedora.work()
    bodies = [comment["body"] for comment in fedora.sandbox.github.comments("acme/hello", 1)[1:]]
    assert "approved in the issues of" in bodies[0]


def test_help_in_the_issue(fedora: World) -> None:
    install(fedora)
    say(fedora, "/packit help")
    (answer,) = answers(fedora)
    assert "/packit verify-fas LOGIN" in answer
    assert "/packit build" not in answer.replace("begins with", "")
