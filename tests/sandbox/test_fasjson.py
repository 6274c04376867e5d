"""The stand-in for FASJSON: the shapes of the real one."""

from typing import Any

import pytest
import requests

from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.client import SandboxClient


def get(sandbox: Sandbox, path: str, **query: Any) -> tuple[int, Any]:
    answer = requests.get(f"{sandbox.fasjson.url}/v1/{path}", params=query, timeout=5)
    return answer.status_code, answer.json()


@pytest.fixture
def accounts(sandbox: Sandbox) -> Sandbox:
    sandbox.fasjson.add_user("mia", "mia-hub", ["packager", "signed_fpca"], "Mia van der Berg")
    sandbox.fasjson.add_user("miguel", None, ["packager"])
    sandbox.fasjson.add_user("secret", "Mia-Hub-2", human_name="Some Body", private=True)
    return sandbox


def test_user(accounts: Sandbox) -> None:
    status, body = get(accounts, "users/mia/")
    user = body["result"]
    assert (status, user["username"], user["github_username"]) == (200, "mia", "mia-hub")
    assert (user["givenname"], user["surname"], user["locked"]) == ("Mia van der", "Berg", False)
    assert user["uri"] == f"{accounts.fasjson.url}/v1/users/mia/"
    assert get(accounts, "users/secret/")[1]["result"]["human_name"] is None
    assert get(accounts, "users/nobody/") == (404, {"name": "nobody", "message": "User not found"})


def test_groups(accounts: Sandbox) -> None:
    _, body = get(accounts, "users/mia/groups/")
    assert [group["groupname"] for group in body["result"]] == ["packager", "signed_fpca"]
    assert body["page"] == {"total_results": 2}
    assert get(accounts, "users/nobody/groups/")[0] == 404
    _, members = get(accounts, "groups/packager/members/")
    assert [member["username"] for member in members["result"]] == ["mia", "miguel"]


def test_search(accounts: Sandbox) -> None:
    _, body = get(accounts, "search/users/", github_username="mia-hub")
    assert [user["username"] for user in body["result"]] == ["mia", "secret"]
    assert body["page"] == {"total_results": 2, "page_size": 40, "page_number": 1, "total_pages": 1}
    _, exact = get(accounts, "search/users/", github_username__exact="mia-hub")
    assert [user["username"] for user in exact["result"]] == ["mia"]
    assert get(accounts, "search/users/")[0] == 400
    assert get(accounts, "search/users/", username="mi")[1]["search_value"] == "mi"
    assert get(accounts, "search/users/", username="mia", page_size=41)[0] == 400


def test_pages(accounts: Sandbox) -> None:
    _, first = get(accounts, "search/users/", human_name="b", github_username="mia", page_size=1)
    assert first["message"].startswith("Search term")
    _, first = get(accounts, "search/users/", github_username="mia", page_size=1)
    assert (first["page"]["total_pages"], len(first["result"])) == (2, 1)
    second = requests.get(first["page"]["next_page"], timeout=5).json()
    assert second["result"][0]["username"] == "secret"
    assert "next_page" not in second["page"]
    assert "mia-hub" in requests.get(accounts.fasjson.url, timeout=5).text


def test_over_control_and_reset(sandbox: Sandbox) -> None:
    with SandboxClient(sandbox.control_url) as client:
        client.fasjson.add_user("zoe", github_username="zoe", groups=["packager"])
        assert client.fasjson.users()[0].groups == ["packager"]
        assert get(sandbox, "users/zoe/")[0] == 200
        client.reset()
    assert get(sandbox, "users/zoe/")[0] == 404
    assert [call.status for call in sandbox.calls("fasjson")] == [404]
