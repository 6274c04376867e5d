"""Git outside of the jail: hostile names, URLs, repositories and sizes do no harm, and tokens do not get about."""

from __future__ import annotations

import base64
import logging
import os
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from packit_worker.cell import Cell, git
from packit_worker.errors import Refused, TemporaryError, UserError
from tests.cell.conftest import SMALL, Forge
from tests.cell.conftest import git as system_git


def test_a_clone_has_history_and_tags_and_no_files(forge: Forge, tmp_path: Path) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    system_git("tag", "v1", cwd=seed)
    second = forge.commit(seed, {"file": "2"}, "second")
    forge.publish(seed, "a.git", "main", "v1")
    into = tmp_path / "clone"
    assert git.clone(forge.url("a.git"), "refs/heads/main", into, allow=[forge.address]) == second
    assert os.listdir(into) == [".git"]
    assert system_git("describe", "--tags", "refs/remotes/origin/main", cwd=into).startswith("v1-1-g")
    assert system_git("config", "remote.origin.url", cwd=into) == forge.url("a.git")
    git.checkout(into, second)
    assert (into / "file").read_text() == "2"


def test_a_pull_requests_head_and_a_tag_can_be_had(forge: Forge, tmp_path: Path) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    commit = forge.commit(seed, {"file": "2"}, "proposed")
    forge.publish(seed, "a.git", "HEAD:refs/pull/7/head", "HEAD:refs/tags/v2")
    for number, ref in enumerate(("refs/pull/7/head", "refs/tags/v2")):
        assert git.clone(forge.url("a.git"), ref, tmp_path / str(number), allow=[forge.address]) == commit


@pytest.mark.parametrize(
    "name",
    [
        *(
            "--upload-pack=touch X",
            "main",
            "refs/heads/../x",
            "refs/heads/a b",
            "refs/heads/x:y",
            "refs/heads/*",
        ),
        *(
            "refs/heads/a\nb",
            "-refs/heads/x",
            "",
            "refs/heads/",
            "refs/heads/x.lock",
            "refs/heads/x@{1}",
            "HEAD",
        ),
        *(
            "refs/heads/x/",
            "refs/heads/.x/../y",
            "refs/heads/a~1",
            "refs/heads/a\\b",
            "+refs/heads/x",
            "refs/heads//x",
        ),
    ],
)
def test_only_full_names_of_refs_pass(name: str) -> None:
    with pytest.raises(UserError):
        git.full_ref(name)


def test_a_branch_named_like_an_option_is_only_a_branch(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    commit = system_git("rev-parse", "HEAD", cwd=seed)
    canary = tmp_path / "X"
    # git itself makes no such branch, plumbing and a hostile server do.
    evil = f"--upload-pack=touch${{IFS}}{canary}"
    target = forge.root / "a.git" / "refs" / "heads" / evil
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{commit}\n")
    monkeypatch.chdir(tmp_path)
    assert (
        git.clone(forge.url("a.git"), f"refs/heads/{evil}", tmp_path / "c", allow=[forge.address]) == commit
    )
    with pytest.raises(UserError):
        git.clone(forge.url("a.git"), evil, tmp_path / "d", allow=[forge.address])
    with pytest.raises(UserError):
        git.clone(forge.url("a.git"), "--upload-pack=touch X", tmp_path / "e", allow=[forge.address])
    assert not canary.exists()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ext::sh -c touch% {canary}",
            "file://{root}/a.git",
            "{root}/a.git",
            "ssh://host/x",
            "git@host:x.git",
        ),
        *(
            "--upload-pack=touch {canary}",
            "git://127.0.0.1/x",
            "https://user:pass@host/x",
            "http://127.0.0.1/x",
        ),
        *(
            "http://169.254.169.254/x",
            "http://[::1]/x",
            "http://localhost:6379/x",
            "https:///x",
            "http://h:99999/",
        ),
        *("ftp://example.com/x", "http://a b/", "http://x/\n--upload-pack=x", "https://0x7f000001/x"),
    ],
)
def test_only_http_to_public_addresses_passes(url: str, forge: Forge, tmp_path: Path) -> None:
    forge.repository("a.git", {"file": "1"})
    canary = tmp_path / "canary"
    with pytest.raises(Refused):
        git.clone(url.format(canary=canary, root=forge.root), "refs/heads/main", tmp_path / "clone")
    assert not canary.exists()


