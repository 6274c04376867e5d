"""Dist-git, driven by git itself, and its lookaside cache."""

import hashlib
from pathlib import Path

import pytest
import requests

from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.client import SandboxClient

from .giting import GitFailed, change, git, with_token


@pytest.fixture
def hello(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A clone of the package hello, by packit who may push to it."""
    sandbox.dist_git.add_package("hello", commit=["packit"], files={"hello.spec": "Name: hello\n"})
    url = f"{sandbox.dist_git.url}/rpms/hello.git"
    git("clone", "-q", with_token(url, sandbox.pagure.token, "packit"), "hello", cwd=tmp_path)
    return tmp_path / "hello"


def told(sandbox: Sandbox) -> list[str]:
    return [message["topic"].rpartition("pagure.")[2] for message in sandbox.bus.messages()]


def test_clone_and_push(sandbox: Sandbox, hello: Path) -> None:
    dist_git = sandbox.dist_git
    assert git("branch", "--show-current", cwd=hello) == "rawhide"
    assert git("branch", "-r", cwd=hello).split() == [
        "origin/HEAD",
        "->",
        "origin/rawhide",
        "origin/f43",
    ] or ("origin/f43" in git("branch", "-r", cwd=hello))
    git("fsck", "--strict", cwd=hello)
    before = dist_git.branches("hello")["rawhide"]
    sha = change(hello, "Update to 2", hello__spec="Version: 2\n")
    git("push", "-q", cwd=hello)
    assert [(one.sha, one.message) for one in dist_git.log("hello")] == [
        (sha, "Update to 2"),
        (before, "Initial commit"),
    ]
    assert dist_git.log("hello")[0].author == "Ann"
    assert dist_git.files("hello") == {"hello.spec": b"Version: 2\n"}
    assert dist_git.files("hello", "f43") == {"hello.spec": b"Name: hello\n"}
    (message,) = sandbox.bus.messages()
    assert message["topic"] == "org.fedoraproject.prod.pagure.git.receive"
    body = message["body"]
    assert (body["branch"], body["old_commit"], body["end_commit"], body["agent"]) == (
        "rawhide",
        before,
        sha,
        "packit",
    )
    assert (body["changed_files"], body["forced"]) == ({"hello.spec": "M"}, False)
    assert sandbox.effects()["git_push", "rpms/hello", "rawhide", sha] == 1

    later = dist_git.commit("hello", "rawhide", {"README": "x"})
    git("pull", "-q", cwd=hello)
    assert git("rev-parse", "HEAD", cwd=hello) == later


def test_many_files_and_modes(sandbox: Sandbox, hello: Path) -> None:
    for number in range(300):
        (hello / f"patch-{number}").write_text(f"{number}\n" * 50)
    (hello / "run.sh").write_text("#!/bin/sh\n")
    (hello / "run.sh").chmod(0o755)
    change(hello, "Many")
    git("push", "-q", cwd=hello)
    assert len(sandbox.dist_git.files("hello")) == 302
    sandbox.dist_git.commit("hello", files={"run.sh": "#!/bin/bash\n"})
    git("pull", "-q", cwd=hello)
    assert (hello / "run.sh").stat().st_mode & 0o111


def test_fork_pull_request_and_push(sandbox: Sandbox, hello: Path) -> None:
    dist_git = sandbox.dist_git
    dist_git.fork("hello", "packit")
    fork = f"{sandbox.pagure.url}/forks/packit/rpms/hello.git"
    git("remote", "add", "fork", with_token(fork, sandbox.pagure.token, "packit"), cwd=hello)
    git("checkout", "-qb", "0.2-update", cwd=hello)
    first = change(hello, "Update", hello__spec="Version: 0.2\n")
    git("push", "-q", "fork", "HEAD", cwd=hello)
    assert told(sandbox) == ["git.receive"]
    assert sandbox.bus.messages()[0]["body"]["repo"]["fullname"] == "forks/packit/rpms/hello"
    pull = sandbox.pagure.request(
        sandbox.pagure.project("rpms/hello"),
        sandbox.pagure.project("forks/packit/rpms/hello"),
        "0.2-update",
        "rawhide",
        sandbox.pagure.state.user("packit"),
        "Update to 0.2",
        "",
    )
    assert (pull.commit_start, pull.commit_stop) == (first, first)

    second = change(hello, "More", more="x")
    git("push", "-q", "fork", "HEAD", cwd=hello)
    assert (pull.commit_start, pull.commit_stop) == (first, second)
    assert told(sandbox)[1:] == ["git.receive", "pull-request.updated"]
    git("commit", "-q", "--amend", "-m", "Better", cwd=hello)
    git("push", "-qf", "fork", "HEAD", cwd=hello)
    assert told(sandbox)[-1] == "pull-request.rebased"
    assert [one["notification"] for one in sandbox.pagure.comments("rpms/hello", 1)] == [True, True]
    git("fetch", "-q", "origin", "refs/pull/1/head", cwd=hello)
    assert git("rev-parse", "FETCH_HEAD", cwd=hello) == pull.commit_stop
    git("push", "-q", "fork", ":0.2-update", cwd=hello)
    assert told(sandbox)[-1] == "git.branch.deletion"


def test_refused_pushes(sandbox: Sandbox, hello: Path) -> None:
    sandbox.pagure.add_user("eve", "eve-token")
    change(hello, "Evil", evil="x")
    for url, words in (
        (f"{sandbox.dist_git.url}/rpms/hello.git", "could not read Username"),
        (with_token(f"{sandbox.dist_git.url}/rpms/hello.git", "eve-token", "eve"), "403"),
        (with_token(f"{sandbox.dist_git.url}/rpms/hello.git", "wrong", "eve"), "Authentication failed"),
        (with_token(f"{sandbox.dist_git.url}/rpms/none.git", "eve-token", "eve"), "not found"),
    ):
        with pytest.raises(GitFailed, match=words):
            git("push", url, "HEAD:rawhide", cwd=hello)
    assert len(sandbox.dist_git.log("hello")) == 1
    sandbox.faults.add("dist_git", kind="drop_after_commit", path="git-receive-pack$")
    with pytest.raises(GitFailed):
        git("push", cwd=hello)
    assert len(sandbox.dist_git.log("hello")) == 2, "the push has happened, its answer got lost"


def test_over_control(sandbox: Sandbox, tmp_path: Path) -> None:
    with SandboxClient(sandbox.control_url) as client:
        client.dist_git.add_package("hello")
        assert "Name: hello" in client.dist_git.files("hello", "f43")["hello.spec"]
        sha = client.dist_git.commit("hello", "f43", {"x": "y"}, message="Rebuild")
        assert client.dist_git.log("hello", "f43")[0].sha == sha
        client.dist_git.fork("hello", "bob")
        git("clone", "-q", f"{sandbox.dist_git.url}/forks/bob/rpms/hello.git", "it", cwd=tmp_path)
        assert "rpms/hello.git" in requests.get(sandbox.dist_git.url, timeout=5).text
        root = sandbox.pagure.state.store.root
        client.reset()
    assert not root.exists()


def test_lookaside(sandbox: Sandbox) -> None:
    content = b"an archive\n"
    sha = hashlib.sha512(content).hexdigest()
    upload = f"{sandbox.lookaside.url}/repo/pkgs/upload.cgi"
    about = {"name": "rpms/hello", "sha512sum": sha}
    auth = ("packit", sandbox.pagure.token)

    def check() -> str:
        asked = about | {"filename": "hello-1.tar.gz"}
        return requests.post(upload, data=asked, auth=auth, timeout=5).text.strip()

    assert requests.post(upload, data=about, timeout=5).status_code == 401
    assert check() == "Missing"
    wrong = {"file": ("hello-1.tar.gz", b"another")}
    assert requests.post(upload, data=about, files=wrong, auth=auth, timeout=5).status_code == 500
    right = {"file": ("hello-1.tar.gz", content)}
    assert "stored OK" in requests.post(upload, data=about, files=right, auth=auth, timeout=5).text
    assert check() == "Available"
    place = f"{sandbox.lookaside.url}/repo/pkgs/rpms/hello/hello-1.tar.gz/sha512/{sha}/hello-1.tar.gz"
    assert requests.get(place, timeout=5).content == content
    assert requests.get(place + "x", timeout=5).status_code == 404
    assert sandbox.effects()["lookaside_upload", "rpms/hello", "hello-1.tar.gz", sha] == 1
    assert [one.user for one in sandbox.lookaside.archives] == ["packit"]
    assert "hello-1.tar.gz" in requests.get(sandbox.lookaside.url, timeout=5).text
    sandbox.lookaside.add("hello", "other.tar.gz", b"x")
    assert len(sandbox.lookaside.archives) == 2
    sandbox.reset()
    assert sandbox.lookaside.archives == []
