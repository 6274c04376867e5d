"""FASJSON's client against the sandbox over HTTP."""

from __future__ import annotations

import pytest

from packit_worker.clients.fasjson import FasJsonClient
from packit_worker.errors import NotFound, TemporaryError
from packit_worker.ports import FasAccount, FasJson
from packit_worker.sandbox import Sandbox

from .conftest import TIMEOUT, calls


@pytest.fixture
def client(sandbox: Sandbox) -> FasJson:
    sandbox.fasjson.add_user("zoe-fedora", "Zoe", ["fedora-contributor", "ipausers"])
    sandbox.fasjson.add_user("nobody")
    return FasJsonClient(url=sandbox.fasjson.url, timeout=TIMEOUT)


def test_account(sandbox: Sandbox, client: FasJson) -> None:
    assert client.account("zoe-fedora") == FasAccount(
        login="zoe-fedora", github_username="Zoe", groups=("fedora-contributor", "ipausers")
    )
    assert calls(sandbox, "fasjson") == ["GET /v1/users/zoe-fedora/", "GET /v1/users/zoe-fedora/groups/"]
    assert client.account("nobody").github_username is None


def test_no_account(client: FasJson) -> None:
    with pytest.raises(NotFound):
        client.account("somebody")


def test_a_name_is_no_path(sandbox: Sandbox, client: FasJson) -> None:
    with pytest.raises(NotFound):
        client.account("../search/users")
    assert "/v1/search" not in calls(sandbox, "fasjson")[0]


def test_of_github(sandbox: Sandbox, client: FasJson) -> None:
    found = client.of_github("zoe")
    assert found is not None
    assert found.login == "zoe-fedora"
    assert client.of_github("zo") is None, "a part of a name is not the name"
    sandbox.fasjson.add_user("impostor", "zoe")
    assert client.of_github("zoe") is None, "two claim it"


def test_away(sandbox: Sandbox, client: FasJson) -> None:
    sandbox.faults.add("fasjson", kind="status", status=503)
    with pytest.raises(TemporaryError):
        client.account("zoe-fedora")
    sandbox.faults.add("fasjson", kind="drop_before")
    with pytest.raises(TemporaryError):
        client.of_github("zoe")