def test_git_refuses_other_protocols_even_where_we_would_not(forge: Forge, tmp_path: Path) -> None:
    forge.repository("a.git", {"file": "1"})
    (tmp_path / "c").mkdir()
    limits = git.GitLimits()
    for url in (f"ext::touch {tmp_path}/canary", f"{forge.root}/a.git", f"file://{forge.root}/a.git"):
        with pytest.raises((TemporaryError, Refused), match="not allowed"):
            git._git(["ls-remote", "--end-of-options", url], tmp_path / "c", limits)
    assert not (tmp_path / "canary").exists()


def test_the_name_is_pinned_to_the_address_that_was_looked_at(forge: Forge, tmp_path: Path) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    port = forge.address.rpartition(":")[2]
    asked = []

    def resolve(host: str, at: int) -> list[str]:
        asked.append((host, at))
        return ["::1", "127.0.0.1"]

    url = f"http://no-such-host.invalid:{port}/a.git"
    got = git.clone(
        url, "refs/heads/main", tmp_path / "c", allow=[forge.address, f"[::1]:{port}"], resolve=resolve
    )
    assert got == system_git("rev-parse", "HEAD", cwd=seed)
    assert asked == [("no-such-host.invalid", int(port))]


def test_a_redirect_is_not_followed(forge: Forge, tmp_path: Path) -> None:
    forge.repository("a.git", {"file": "1"})
    with pytest.raises((Refused, TemporaryError)):
        git.clone(forge.url("elsewhere/a.git"), "refs/heads/main", tmp_path / "c", allow=[forge.address])


def test_a_missing_branch_and_a_missing_repository_are_told_apart(forge: Forge, tmp_path: Path) -> None:
    forge.repository("a.git", {"file": "1"})
    with pytest.raises(UserError, match="no such branch"):
        git.clone(forge.url("a.git"), "refs/heads/gone", tmp_path / "c", allow=[forge.address])
    with pytest.raises((Refused, TemporaryError)):
        git.clone(forge.url("gone.git"), "refs/heads/main", tmp_path / "d", allow=[forge.address])


