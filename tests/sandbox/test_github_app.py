"""The App on the stand-in for GitHub: its tokens, its budget, what it may and may not do."""

import time
from collections.abc import Callable

import github
import jwt
import pytest
import requests
from github.Repository import Repository

from packit_worker.sandbox import Sandbox

from .conftest import content


def bearer(sandbox: Sandbox, key: str | None = None, **claims: object) -> dict[str, str]:
    now = int(time.time())
    payload = {"iat": now - 10, "exp": now + 500, "iss": str(sandbox.github.app_id), **claims}
    token = jwt.encode(payload, key or sandbox.github.private_key_pem, algorithm="RS256")
    return {"Authorization": f"Bearer {token}"}


def test_app_finds_its_installations(sandbox: Sandbox, integration: github.GithubIntegration) -> None:
    sandbox.github.add_repository("acme/hello", installation_id=1001)
    sandbox.github.add_repository("acme/other")
    sandbox.github.add_repository("zoe/own", owner_type="User")

    assert [found.id for found in integration.get_installations()] == [1001]
    assert integration.get_repo_installation("acme", "hello").id == 1001
    assert integration.get_org_installation("acme").id == 1001
    for owner, name in (("acme", "other"), ("zoe", "own")):
        with pytest.raises(github.UnknownObjectException):
            integration.get_repo_installation(owner, name)
    sandbox.github.install("acme", 1001)
    assert integration.get_repo_installation("acme", "other").id == 1001
    assert integration.get_app().slug == "packit-sandbox"


def test_installation_reads(sandbox: Sandbox, hello: Repository) -> None:
    pull = sandbox.github.open_pull_request(
        "acme/hello", files={".packit.yaml": "jobs: []\n", "src/é.c": b"\xff"}
    )

    assert content(hello, ".packit.yaml", pull.head_sha) == b"jobs: []\n"
    assert content(hello, "src/é.c", "refs/pull/1/head") == b"\xff"
    listing = hello.get_contents("", ref=pull.head_sha)
    assert isinstance(listing, list)
    assert [one.path for one in listing] == [
        ".packit.yaml",
        "README.md",
        "src",
    ]
    for path, ref in ((".packit.yaml", "main"), ("nothing", pull.head_sha), ("README.md", "no-such-ref")):
        with pytest.raises(github.GithubException) as missing:
            hello.get_contents(path, ref=ref)
        assert missing.value.status == 404


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
@pytest.mark.parametrize("lazy", [False, True])
def test_both_prefixes_and_lazy_objects(sandbox: Sandbox, prefix: str, lazy: bool) -> None:
    sandbox.github.add_repository("acme/hello")
    sandbox.github.open_pull_request("acme/hello")
    auth = github.Auth.Token(sandbox.github.personal_token)
    with github.Github(auth=auth, base_url=sandbox.github.url + prefix, lazy=lazy) as client:
        repository = client.get_repo("acme/hello")
        assert repository.default_branch == "main"
        assert repository.get_pull(1).head.repo.full_name == "alice/hello"
        assert [found.number for found in repository.get_pulls()] == [1]


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "Requires authentication"),
        ("token ghp_nobody", "Bad credentials"),
        ("Bearer ghs_expired", "Bad credentials"),
        ("Bearer a.b.c", "A JSON web token could not be decoded"),
    ],
)
def test_unknown_callers_are_refused(sandbox: Sandbox, authorization: str | None, message: str) -> None:
    sandbox.github.add_repository("acme/hello")
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.get(f"{sandbox.github.url}/repos/acme/hello", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["message"]) == (401, message)


def test_jwt_is_verified(sandbox: Sandbox) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    url, now = f"{sandbox.github.url}/app", int(time.time())

    assert requests.get(url, headers=bearer(sandbox), timeout=5).status_code == 200
    assert requests.get(url, headers=bearer(sandbox, other.decode()), timeout=5).status_code == 401
    assert (
        requests.get(url, headers=bearer(sandbox, iat=now - 900, exp=now - 5), timeout=5).status_code == 401
    )
    assert requests.get(url, headers=bearer(sandbox, exp=now + 3600), timeout=5).status_code == 401
    assert requests.get(url, headers=bearer(sandbox, iss="1"), timeout=5).status_code == 404


