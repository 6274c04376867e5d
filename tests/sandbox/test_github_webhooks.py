"""Webhooks: shape, signature, sending, the App's list of deliveries."""

import hashlib
import hmac
import time

import github
import pytest

from packit_worker.sandbox import Sandbox

from .receiving import receiver


@pytest.fixture
def acme(sandbox: Sandbox) -> Sandbox:
    sandbox.github.add_repository("acme/hello", permissions={"alice": "admin"}, installation_id=1001)
    sandbox.github.open_pull_request("acme/hello", author="bob", files={"hello.spec": "Name: hello"})
    return sandbox


def test_signature_verifies(acme: Sandbox) -> None:
    delivery = acme.github.webhook("pull_request", "opened", repository="acme/hello", pull_request=1)
    expected = hmac.new(acme.github.webhook_secret.encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert delivery.headers["X-GitHub-Event"] == "pull_request"
    assert delivery.headers["X-GitHub-Delivery"] == delivery.id


def test_pull_request_payload(acme: Sandbox) -> None:
    payload = acme.github.webhook("pull_request", "opened", repository="acme/hello", pull_request=1).json()
    assert (payload["action"], payload["number"], payload["sender"]["login"]) == ("opened", 1, "bob")
    assert payload["installation"]["id"] == 1001
    assert payload["organization"]["login"] == "acme"
    pull = payload["pull_request"]
    assert pull["head"]["repo"]["full_name"] == "bob/hello"
    assert pull["base"]["repo"]["full_name"] == "acme/hello"
    assert pull["html_url"] == f"{acme.github.url}/acme/hello/pull/1"
    assert pull["user"]["login"] == "bob"

    before = pull["head"]["sha"]
    after = acme.github.push_to_pull_request("acme/hello", 1).head_sha
    payload = acme.github.webhook(
        "pull_request", "synchronize", repository="acme/hello", pull_request=1
    ).json()
    assert (payload["before"], payload["after"]) == (before, after)


def test_comment_payload(acme: Sandbox) -> None:
    delivery = acme.github.webhook(
        "issue_comment",
        "created",
        repository="acme/hello",
        pull_request=1,
        comment="/packit build",
        sender="alice",
    )
    payload = delivery.json()
    assert payload["comment"]["body"] == "/packit build"
    assert (payload["comment"]["user"]["login"], payload["sender"]["login"]) == ("alice", "alice")
    assert payload["issue"]["pull_request"]["html_url"].endswith("/acme/hello/pull/1")
    assert acme.github.comments("acme/hello", 1)[0]["id"] == payload["comment"]["id"]


def test_other_payloads(acme: Sandbox, integration: github.GithubIntegration) -> None:
    hub = acme.github
    sha = hub.push("acme/hello", files={"new": "1", "README.md": None})
    push = hub.webhook("push", repository="acme/hello", branch="main", sender="alice").json()
    assert (push["ref"], push["after"], "action" in push) == ("refs/heads/main", sha, False)
    assert (push["head_commit"]["added"], push["head_commit"]["removed"]) == (["new"], ["README.md"])

    hub.add_release("acme/hello", "v1")
    release = hub.webhook("release", "published", repository="acme/hello", tag="v1").json()
    assert release["release"]["tag_name"] == "v1"
    tagged = hub.webhook("push", repository="acme/hello", tag="v1").json()
    assert (tagged["ref"], tagged["created"]) == ("refs/tags/v1", True)

    with integration.get_github_for_installation(1001) as client:
        number = client.get_repo("acme/hello").create_check_run("build", sha, external_id="9").id
    check = hub.webhook("check_run", "rerequested", repository="acme/hello", check_run=number).json()
    assert (check["check_run"]["external_id"], check["check_run"]["check_suite"]["head_sha"]) == ("9", sha)
    action = hub.webhook(
        "check_run", "requested_action", repository="acme/hello", check_run=number, identifier="go"
    )
    assert action.json()["requested_action"] == {"identifier": "go"}
    suite = hub.webhook("check_suite", "rerequested", repository="acme/hello", sha=sha).json()
    assert suite["check_suite"]["id"] == check["check_run"]["check_suite"]["id"]


def test_installation_payload(sandbox: Sandbox, integration: github.GithubIntegration) -> None:
    payload = sandbox.github.webhook(
        "installation",
        "created",
        account="newcomer",
        account_type="Organization",
        sender="zoe",
        repositories=["newcomer/one", "newcomer/two"],
    ).json()
    assert payload["installation"]["account"]["login"] == "newcomer"
    assert payload["installation"]["account"]["type"] == "Organization"
    assert [one["full_name"] for one in payload["repositories"]] == ["newcomer/one", "newcomer/two"]
    assert (payload["sender"]["login"], "repository" in payload) == ("zoe", False)
    assert integration.get_repo_installation("newcomer", "two").id == payload["installation"]["id"]

    sandbox.github.webhook("installation", "deleted", account="newcomer", sender="zoe")
    assert list(integration.get_installations()) == []


def test_deliveries_are_listed_and_sent_again(acme: Sandbox, integration: github.GithubIntegration) -> None:
    delivery = acme.github.webhook("pull_request", "opened", repository="acme/hello", pull_request=1)
    assert acme.github.deliver(delivery, "http://127.0.0.1:9/").status_code == 502
    with receiver() as (url, got):
        answer = acme.github.deliver(delivery, url)
        assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
        assert got[0][1] == delivery.body

        ask = integration.requester.requestJsonAndCheck
        _, [second, first] = ask("GET", "/app/hook/deliveries")
        assert (first["status_code"], second["status_code"], second["guid"]) == (502, 202, delivery.id)
        _, whole = ask("GET", f"/app/hook/deliveries/{second['id']}")
        assert (whole["request"]["payload"]["number"], whole["url"]) == (1, url)
        ask("POST", f"/app/hook/deliveries/{second['id']}/attempts")
        deadline = time.monotonic() + 5
        while len(acme.github.sent) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [sent.redelivery for sent in acme.github.sent] == [False, False, True]
        assert got[1][0]["X-GitHub-Delivery"] == delivery.id