def test_a_large_repository_is_ended(forge: Forge, tmp_path: Path) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    (seed / "big").write_bytes(os.urandom(24 << 20))
    forge.commit(seed, {}, "big")
    forge.publish(seed, "a.git", "main")
    limits = git.GitLimits(size=2 << 20)
    with pytest.raises(UserError, match="too large"):
        git.clone(forge.url("a.git"), "refs/heads/main", tmp_path / "c", limits, allow=[forge.address])


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []
        threading.Thread(target=lambda: taken.append(server.accept()[0]), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        started = time.monotonic()
        limits = git.GitLimits(seconds=1)
        with pytest.raises(TemporaryError, match="timed out after 1 s"):
            git.clone(f"http://{address}/x", "refs/heads/main", tmp_path / "c", limits, allow=[address])
        assert time.monotonic() - started < 4
        for connection in taken:
            connection.close()


def test_nothing_in_a_repository_runs_when_it_is_checked_out(forge: Forge, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    seed = forge.repository("a.git", {".gitattributes": "* filter=evil diff=evil\n", "file": "1"})
    (seed / "link").symlink_to("/etc/passwd")
    (seed / "up").symlink_to("..")
    forge.commit(
        seed,
        {
            ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = file://{forge.root}/a.git\n\tupdate = checkout\n',
            "hooks/post-checkout": f"#!/bin/sh\ntouch {canary}\n",
            ".gitconfig": f'[filter "evil"]\n\tsmudge = touch {canary}\n',
        },
        "evil",
    )
    forge.publish(seed, "a.git", "main")
    into = tmp_path / "c"
    commit = git.clone(forge.url("a.git"), "refs/heads/main", into, allow=[forge.address])
    git.checkout(into, commit)
    assert not canary.exists()
    assert not (into / "link").is_symlink()
    assert (into / "link").read_text() == "/etc/passwd"
    with pytest.raises(UserError):
        git.checkout(into, "main")


def test_the_machines_configuration_has_no_say(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[core]\n\tfsmonitor = touch {tmp_path}/canary\n\thooksPath = {home}\n")
    (home / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/canary\n")
    (home / "post-checkout").chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {tmp_path}/canary")
    forge.repository("a.git", {"file": "1"})
    commit = git.clone(forge.url("a.git"), "refs/heads/main", tmp_path / "c", allow=[forge.address])
    git.checkout(tmp_path / "c", commit)
    assert not (tmp_path / "canary").exists()


def test_pushing_needs_the_expected_commit_and_tells_nobody_the_token(
    forge: Forge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = "canary-token-4711"
    seed = forge.repository("a.git", {"file": "1"})
    first = git.clone(forge.url("a.git"), "refs/heads/main", tmp_path / "c", allow=[forge.address])
    second = forge.commit(seed, {"file": "2"}, "second")
    forge.publish(seed, "a.git", "HEAD:refs/heads/other")
    seen: list[str] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            done = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=False)
            seen.append(done.stdout)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with caplog.at_level(logging.DEBUG):
            options = {"token": token, "allow": [forge.address]}
            url, into = forge.url("a.git"), tmp_path / "c"
            # New: nothing may be there.
            git.push(into, url, f"{first}:refs/heads/new", expected="", **options)  # type: ignore[arg-type]
            with pytest.raises(Refused):
                git.push(into, url, f"{first}:refs/heads/other", expected="", **options)  # type: ignore[arg-type]
            with pytest.raises(Refused):
                git.push(into, url, f"{first}:refs/heads/other", expected=first, **options)  # type: ignore[arg-type]
            git.push(into, url, f"{first}:refs/heads/other", expected=second, **options)  # type: ignore[arg-type]
            for refspec in (f"{first}:main", "main:refs/heads/x", "--delete:refs/heads/x"):
                with pytest.raises(UserError):
                    git.push(into, url, refspec, expected="", **options)  # type: ignore[arg-type]
    finally:
        stop.set()
        watcher.join()
    bare = forge.root / "a.git"
    assert system_git("rev-parse", "refs/heads/new", "refs/heads/other", cwd=bare).split() == [first, first]
    assert any(said and said.startswith("Basic ") for said in forge.authorizations)
    assert seen
    assert not any(token in text for text in seen)
    assert token not in caplog.text
    everywhere = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert token.encode() not in everywhere


@dataclass(frozen=True)
class Login:
    user: str = "packit"
    token: str = "canary-token-4711"

    @property
    def header(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.token}".encode()).decode()


@pytest.mark.parametrize("hides", [True, False])
def test_what_is_private_is_fetched_with_a_login(hides: bool, forge: Forge, tmp_path: Path) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    commit = system_git("rev-parse", "HEAD", cwd=seed)
    forge.secret["a.git"], forge.hides = Login().header, hides
    url, ref, allow = forge.url("a.git"), "refs/heads/main", [forge.address]
    for number, login in enumerate((None, Login(token="another-token"))):
        with pytest.raises(Refused) as refused:
            git.clone(url, ref, tmp_path / str(number), login=login, allow=allow)
        assert "another-token" not in str(refused.value)
    assert git.clone(url, ref, tmp_path / "c", login=Login(), allow=allow) == commit


def test_a_login_is_shown_to_its_repository_alone_and_left_nowhere(
    forge: Forge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither to where it is redirected, nor for a submodule or an alternate, nor on disk or a command line."""
    forge.repository("b.git", {"file": "2"})
    seed = forge.repository(
        "a.git", {".gitmodules": f'[submodule "b"]\n path = b\n url = {forge.url("b.git")}\n'}
    )
    second = system_git("rev-parse", "HEAD", cwd=forge.root / "b.git")
    system_git("update-index", "--add", "--cacheinfo", f"160000,{second},b", cwd=seed)
    system_git("commit", "--quiet", "--message", "submodule", cwd=seed)
    forge.publish(seed, "a.git", "main")
    forge.secret["a.git"] = Login().header
    seen: list[str] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            done = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=False)
            seen.append(done.stdout)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with caplog.at_level(logging.DEBUG):
            git.clone(
                forge.url("a.git"), "refs/heads/main", tmp_path / "c", login=Login(), allow=[forge.address]
            )
            asked = len(forge.authorizations)
            assert asked >= 2
            assert set(forge.authorizations) == {Login().header}
            with pytest.raises(Refused, match="302"):
                git.clone(
                    forge.url("elsewhere/b.git"),
                    "refs/heads/main",
                    tmp_path / "d",
                    login=Login(),
                    allow=[forge.address],
                )
            assert len(forge.authorizations) == asked + 1, "nobody went where it was redirected"
    finally:
        stop.set()
        watcher.join()
    assert seen
    proofs = (Login().token, Login().header.rpartition(" ")[2])
    assert not any(proof in text for text in (*seen, caplog.text) for proof in proofs)
    places = [file for name in ("c", "d") for file in (tmp_path / name).rglob("*") if file.is_file()]
    everywhere = b"".join(file.read_bytes() for file in places)
    assert places
    assert not any(proof.encode() in everywhere for proof in proofs)


def test_a_bundle_brings_a_commit_out_of_a_jail(forge: Forge, tmp_path: Path, work: Path) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    into = tmp_path / "c"
    first = git.clone(forge.url("a.git"), "refs/heads/main", into, allow=[forge.address])
    subprocess.run(["cp", "-r", str(into / ".git"), str(work / "repo")], check=True)
    script = (
        f"git config core.fsmonitor 'touch {tmp_path}/canary'; git config core.bare true;"
        "git config user.name x; git config user.email x@y;"
        f"new=$(git commit-tree -p {first} -m new {first}^{{tree}}) && git update-ref refs/heads/new $new &&"
        f"git bundle create --quiet /work/bundle refs/heads/new ^{first} && echo $new"
    )
    said = Cell(work, limits=SMALL, environment={"GIT_CONFIG_COUNT": "0"}).run(
        ["sh", "-c", script], folder="repo"
    )
    assert said.well, said
    taken = git.take(into, work / "bundle", "refs/heads/new")
    assert taken == said.output.strip()
    assert system_git("log", "-1", "--format=%s %P", taken, cwd=into) == f"new {first}"
    with pytest.raises(UserError):
        git.take(into, work / "bundle", "refs/heads/other")
    (work / "broken").write_bytes((work / "bundle").read_bytes()[:-30])
    with pytest.raises(UserError):
        git.take(into, work / "broken", "refs/heads/new")
    assert not (tmp_path / "canary").exists()
    assert seed.exists()


def test_a_bundle_of_objects_that_git_should_not_have_is_refused(tmp_path: Path) -> None:
    """A directory entry called .git would be the configuration of whoever checks it out."""
    made, ours = tmp_path / "made", tmp_path / "ours"
    for folder in (made, ours):
        folder.mkdir()
        system_git("init", "--quiet", cwd=folder)
    (made / "x").write_text("x")
    blob = system_git("hash-object", "-w", "x", cwd=made)
    (made / "tree").write_bytes(b"100644 .git\0" + bytes.fromhex(blob))
    tree = system_git("hash-object", "-t", "tree", "-w", "--literally", "tree", cwd=made)
    commit = system_git("commit-tree", "-m", "x", tree, cwd=made)
    system_git("update-ref", "refs/heads/x", commit, cwd=made)
    system_git("bundle", "create", str(tmp_path / "bundle"), "refs/heads/x", cwd=made)
    with pytest.raises(UserError, match=r"hasDotgit|\.git"):
        git.take(ours, tmp_path / "bundle", "refs/heads/x")
    # And one whose objects build upon others that are not there.
    bare = system_git("commit-tree", "-m", "y", "-p", commit, tree, cwd=made)
    system_git("update-ref", "refs/heads/y", bare, cwd=made)
    system_git("bundle", "create", str(tmp_path / "thin"), "refs/heads/y", f"^{commit}", cwd=made)
    with pytest.raises(UserError, match=r"index-pack|rev-list"):
        git.take(ours, tmp_path / "thin", "refs/heads/y")
    assert system_git("for-each-ref", cwd=ours) == ""


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 9000, b"# v2 git bundle\n", b"# v2 git bundle\n" + b"x refs/heads/x\n" * 9]
)
def test_what_is_no_bundle_is_refused(content: bytes, tmp_path: Path) -> None:
    system_git("init", "--quiet", cwd=tmp_path)
    (tmp_path / "bundle").write_bytes(content)
    with pytest.raises(UserError):
        git.take(tmp_path, tmp_path / "bundle", "refs/heads/x")
