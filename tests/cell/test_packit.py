"""The program packit in jails: the real one (``make packit``), with rpmbuild."""

from __future__ import annotations

import dataclasses
import io
import os
import tarfile
from pathlib import Path

import pytest

from packit_worker.cell import Limits, NoCell, git
from packit_worker.cell import program as programs
from packit_worker.cell.packit import Packit
from packit_worker.cell.session import PackitFailed, _block
from packit_worker.errors import UserError
from tests import having
from tests.cell.conftest import Forge, Trap
from tests.cell.conftest import git as system_git

SPEC = """\
Name:           hello
Version:        {version}
Release:        1%{{?dist}}
Summary:        Says hello
License:        MIT
URL:            https://example.com/hello
Source0:        {source}
BuildArch:      noarch
{more}
%description
Says hello.

%prep
%autosetup

%changelog
* Mon Jan 01 2024 A B <a@b.c> - {version}-1
- first
"""
CONFIG = """\
specfile_path: hello.spec
upstream_package_name: hello
downstream_package_name: hello
upstream_project_url: https://example.com/hello
"""
QUICK = Limits(seconds=100)


def spec(version: str = "0.1.0", source: str = "hello-%{version}.tar.gz", more: str = "") -> str:
    return SPEC.format(version=version, source=source, more=more)


@pytest.fixture
def program(work: Path) -> str:
    """The path of packit."""
    return having.the_program_packit()


@pytest.fixture
def upstream(forge: Forge) -> Path:
    seed = forge.repository("hello.git", {".packit.yaml": CONFIG, "hello.spec": spec(), "hello.txt": "hi\n"})
    system_git("tag", "0.1.0", cwd=seed)
    (seed / "link").symlink_to("hello.txt")
    return seed


def cloned(
    forge: Forge, seed: Path, name: str, into: Path, files: dict[str, str], branch: str = "main"
) -> str:
    forge.commit(seed, files, "more")
    forge.publish(seed, name, branch, "--tags")
    return git.clone(forge.url(name), f"refs/heads/{branch}", into, allow=[forge.address])


def test_without_the_program_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(NoCell, match="not installed") as raised:
        Packit(tmp_path / "no-packit")
    assert "install packit" in raised.value.next_step


