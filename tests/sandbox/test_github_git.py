"""The repositories of the stand-in for GitHub, cloned and pushed to by git itself."""

from pathlib import Path

import pytest

from packit_worker.sandbox import Sandbox

from .giting import GitFailed, git, with_token


@pytest.fixture
def acme(sandbox: Sandbox) -> Sandbox:
    sandbox.github.add_repository(
        "acme/hello",
        permissions={"alice": "write"},
        files={"README.md": "# Hello\n", "src/a/b.c": b"\0\xff", "src-2": "x", "src.spec": "Name: x\n"},
    )
    sandbox.github.add_personal_token("alice", "alice-token")
    sandbox.github.add_personal_token("eve", "eve-token")
    return sandbox


def test_what_is_cloned_has_the_shas_of_the_api(acme: Sandbox, tmp_path: Path) -> None:
    hub = acme.github
    pull = hub.open_pull_request("acme/hello", author="bob", files={"src/a/new": "1", "README.md": None})
    tag = hub.add_tag("acme/hello", "v1")
    git("clone", "-q", f"{hub.url}/acme/hello.git", "it", cwd=tmp_path)
    here = tmp_path / "it"
    assert git("rev-parse", "HEAD", cwd=here) == hub.state.repository("acme/hello").branches["main"] == tag
    assert (here / "src/a/b.c").read_bytes() == b"\0\xff"
    git("fetch", "-q", "origin", "pull/1/head:pr", "pull/1/merge", cwd=here)
    assert git("rev-parse", "pr", cwd=here) == pull.head_sha
    assert git("diff", "--name-status", "main", "pr", cwd=here).split() == [
        "D",
        "README.md",
        "A",
        "src/a/new",
    ]
    git("fsck", "--strict", cwd=here)
    tree = git("rev-parse", "pr^{tree}", cwd=here)
    assert hub.state.repository("acme/hello").commits[pull.head_sha].tree == tree

    newer = hub.push_to_pull_request("acme/hello", 1, files={"more": "1"}).head_sha
    git("fetch", "-q", "origin", "pull/1/head", cwd=here)
    assert git("rev-parse", "FETCH_HEAD", cwd=here) == newer
    fork = git("ls-remote", f"{hub.url}/bob/hello", pull.head_branch, cwd=here)
    assert fork.split()[0] == newer
    assert git("describe", "--tags", "pr", cwd=here).startswith("v1-1-g")


def test_the_same_story_has_the_same_shas() -> None:
    shas = []
    for _ in range(2):
        with Sandbox(auto=False) as sandbox:
            sandbox.github.add_repository("acme/hello")
            one = sandbox.github.open_pull_request("acme/hello")
            other = sandbox.github.open_pull_request("acme/hello")
            shas.append((one.head_sha, other.head_sha))
    assert shas[0] == shas[1]
    assert shas[0][0] != shas[0][1]


def test_pushes_are_read_in(acme: Sandbox, tmp_path: Path) -> None:
    hub = acme.github
    address = f"{hub.url}/acme/hello.git"
    git("clone", "-q", with_token(address, "alice-token"), "it", cwd=tmp_path)
    here = tmp_path / "it"
    (here / "new").write_text("new\n")
    git("add", "new", cwd=here)
    git("commit", "-qm", "Add a file", cwd=here)
    git("push", "-q", "origin", "HEAD:refs/heads/topic/1", "HEAD:main", cwd=here)
    sha = git("rev-parse", "HEAD", cwd=here)
    repository = hub.state.repository("acme/hello")
    assert repository.branches == {"main": sha, "topic/1": sha}
    assert (repository.commits[sha].message, repository.commits[sha].files["new"]) == ("Add a file", b"new\n")

    later = hub.push("acme/hello", files={"x": "y"})
    git("pull", "-q", cwd=here)
    assert git("rev-parse", "HEAD", cwd=here) == later
    git("push", "-q", "origin", ":topic/1", cwd=here)
    assert list(repository.branches) == ["main"]

    for token, words in (("eve-token", "403"), ("wrong", "Authentication failed")):
        git("remote", "set-url", "origin", with_token(address, token), cwd=here)
        with pytest.raises(GitFailed, match=words):
            git("push", "origin", "HEAD:refs/heads/evil", cwd=here)


def test_private_moved_and_missing(acme: Sandbox, tmp_path: Path) -> None:
    hub = acme.github
    hub.add_repository("acme/secret", private=True, installation_id=1001)
    with pytest.raises(GitFailed, match="could not read Username"):
        git("ls-remote", f"{hub.url}/acme/secret.git", cwd=tmp_path)
    with pytest.raises(GitFailed, match="403"):
        git("ls-remote", with_token(f"{hub.url}/acme/secret.git", "eve-token"), cwd=tmp_path)
    token, _ = hub.gate.new_token(hub.state.installations[1001])
    assert "refs/heads/main" in git(
        "ls-remote", with_token(f"{hub.url}/acme/secret.git", token), cwd=tmp_path
    )
    hub.rename_repository("acme/hello", "acme/hallo")
    git("clone", "-q", f"{hub.url}/acme/hello.git", "it", cwd=tmp_path)
    with pytest.raises(GitFailed, match="not found"):
        git("ls-remote", with_token(f"{hub.url}/acme/nothing.git", "eve-token"), cwd=tmp_path)


def test_faults_calls_and_the_end(acme: Sandbox, tmp_path: Path) -> None:
    acme.faults.add("github", kind="status", status=503, path=r"\.git/info/refs")
    with pytest.raises(GitFailed, match="503"):
        git("ls-remote", f"{acme.github.url}/acme/hello.git", cwd=tmp_path)
    assert git("ls-remote", f"{acme.github.url}/acme/hello.git", cwd=tmp_path)
    assert [call.status for call in acme.calls("github")] == [503, 200, 200]
    root = acme.github._git._store.root
    assert root.exists()
    acme.reset()
    assert not root.exists()
