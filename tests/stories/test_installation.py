"""Somebody installs the App: the account waits on the allowlist, and one issue asks for its approval."""

from __future__ import annotations

from packit_worker.journal import accounts
from packit_worker.journal.accounts import Approval

from .world import World


def _install(world: World) -> None:
    delivery = world.sandbox.github.webhook(
        "installation",
        "created",
        account="newcomer",
        account_type="Organization",
        sender="zoe",
        repositories=["newcomer/one", "newcomer/two"],
    )
    assert world.post(delivery).status_code == 202
    world.work()


def test_first_and_second_time(world: World) -> None:
    world.sandbox.github.add_repository("packit/approvals", installation_id=1002)
    _install(world)
    with world.journal.read() as session:
        account = accounts.of(session, "127.0.0.1", ["Newcomer"])["newcomer"]
    assert account.state == Approval.WAITING
    (issue,) = world.sandbox.github.issues("packit/approvals")
    assert "newcomer" in issue["title"]
    assert "allowlist approve" in issue["body"]

    _install(world)
    assert len(world.sandbox.github.issues("packit/approvals")) == 1
    with world.journal.read() as session:
        assert len(accounts.history(session, "127.0.0.1", "newcomer")) == 1


def test_an_approved_account_stays_approved(world: World) -> None:
    world.sandbox.github.add_repository("packit/approvals", installation_id=1002)
    world.approve("newcomer")
    _install(world)
    with world.journal.read() as session:
        account = accounts.of(session, "127.0.0.1", ["newcomer"])["newcomer"]
    assert account.state == Approval.APPROVED_MANUALLY
    assert world.sandbox.github.issues("packit/approvals") == []