def test_without_a_jail_nothing_runs(
    forge: Forge, upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    program = tmp_path / "bin" / "packit"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {canary}\n")
    program.chmod(0o755)
    commit = cloned(forge, upstream, "hello.git", tmp_path / "clone", {"x": "y"})
    packit = Packit(program)
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(NoCell):
        packit.srpm(tmp_path / "clone", commit, tmp_path)
    assert not canary.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its jail to another user")
def test_a_program_that_the_jail_cannot_read(
    forge: Forge, upstream: Path, work: Path, tmp_path: Path
) -> None:
    commit = cloned(forge, upstream, "hello.git", tmp_path / "clone", {"x": "y"})
    program = work / "closed" / "bin" / "packit"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (work / "closed").chmod(0o700)
    with pytest.raises(NoCell, match=f"may not look into {program.parent}") as raised:
        Packit(program).srpm(tmp_path / "clone", commit, tmp_path)
    assert "/usr/bin/python3" in raised.value.next_step


@pytest.mark.parametrize("allow", [[], ["bugzilla.redhat.com"]])
def test_bugzilla_is_asked_only_where_it_may_be(allow: list[str]) -> None:
    named = [place for place in programs.files("a", "a@b.c", allow) if place.endswith("/bugzilla.py")]
    assert bool(named) is not bool(allow)


def test_output_is_shown_as_it_is_and_no_more() -> None:
    text = "\x1b[31mred\x1b[0m @everyone\n```\n[x](http://evil)\n" + "\n".join(f"line {n}" for n in range(20))
    shown = _block(text)
    assert shown.startswith("````\n")
    assert shown.endswith("\n````")
    assert "\x1b" not in shown
    assert len(_block("x" * 100_000)) < 4000
    assert len(_block("x\n" * 100_000).splitlines()) == 32


def test_a_source_package_is_made(forge: Forge, upstream: Path, program: str, tmp_path: Path) -> None:
    commit = cloned(forge, upstream, "hello.git", tmp_path / "clone", {"hello.txt": "more\n"})
    made = Packit(program, limits=QUICK).srpm(
        tmp_path / "clone", commit, tmp_path, package="hello", job_index=None, release_suffix="7.pr1"
    )
    assert made == tmp_path / "hello-0.1.0-1.7.pr1.src.rpm"
    assert made.read_bytes()[:4] == b"\xed\xab\xee\xdb"
    # The clone that was handed in is as it was, and may still be pushed from.
    assert os.listdir(tmp_path / "clone") == [".git"]


def test_the_job_of_the_configuration_counts(
    forge: Forge, upstream: Path, program: str, tmp_path: Path
) -> None:
    jobs = (
        "jobs:\n- {job: copr_build, trigger: pull_request, targets: fedora-43}\n"
        "- {job: copr_build, trigger: pull_request, targets: fedora-43, release_suffix: '9.second'}\n"
    )
    commit = cloned(forge, upstream, "hello.git", tmp_path / "clone", {".packit.yaml": CONFIG + jobs})
    made = Packit(program, limits=QUICK).srpm(tmp_path / "clone", commit, tmp_path, job_index=1)
    assert made.name == "hello-0.1.0-1.9.second.src.rpm"


def test_a_broken_spec_is_for_the_user(forge: Forge, upstream: Path, program: str, tmp_path: Path) -> None:
    commit = cloned(
        forge, upstream, "hello.git", tmp_path / "clone", {"hello.spec": "Name: hello\nNonsense\n"}
    )
    with pytest.raises(PackitFailed) as raised:
        Packit(program, limits=QUICK).srpm(tmp_path / "clone", commit, tmp_path)
    assert "making the source package failed" in str(raised.value)
    assert "```" in str(raised.value)
    assert raised.value.output


def test_a_hostile_spec_and_hostile_actions_stay_inside(
    forge: Forge, upstream: Path, program: str, tmp_path: Path, outside: Path, trap: Trap
) -> None:
    canary = outside / "canary"
    secret = outside / "secret"
    secret.write_text("canary-secret-1234")
    secret.chmod(0o644)
    bad = f"touch {canary} /tmp/canary; cat {secret}; curl -m 2 http://127.0.0.1:{trap.port}/"
    config = (
        CONFIG
        + f"actions:\n  post-upstream-clone:\n  - 'sh -c \"{bad}; echo the action ran\"'\n"
        + "  fix-spec-file:\n  - rpmspec -P hello.spec\n  - cat /work/proof\n  - 'sh -c \"exit 1\"'\n"
    )
    hostile = spec(more=f"%global evil %({bad}; echo the-macro-ran > /work/proof; echo 1)")
    files = {".packit.yaml": config, "hello.spec": hostile}
    commit = cloned(forge, upstream, "hello.git", tmp_path / "clone", files)
    with pytest.raises(PackitFailed) as raised:
        Packit(program, limits=dataclasses.replace(QUICK, output_kept=1 << 20)).srpm(
            tmp_path / "clone", commit, tmp_path
        )
    # They did run, and it got them nowhere.
    assert "the action ran" in raised.value.output
    assert "the-macro-ran" in raised.value.output
    assert not canary.exists()
    assert not Path("/tmp/canary").exists()
    assert "canary-secret-1234" not in raised.value.output
    assert trap.seen == []


def test_a_result_that_is_a_link_is_not_taken(
    forge: Forge, upstream: Path, program: str, tmp_path: Path, outside: Path
) -> None:
    secret = outside / "secret"
    secret.write_text("canary-secret-1234")
    secret.chmod(0o644)
    evil = "mkdir -p /work/result && ln -s " + str(secret) + " /work/result/hello-9-9.src.rpm"
    config = CONFIG + f"actions:\n  post-upstream-clone:\n  - 'sh -c \"{evil}\"'\n"
    commit = cloned(forge, upstream, "hello.git", tmp_path / "clone", {".packit.yaml": config})
    with pytest.raises(UserError, match="no source package"):
        Packit(program, limits=QUICK).srpm(tmp_path / "clone", commit, tmp_path)
    assert not list(tmp_path.glob("*.src.rpm"))


def test_an_action_that_hangs_times_out(forge: Forge, upstream: Path, program: str, tmp_path: Path) -> None:
    config = CONFIG + "actions:\n  post-upstream-clone:\n  - echo begun\n  - sleep 1000\n"
    commit = cloned(forge, upstream, "hello.git", tmp_path / "clone", {".packit.yaml": config})
    with pytest.raises(UserError, match="timed out after 6 s"):
        Packit(program, limits=dataclasses.replace(QUICK, seconds=6)).srpm(
            tmp_path / "clone", commit, tmp_path
        )


def archive(version: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        entry = tarfile.TarInfo(f"hello-{version}/hello.txt")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"hi\n"))
    return made.getvalue()


