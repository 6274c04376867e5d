"""The stand-in for Pagure, driven by ogr."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from ogr.abstract.access_level import AccessLevel
from ogr.abstract.status import CommitStatus, IssueStatus, PRStatus
from ogr.exceptions import PagureAPIException
from ogr.services.pagure.project import PagureProject
from ogr.services.pagure.service import PagureService
from requests.adapters import HTTPAdapter

from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.client import SandboxClient

from .receiving import receiver

HOSTILE = '<script>alert("x")</script>'


def service(sandbox: Sandbox, token: str | None = None) -> PagureService:
    made = PagureService(token=token, instance_url=sandbox.pagure.url, insecure=True)
    made.session.mount("http://", HTTPAdapter())  # ogr's own sends again what was answered 403
    return made


@pytest.fixture
def hello(sandbox: Sandbox) -> Iterator[PagureProject]:
    """The project rpms/hello as packit sees it, who may commit to it."""
    sandbox.pagure.add_project(
        "rpms/hello",
        owner="mia",
        files={"hello.spec": "Name: hello\n", "src/main.c": "int x;\n"},
        branches=["rawhide", "f43"],
        commit=["packit"],
        groups={"packagers": "commit"},
    )
    sandbox.pagure.add_group("packagers", ["zoe"])
    sandbox.pagure.add_user("bob", "bob-token")
    pagure = service(sandbox, sandbox.pagure.token)
    yield pagure.get_project(namespace="rpms", repo="hello", username=None)
    pagure.session.close()


def told(sandbox: Sandbox) -> list[str]:
    return [
        message["topic"].removeprefix("org.fedoraproject.prod.pagure.") for message in sandbox.bus.messages()
    ]


def test_project(sandbox: Sandbox, hello: PagureProject) -> None:
    assert hello.service.user.get_username() == "packit"
    assert hello.exists() and not service(sandbox).get_project(namespace="x", repo="y", username="z").exists()
    assert hello.get_web_url() == f"{sandbox.pagure.url}/rpms/hello"
    assert (hello.get_branches(), hello.default_branch) == (["f43", "rawhide"], "rawhide")
    assert hello.get_git_urls()["git"] == f"{sandbox.pagure.url}/rpms/hello.git"
    assert hello.get_file_content("hello.spec", "f43") == "Name: hello\n"
    with pytest.raises(FileNotFoundError):
        hello.get_file_content("none", "f43")
    assert hello.get_files("f43") == ["hello.spec"]
    assert hello.get_files("f43", recursive=True) == ["hello.spec", "src/main.c"]
    assert hello.get_owners() == ["mia"]
    assert [name for name in ("mia", "packit", "zoe", "bob") if hello.can_merge_pr(name)] == [
        "mia",
        "packit",
        "zoe",
    ]
    sha = hello.get_sha_from_branch("rawhide")
    hello.create_release("v1", "v1", "First", sha)
    assert [(tag.name, tag.commit_sha) for tag in hello.get_tags()] == [("v1", sha)]
    hello.add_user("bob", AccessLevel.push)
    assert hello.can_merge_pr("bob")


def test_forks(sandbox: Sandbox, hello: PagureProject) -> None:
    assert hello.get_fork(create=False) is None
    fork = hello.get_fork()
    assert fork is not None
    assert (fork.full_repo_name, fork.get_is_fork_from_api()) == ("fork/packit/rpms/hello", True)
    assert fork.parent is not None and fork.parent.full_repo_name == "rpms/hello"
    assert hello.get_fork(create=False) == fork
    assert [one.full_repo_name for one in hello.get_forks()] == ["fork/packit/rpms/hello"]
    with pytest.raises(PagureAPIException, match="already been forked"):
        hello.fork_create()
    assert hello.service.user.get_forks()[0].repo == "hello"
    assert sandbox.effects()["pagure_fork", "forks/packit/rpms/hello"] == 1


def test_pull_request(sandbox: Sandbox, hello: PagureProject) -> None:
    fork = hello.get_fork()
    assert fork is not None
    sha = sandbox.pagure.push("forks/packit/rpms/hello", branch="update", files={"hello.spec": "new"})
    pull = fork.create_pr("Update", "Hi", "rawhide", "update")
    assert (pull.id, pull.head_commit, pull.status, pull.author) == (1, sha, PRStatus.open, "packit")
    assert pull.source_project.full_repo_name == "fork/packit/rpms/hello"
    assert (pull.source_branch, pull.target_branch, pull.description) == ("update", "rawhide", "Hi")
    assert hello.get_file_content("hello.spec", sha) == "new"
    assert hello.get_pr_files_diff(1).keys() == {"hello.spec"}

    pull.comment("Look")
    assert [(one.body, one.author) for one in pull.get_comments()] == [("Look", "packit")]
    pull.update_info(title="Update 2", description="Hello")
    assert hello.get_pr(1).title == "Update 2"
    newer = sandbox.pagure.push_to_pull_request("rpms/hello", 1, files={"x": "y"}).commit_stop
    assert hello.get_pr(1).head_commit == newer != sha
    assert [one.id for one in hello.get_pr_list()] == [1]
    pull.merge()
    assert hello.get_pr(1).status == PRStatus.merged
    assert hello.get_sha_from_branch("rawhide") == newer
    assert hello.get_pr_list() == []
    assert [one.id for one in hello.get_pr_list(PRStatus.merged)] == [1]
    with pytest.raises(PagureAPIException, match="merged"):
        pull.close()
    assert told(sandbox) == [
        "pull-request.new",
        "pull-request.comment.added",
        "pull-request.closed",
        "git.receive",
    ]


def test_who_may_what(sandbox: Sandbox, hello: PagureProject) -> None:
    sandbox.pagure.open_pull_request("rpms/hello", author="mia", files={"x": "y"})
    bob = service(sandbox, "bob-token")
    theirs = bob.get_project(namespace="rpms", repo="hello", username="bob")
    theirs.get_pr(1).comment("I may speak")
    for forbidden in (theirs.get_pr(1).merge, theirs.get_pr(1).close):
        with pytest.raises(PagureAPIException, match="not allowed"):
            forbidden()
    with pytest.raises(PagureAPIException, match="permissions"):
        theirs.create_pr("Mine", "", "rawhide", "f43")
    wrong = service(sandbox, "wrong")
    with pytest.raises(PagureAPIException, match="Invalid or expired token"):
        wrong.user.get_username()
    for one in (bob, wrong):
        one.session.close()


def test_flags(sandbox: Sandbox, hello: PagureProject) -> None:
    opened = sandbox.pagure.open_pull_request("rpms/hello", files={"x": "y"})
    assert opened.commit_stop is not None
    pull, sha = hello.get_pr(1), opened.commit_stop
    uid = hashlib.md5(b"check", usedforsecurity=False).hexdigest()
    pull.set_flag("check", "Waiting", "https://x", CommitStatus.pending, uid=uid)
    again = pull.set_flag("check", "Done", "https://x", CommitStatus.success, uid=uid)
    assert (again["message"], again["uid"]) == ("Flag updated", uid)
    (flag,) = sandbox.pagure.flags("rpms/hello", 1)
    assert (flag["writes"], flag["history"], flag["comment"]) == (2, ["pending", "success"], "Done")
    with pytest.raises(PagureAPIException, match="This field is required"):
        pull.set_flag("check", "No address", "", CommitStatus.pending)
    with pytest.raises(PagureAPIException, match="longer than 32"):
        pull.set_flag("check", "Long", "https://x", CommitStatus.pending, uid="x" * 33)

    hello.set_commit_status(sha, CommitStatus.failure, "https://x", "Broken", "check", uid=uid)
    assert [(one.state, one.context) for one in hello.get_commit_statuses(sha)] == [
        (CommitStatus.failure, "check")
    ]
    assert [one["status"] for one in sandbox.pagure.flags("rpms/hello", sha)] == ["failure"]
    with pytest.raises(PagureAPIException, match="not found"):
        hello.set_commit_status("0" * 40, CommitStatus.failure, "https://x", "Broken", "check")
    assert sandbox.effects()["pagure_pr_flag", "rpms/hello", "1", "check", uid] == 1
    assert told(sandbox)[-1] == "commit.flag.added"


def test_issues(sandbox: Sandbox, hello: PagureProject) -> None:
    sandbox.pagure.open_pull_request("rpms/hello", files={"x": "y"})
    issue = hello.create_issue("Broken", "It is", labels=["bug"])
    assert (issue.id, issue.description, issue.author) == (2, "It is", "packit")
    issue.comment("Really")
    assert [one.body for one in issue.get_comments()] == ["Really"]
    issue.description = "It was"
    assert [one.description for one in hello.get_issue_list()] == ["It was"]
    issue.add_assignee("mia")
    issue.close()
    assert hello.get_issue(2).status == IssueStatus.closed
    assert (hello.get_issue_list(), hello.get_issue(2).assignee) == ([], "mia")
    assert told(sandbox) == ["issue.new", "issue.comment.added"]


def test_hook_is_signed_and_told_once_more_on_the_bus(sandbox: Sandbox, hello: PagureProject) -> None:
    sandbox.pagure.open_pull_request("rpms/hello", author="bob", files={"x": "y"})
    delivery = sandbox.pagure.webhook(
        "pull-request.comment.added",
        project="rpms/hello",
        pull_request=1,
        comment="/packit build",
        agent="bob",
    )
    key = sandbox.pagure.project("rpms/hello").hook_key.encode()
    assert delivery.headers["X-Pagure-Signature-256"] == hmac.new(key, delivery.body, "sha256").hexdigest()
    assert delivery.headers["X-Pagure-Signature"] == hmac.new(key, delivery.body, "sha1").hexdigest()
    assert delivery.headers["X-Pagure-Topic"] == "pull-request.comment.added"
    body = json.loads(delivery.body)
    assert body.keys() == {"i", "msg", "msg_id", "timestamp", "topic"}
    assert (body["msg"]["pagure_instance"], body["msg"]["project_fullname"]) == (
        sandbox.pagure.url,
        "rpms/hello",
    )
    assert body["msg"]["pullrequest"]["comments"][-1]["comment"] == "/packit build"
    assert (body["msg"]["agent"], body["msg_id"]) == ("bob", delivery.id)
    (message,) = sandbox.bus.messages()
    assert message["topic"] == "org.fedoraproject.prod.pagure.pull-request.comment.added"
    same = body["msg"].copy()
    del same["pagure_instance"], same["project_fullname"]
    assert message["body"] == same
    assert message["id"] != delivery.id
    with receiver() as (url, got):
        assert sandbox.pagure.deliver(delivery, url).status_code == 202
    assert got[0][1] == delivery.body
    assert len(sandbox.pagure.sent) == 1


def test_messages(sandbox: Sandbox, hello: PagureProject) -> None:
    pagure = sandbox.pagure
    pagure.open_pull_request("rpms/hello", author="bob", files={"x": "y"})
    comment = pagure.add_comment("rpms/hello", 1, "Hm", author="bob")
    pagure.edit_comment("rpms/hello", 1, comment.id, "/packit test")

    def message(topic: str, **about: Any) -> dict[str, Any]:
        found: dict[str, Any] = pagure.webhook(topic, project="rpms/hello", **about).json()["msg"]
        return found

    new = message("pull-request.new", pull_request=1)
    assert (new["agent"], new["pullrequest"]["repo_from"]["fullname"]) == ("bob", "forks/bob/rpms/hello")
    assert new["pullrequest"]["repo_from"]["parent"]["fullname"] == "rpms/hello"
    assert message("pull-request.updated", pull_request=1)["agent"] == "pagure"
    edited = message("pull-request.comment.edited", pull_request=1, comment=comment.id)
    assert edited["comment"]["comment"] == "/packit test"
    sha = pagure.push("rpms/hello", branch="f43", files={"hello.spec": "2", "src/main.c": None, "new": "1"})
    push = message("git.receive", branch="f43")
    assert (push["end_commit"], push["branch"], push["total_commits"]) == (sha, "f43", 1)
    assert push["changed_files"] == {"hello.spec": "M", "src/main.c": "D", "new": "A"}
    pagure.close_pull_request("rpms/hello", 1)
    assert message("pull-request.closed", pull_request=1)["merged"] is False


def test_pages_show_harmlessly(sandbox: Sandbox, hello: PagureProject) -> None:
    opened = sandbox.pagure.open_pull_request("rpms/hello", title=HOSTILE, body=HOSTILE, files={"x": "y"})
    sandbox.pagure.add_comment("rpms/hello", 1, HOSTILE)
    sandbox.pagure.add_issue("rpms/hello", title=HOSTILE, body=HOSTILE)
    hello.get_pr(1).set_flag(HOSTILE, HOSTILE, "https://details", CommitStatus.error)
    hello.set_commit_status(str(opened.commit_stop), CommitStatus.success, "https://x", HOSTILE, HOSTILE)
    assert hello.get_pr(1).url == f"{sandbox.pagure.url}/rpms/hello/pull-request/1"
    for path in ("", "rpms/hello", "rpms/hello/pull-request/1", "rpms/hello/issue/2", "fork/bob/rpms/hello"):
        answer = requests.get(f"{sandbox.pagure.url}/{path}", timeout=5)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text
    page = requests.get(hello.get_pr(1).url, timeout=5).text
    assert "https://details" in page
    assert hello.get_pr(1).patch
    assert requests.get(f"{sandbox.pagure.url}/rpms/none", timeout=5).status_code == 404


def test_private_projects(sandbox: Sandbox) -> None:
    sandbox.pagure.add_project("secret", owner="packit", private=True)
    api = f"{sandbox.pagure.url}/api/0/secret"
    assert requests.get(api, timeout=5).json()["error_code"] == "ENOPROJECT"
    headers = {"Authorization": f"token {sandbox.pagure.token}"}
    assert requests.get(api, headers=headers, timeout=5).json()["name"] == "secret"


def test_over_control(sandbox: Sandbox) -> None:
    with SandboxClient(sandbox.control_url) as client:
        made = client.pagure.add_project("hello", owner="mia", hook_key="k" * 40)
        assert (made.hook_key, list(made.branches)) == ("k" * 40, ["main"])
        pull = client.pagure.open_pull_request("hello", author="bob", files={"a": "b"})
        assert (pull.repo_from, pull.user) == ("forks/bob/hello", "bob")
        delivery = client.pagure.webhook("pull-request.new", project="hello", pull_request=1)
        with receiver() as (url, got):
            assert client.pagure.deliver(delivery, url).status_code == 202
        expected = hmac.new(b"k" * 40, got[0][1], "sha256").hexdigest()
        assert got[0][0]["X-Pagure-Signature-256"] == expected
        assert client.pagure.pull_requests("hello")[0].title == "Improve things"
        assert client.credentials().pagure.token == sandbox.pagure.token
        client.reset()
    assert sandbox.pagure.state.projects == {}