def test_tokens_expire_and_installations_are_suspended(
    sandbox: Sandbox, integration: github.GithubIntegration
) -> None:
    sandbox.github.add_repository("acme/hello", installation_id=1001)
    url = f"{sandbox.github.url}/repos/acme/hello"
    headers = {"Authorization": f"token {integration.get_access_token(1001).token}"}

    assert requests.get(url, headers=headers, timeout=5).status_code == 200
    sandbox.github.suspend(1001)
    assert requests.get(url, headers=headers, timeout=5).status_code == 403
    sandbox.github.suspend(1001, suspended=False)
    sandbox.github.expire_tokens()
    assert requests.get(url, headers=headers, timeout=5).status_code == 401


def test_private_repositories_are_hidden(
    sandbox: Sandbox, hello: Repository, as_installation: Callable[[int], github.Github]
) -> None:
    sandbox.github.add_repository("zoe/secret", private=True, owner_type="User")
    with pytest.raises(github.UnknownObjectException):
        as_installation(1001).get_repo("zoe/secret")
    sandbox.github.install("zoe", 2002)
    assert as_installation(2002).get_repo("zoe/secret").private


def test_app_writes_only_where_it_is_installed(
    sandbox: Sandbox, hello: Repository, as_installation: Callable[[int], github.Github]
) -> None:
    sandbox.github.add_repository("zoe/open", owner_type="User")
    sandbox.github.open_pull_request("zoe/open")
    with pytest.raises(github.GithubException) as refused:
        as_installation(1001).get_repo("zoe/open").get_pull(1).create_issue_comment("Hello")
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [
        ("alice", "admin", "admin"),
        ("mia", "write", "maintain"),
        ("tim", "read", "triage"),
        ("nobody", "read", "read"),
    ],
)
def test_permissions(sandbox: Sandbox, hello: Repository, login: str, permission: str, role: str) -> None:
    sandbox.github.add_repository(
        "acme/roles", permissions={"alice": "admin", "mia": "maintain", "tim": "triage"}, installation_id=1001
    )
    repository = hello.requester
    _, answer = repository.requestJsonAndCheck("GET", f"/repos/acme/roles/collaborators/{login}/permission")
    assert (answer["permission"], answer["role_name"]) == (permission, role)


def test_budget(sandbox: Sandbox, hello: Repository, as_user: Callable[[str], github.Github]) -> None:
    client = as_user(sandbox.github.personal_token)
    before = sandbox.github.rate_limit_remaining
    client.get_repo("acme/hello")
    assert sandbox.github.rate_limit_remaining == before - 1
    assert client.rate_limiting == (before - 1, 15_000)

    sandbox.github.rate_limit_remaining = 0
    with pytest.raises(github.RateLimitExceededException):
        client.get_repo("acme/hello")
    assert client.get_rate_limit().resources.core.remaining == 0


def test_unchanged_answers_are_free(sandbox: Sandbox) -> None:
    sandbox.github.add_repository("acme/hello")
    url = f"{sandbox.github.url}/repos/acme/hello"
    headers = {"Authorization": f"Bearer {sandbox.github.personal_token}"}
    first = requests.get(url, headers=headers, timeout=5)
    left = sandbox.github.rate_limit_remaining

    again = requests.get(url, headers=headers | {"If-None-Match": first.headers["ETag"]}, timeout=5)
    assert (again.status_code, again.content, sandbox.github.rate_limit_remaining) == (304, b"", left)
    sandbox.github.add_issue("acme/hello", title="A change")
    changed = requests.get(url, headers=headers | {"If-None-Match": first.headers["ETag"]}, timeout=5)
    assert (changed.status_code, sandbox.github.rate_limit_remaining) == (200, left - 1)


def test_renamed_repository(
    sandbox: Sandbox, hello: Repository, as_user: Callable[[str], github.Github]
) -> None:
    sandbox.github.open_pull_request("acme/hello")
    sandbox.github.rename_repository("acme/hello", "acme/goodbye")
    client = as_user(sandbox.github.personal_token)

    assert client.get_repo("acme/hello").full_name == "acme/goodbye"
    assert client.get_repo("acme/goodbye").get_pull(1).base.repo.full_name == "acme/goodbye"
    _, pull = client.requester.requestJsonAndCheck("GET", "/repos/acme/hello/pulls/1")
    assert pull["number"] == 1
    headers = {"Authorization": f"token {sandbox.github.personal_token}"}
    url = f"{sandbox.github.url}/repos/acme/hello/issues/1/comments"
    asked = requests.post(url, json={"body": "Hi"}, headers=headers, timeout=5, allow_redirects=False)
    assert (asked.status_code, sandbox.github.comments("acme/goodbye", 1)) == (307, [])
    assert requests.post(url, json={"body": "Hi"}, headers=headers, timeout=5).status_code == 201