def test_a_release_is_proposed_without_tokens_and_without_a_forge(
    forge: Forge, upstream: Path, program: str, tmp_path: Path, trap: Trap
) -> None:
    source = f"http://127.0.0.1:{trap.port}/hello-%{{version}}.tar.gz"
    commit = forge.commit(upstream, {"hello.spec": spec("0.2.0", source)}, "release")
    system_git("tag", "0.2.0", cwd=upstream)
    forge.publish(upstream, "hello.git", "main", "--tags")
    git.clone(forge.url("hello.git"), "refs/heads/main", tmp_path / "up", allow=[forge.address])
    forge.repository("rpm.git", {"hello.spec": spec("0.1.0", source), "sources": ""}, branch="rawhide")
    before = git.clone(forge.url("rpm.git"), "refs/heads/rawhide", tmp_path / "dg", allow=[forge.address])
    packit = Packit(
        program, limits=QUICK, allow=[f"127.0.0.1:{trap.port}"], author="Service", email="s@e.org"
    )
    proposal = packit.propose_downstream(
        tmp_path / "up", commit, tmp_path / "dg", "rawhide", "0.2.0", tmp_path, bugs=["rhbz#1"]
    )
    assert proposal is not None
    shown = system_git("log", "-1", "--stat", "--format=%an %ae%n%B%P", proposal.commit, cwd=tmp_path / "dg")
    assert shown.startswith("Service s@e.org\nUpdate to 0.2.0 upstream release")
    assert before in shown
    assert "hello.spec" in shown
    assert "sources" in shown
    assert [taken.name for taken in proposal.archives] == ["hello-0.2.0.tar.gz"]
    assert "SHA512 (hello-0.2.0.tar.gz) = " in system_git(
        "show", f"{proposal.commit}:sources", cwd=tmp_path / "dg"
    )
    # Pushing is for the caller, outside, from the clone that no jail has touched.
    git.push(
        *(tmp_path / "dg", forge.url("rpm.git"), f"{proposal.commit}:refs/heads/0.2.0-rawhide-update"),
        token="token-of-dist-git",
        expected="",
        allow=[forge.address],
    )
    pushed = system_git("rev-parse", "refs/heads/0.2.0-rawhide-update", cwd=forge.root / "rpm.git")
    assert pushed == proposal.commit


def test_files_are_synchronised_from_dist_git(
    forge: Forge, upstream: Path, program: str, tmp_path: Path
) -> None:
    config = CONFIG + "files_to_sync:\n- hello.spec\n"
    commit = cloned(forge, upstream, "hello.git", tmp_path / "up", {".packit.yaml": config})
    changed = spec(more="# changed downstream")
    forge.repository("rpm.git", {"hello.spec": changed}, branch="rawhide")
    git.clone(forge.url("rpm.git"), "refs/heads/rawhide", tmp_path / "dg", allow=[forge.address])
    packit = Packit(program, limits=QUICK)
    proposal = packit.sync_from_downstream(
        tmp_path / "up", commit, tmp_path / "dg", "rawhide", "Sync from rawhide"
    )
    assert proposal is not None
    assert (
        system_git("log", "-1", "--format=%s %P", proposal.commit, cwd=tmp_path / "up")
        == f"Sync from rawhide {commit}"
    )
    assert "changed downstream" in system_git("show", f"{proposal.commit}:hello.spec", cwd=tmp_path / "up")


def test_nothing_to_synchronise_is_no_commit(
    forge: Forge, upstream: Path, program: str, tmp_path: Path
) -> None:
    config = CONFIG + "files_to_sync:\n- hello.spec\n"
    commit = cloned(forge, upstream, "hello.git", tmp_path / "up", {".packit.yaml": config})
    forge.repository("rpm.git", {"hello.spec": spec()}, branch="rawhide")
    git.clone(forge.url("rpm.git"), "refs/heads/rawhide", tmp_path / "dg", allow=[forge.address])
    assert (
        Packit(program, limits=QUICK).sync_from_downstream(
            tmp_path / "up", commit, tmp_path / "dg", "rawhide", "x"
        )
        is None
    )
