"""Somebody pushes to dist-git: upstream gets a pull request (sync_from_downstream, NewDistGitCommitHandler).

By a stand-in for packit in the real jail, and once by the program itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fedora_messaging.message import Message

from packit_worker.cell import Cell, workspace
from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.dist_git import spec
from parsers.dist_git import HOMES

from .world import REPOSITORY, World

PACKAGE = "rpms/hello"
HEAD = "rawhide-downstream-sync"
CHECK = "packit-dev/sync-from-downstream:rawhide"
JOB = "jobs:\n- {job: sync_from_downstream, trigger: commit, dist_git_branches: [rawhide]}\n"
UPSTREAM = "specfile_path: hello.spec\nfiles_to_sync: [hello.spec, hello.patch]\njobs: []\n"
PATCH = "--- a\n+++ b\n"
OLD_TOPIC = "org.fedoraproject.prod.git.receive"
#: Does what cell/packit.py expects of packit: the files that upstream's configuration names are those of dist-git.
PACKIT = """\
#!/bin/sh
set -e
case " $* " in *" sync-from-downstream "*) ;; *) echo "no such command: $*"; exit 2;; esac
while [ $# -gt 0 ]; do
  case "$1" in --dist-git-branch) branch=$2; shift;; esac
  shift
done
git clone --quiet --branch "$branch" /work/dist-git.git /work/theirs
if grep -q "^# broken" /work/theirs/hello.spec; then echo "the spec file is broken"; exit 1; fi
for name in $(sed -n 's/^files_to_sync: \\[\\(.*\\)\\]$/\\1/p' .packit.yaml | tr -d ,); do
  if [ -e "/work/theirs/$name" ]; then cp "/work/theirs/$name" "$name"; fi
done
"""


def missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to have it: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def packit() -> Iterator[str]:
    """The path of a stand-in for the program packit, where it can be run in a jail."""
    reason = Cell.available()
    if reason is not None:
        missing(f"no jail here: {reason}")
    if shutil.which("git") is None:
        missing("no git here")
    with workspace() as folder:
        folder.chmod(0o755)
        program = folder / "packit"
        program.write_text(PACKIT)
        program.chmod(0o755)
        yield str(program)


@pytest.fixture(scope="module")
def real_packit() -> str:
    """The path of the program itself."""
    reason = Cell.available()
    if reason is not None:
        missing(f"no jail here: {reason}")
    found = os.environ.get("PACKIT_PROGRAM") or shutil.which("packit")
    if found is None:
        missing("no program packit here: PACKIT_PROGRAM, PATH")
    assert found is not None
    return found


@pytest.fixture
def world(make_world: Callable[..., World], sandbox: Sandbox, packit: str) -> World:
    return make(make_world, sandbox, packit)


def make(make_world: Callable[..., World], sandbox: Sandbox, packit: str, **settings: Any) -> World:
    """A world with upstream, which is approved and has the App, and the same files in dist-git."""
    world = make_world(packit={"program": packit}, **settings)
    world.approve()
    upstream = {".packit.yaml": UPSTREAM, "hello.spec": with_url(world)}
    sandbox.github.add_repository(REPOSITORY, installation_id=1001, files=upstream)
    files = {".packit.yaml": JOB, "hello.spec": with_url(world), "sources": ""}
    sandbox.dist_git.add_package("hello", files=files)
    return world


def with_url(world: World, url: str | None = None, *, more: str = "") -> str:
    """The spec file, with the address of upstream in it."""
    return spec("hello").replace("https://github.com/acme/hello", url or page(world)) + more


def page(world: World) -> str:
    return f"{world.sandbox.github.url}/{REPOSITORY}"


def commit(world: World, branch: str = "rawhide", **files: str) -> str:
    """Mia commits; nobody is told yet. By default she adds a patch."""
    named = {name.replace("_", "."): text for name, text in files.items()} or {"hello.patch": PATCH}
    return world.sandbox.dist_git.commit("hello", branch, named)


def tell(world: World, branch: str = "rawhide", *, work: bool = True) -> None:
    """The bus tells of the push; the workers do what follows."""
    world.sandbox.pagure.webhook("git.receive", project=PACKAGE, branch=branch)
    if work:
        world.work()


def push(world: World, branch: str = "rawhide", **files: str) -> str:
    sha = commit(world, branch, **files)
    tell(world, branch)
    return sha


def pulls(world: World) -> list[Any]:
    return list(world.sandbox.github.pull_requests(REPOSITORY))


def upstream_files(world: World, branch: str) -> dict[str, bytes]:
    found = world.sandbox.github.state.repository(REPOSITORY)
    return dict(found.commits[found.branches[branch]].files)


def flag(world: World, sha: str) -> dict[str, Any]:
    """What is shown on a commit in dist-git."""
    (shown,) = world.sandbox.pagure.flags(PACKAGE, sha)
    assert shown["username"] == CHECK
    return shown


def failed(world: World, sha: str) -> str:
    """Nothing came of it upstream; what the flag says."""
    assert pulls(world) == []
    shown = flag(world, sha)
    assert shown["status"] == "failure"
    assert HEAD not in world.sandbox.github.state.repository(REPOSITORY).branches
    return str(shown["comment"])


def test_a_push_is_proposed_upstream(world: World) -> None:
    sha = push(world)
    (pull,) = pulls(world)
    assert (pull["head"]["ref"], pull["base"]["ref"]) == (HEAD, "main")
    assert pull["user"]["login"] == "packit-sandbox[bot]"
    assert "rawhide" in pull["title"] and sha in pull["body"]
    assert upstream_files(world, HEAD)["hello.patch"] == PATCH.encode()
    assert "hello.patch" not in upstream_files(world, "main")
    assert "sources" not in upstream_files(world, HEAD), "only what upstream's configuration names"
    found = world.sandbox.github.state.repository(REPOSITORY)
    assert found.commits[pull["head"]["sha"]].parents == (found.branches["main"],)
    shown = flag(world, sha)
    assert (shown["status"], shown["url"]) == ("success", pull["html_url"])
    assert max(world.sandbox.effects().values()) == 1


def test_told_by_a_hook(make_world: Callable[..., World], sandbox: Sandbox, packit: str) -> None:
    hook = {"instance": sandbox.pagure.url, "project": PACKAGE, "key": "k" * 40}
    world = make(make_world, sandbox, packit, pagure={"hooks": [hook]})
    sandbox.pagure.project(PACKAGE).hook_key = "k" * 40
    commit(world)
    told = sandbox.pagure.webhook("git.receive", project=PACKAGE, branch="rawhide", on_bus=False)
    answer = world.web.post("/api/webhooks/pagure", data=told.body, headers=dict(told.headers))
    assert answer.status_code == 202
    world.work()
    assert len(pulls(world)) == 1
    # And by the bus as well.
    tell(world)
    assert len(pulls(world)) == 1
    assert [event.task for event in world.events()] == ["task.process_dist_git_commit_event"]


@pytest.mark.parametrize("enveloped", [False, True])
def test_told_in_the_old_form(world: World, monkeypatch: pytest.MonkeyPatch, enveloped: bool) -> None:
    """The dist-git before Pagure does not say where it is; nothing of the sandbox answers under the real name."""
    monkeypatch.setitem(HOMES, OLD_TOPIC.removesuffix(".git.receive"), world.sandbox.pagure.url)
    sha = commit(world)
    told: dict[str, Any] = {
        "commit": {"namespace": "rpms", "repo": "hello", "branch": "rawhide", "rev": sha, "agent": "mia"}
    }
    if enveloped:
        told = {"i": 1, "msg": told, "msg_id": "2019-1", "timestamp": 1, "topic": OLD_TOPIC}
    world.consumer(Message(topic=OLD_TOPIC, body=told))
    world.work()
    assert len(pulls(world)) == 1
    assert flag(world, sha)["status"] == "success"


def test_a_second_push_updates_the_pull_request(world: World) -> None:
    push(world)
    (before,) = pulls(world)
    sha = push(world, hello_patch="another patch\n")
    (pull,) = pulls(world)
    assert pull["number"] == before["number"]
    assert pull["head"]["sha"] != before["head"]["sha"]
    assert upstream_files(world, HEAD)["hello.patch"] == b"another patch\n"
    assert flag(world, sha)["url"] == pull["html_url"]
    assert max(world.sandbox.effects().values()) == 1


def test_a_new_one_after_the_first_was_merged(world: World) -> None:
    push(world)
    world.sandbox.github.close_pull_request(REPOSITORY, pulls(world)[0]["number"], merged=True)
    sha = push(world, hello_patch="another patch\n")
    assert [pull["state"] for pull in pulls(world)] == ["closed", "open"]
    assert flag(world, sha)["url"] == pulls(world)[1]["html_url"]


def test_a_push_that_is_told_twice(world: World) -> None:
    push(world)
    tell(world)
    assert len(pulls(world)) == 1
    assert len(world.events()) == 1


def test_nothing_to_synchronise(world: World) -> None:
    """As after a pull request of our own in dist-git: what it brings is upstream already."""
    sha = push(world, sources="SHA512 (hello-0.1.tar.gz) = abc\n")
    assert pulls(world) == []
    assert HEAD not in world.sandbox.github.state.repository(REPOSITORY).branches
    assert flag(world, sha)["comment"] == "Upstream has the same files."
    assert "nothing to synchronise" in world.events()[-1].reason


def test_another_branch(world: World) -> None:
    sha = push(world, "f43")
    assert pulls(world) == []
    assert world.sandbox.pagure.flags(PACKAGE, sha) == []
    assert world.events()[-1].state == "ignored"
    assert "it is for rawhide" in world.events()[-1].reason


def test_each_branch_has_a_pull_request_of_its_own(world: World) -> None:
    both = JOB.replace("[rawhide]", "[rawhide, f43]")
    push(world, **{".packit_yaml": both, "hello_patch": PATCH})
    push(world, "f43", **{".packit_yaml": both, "hello_patch": "older\n"})
    assert sorted(pull["head"]["ref"] for pull in pulls(world)) == ["f43-downstream-sync", HEAD]


def test_a_package_without_the_job(world: World) -> None:
    push(world, **{".packit_yaml": "jobs: []\n"})
    assert pulls(world) == []
    assert world.events()[-1].state == "ignored"


def test_a_configuration_that_cannot_be_used(world: World) -> None:
    """The bus tells of the packages of people who have never heard of this service."""
    sha = push(world, **{".packit_yaml": JOB.replace("job:", "jop:")})
    assert pulls(world) == []
    assert world.sandbox.pagure.flags(PACKAGE, sha) == []
    assert "jop" in world.events()[-1].reason


def test_a_job_for_another_package(world: World) -> None:
    """As where the configuration of upstream's monorepo came to dist-git."""
    push(world, **{".packit_yaml": f"downstream_package_name: other\n{JOB}", "hello_patch": PATCH})
    assert pulls(world) == []
    assert "the job is for the package other" in world.events()[-1].reason


def test_a_package_of_a_monorepo(world: World) -> None:
    several = (
        "packages:\n"
        "  one: {downstream_package_name: hello, specfile_path: hello.spec}\n"
        "  two: {downstream_package_name: other, specfile_path: other.spec}\n"
        "files_to_sync: [hello.patch]\njobs: []\n"
    )
    world.sandbox.github.push(REPOSITORY, files={".packit.yaml": several})
    sha = push(world)
    assert len(pulls(world)) == 1
    assert flag(world, sha)["status"] == "success"


@pytest.mark.parametrize(("name", "account"), [("tools/hello", "tools"), ("hello", "hello")])
def test_upstream_is_on_pagure(world: World, name: str, account: str) -> None:
    """There the branch is in our fork; a project without a namespace is approved by its own name."""
    pagure = world.sandbox.pagure
    pagure.add_project(name, files={".packit.yaml": UPSTREAM, "hello.spec": "x"})
    text = with_url(world, f"{pagure.url}/{name}")
    assert "no account is on the allowlist" in failed(world, push(world, hello_spec=text))
    world.approve(account)
    sha = push(world, hello_patch=PATCH)
    push(world, hello_patch="another patch\n")
    (pull,) = pagure.pull_requests(name)
    assert (pull["branch_from"], pull["branch"], pull["user"]["name"]) == (HEAD, "main", "packit")
    fork = pagure.project(f"forks/packit/{name}").repository.files(HEAD)
    assert fork["hello.patch"] == b"another patch\n"
    assert flag(world, sha)["url"] == f"{pagure.url}/{name}/pull-request/{pull['id']}"
    assert pulls(world) == []


def test_a_spec_file_without_url(world: World) -> None:
    text = "\n".join(line for line in with_url(world).splitlines() if not line.startswith("URL:"))
    sha = push(world, hello_spec=text)
    assert "hello.spec has no URL" in failed(world, sha)
    assert world.events()[-1].state == "done"


def test_the_configuration_names_upstream(world: World) -> None:
    config = f"upstream_project_url: {page(world)}\n{JOB}"
    text = with_url(world, "https://hello.example.com")
    push(world, **{".packit_yaml": config, "hello_spec": text})
    assert len(pulls(world)) == 1


@pytest.mark.skipif(shutil.which("rpmspec") is None, reason="no program rpmspec here")
def test_a_url_with_macros(world: World) -> None:
    """They are the packager's code, and read in the jail."""
    text = with_url(world, f"{page(world).removesuffix('hello')}%{{name}}", more="\n# changed\n")
    sha = push(world, hello_spec=text)
    assert flag(world, sha)["status"] == "success"
    assert len(pulls(world)) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://hello.example.com/hello", "is no project on a forge"),
        ("https://hello.example.com", "no address of an upstream project"),
        ("file:///etc/passwd", "no address of an upstream project"),
        ("ssh://git@github.com/acme/hello", "no address of an upstream project"),
    ],
)
def test_upstream_is_on_no_forge_of_ours(world: World, url: str, words: str) -> None:
    sha = push(world, hello_spec=with_url(world, url))
    assert words in failed(world, sha)


def test_upstream_is_no_project(world: World) -> None:
    sha = push(world, hello_spec=with_url(world, world.sandbox.github.url + "/acme/hello/wiki"))
    assert "is no project on a forge" in failed(world, sha)


def test_the_app_is_not_installed_upstream(world: World) -> None:
    world.sandbox.github.uninstall(1001)
    sha = push(world)
    assert "The GitHub App is not installed in acme/hello" in failed(world, sha)


def test_upstream_is_not_approved(make_world: Callable[..., World], sandbox: Sandbox, packit: str) -> None:
    world = make(make_world, sandbox, packit)
    sandbox.github.add_repository(
        "stranger/hello", installation_id=1002, files={".packit.yaml": UPSTREAM, "hello.spec": "x"}
    )
    url = page(world).replace(REPOSITORY, "stranger/hello")
    sha = push(world, hello_spec=with_url(world, url))
    assert "no account is on the allowlist of this service: stranger" in failed(world, sha)
    assert sandbox.github.pull_requests("stranger/hello") == []


def test_upstream_has_no_configuration(world: World) -> None:
    world.sandbox.github.push(REPOSITORY, files={".packit.yaml": None})
    sha = push(world)
    assert "has no package configuration" in failed(world, sha)


def test_upstream_has_a_configuration_that_cannot_be_used(world: World) -> None:
    world.sandbox.github.push(REPOSITORY, files={".packit.yaml": "jop: []\n"})
    sha = push(world)
    assert failed(world, sha).startswith("Upstream: ")


def test_upstream_is_private(world: World) -> None:
    world.sandbox.github.state.repository(REPOSITORY).private = True
    sha = push(world)
    assert "is private" in failed(world, sha)


def test_upstream_takes_no_push(world: World) -> None:
    world.sandbox.github.state.repository(REPOSITORY).archived = True
    sha = push(world)
    assert "403" in failed(world, sha)


def test_packit_fails(world: World) -> None:
    sha = push(world, hello_spec=with_url(world, more="# broken\n"))
    assert "synchronising from rawhide failed" in failed(world, sha)


def test_a_push_that_is_not_the_last(world: World) -> None:
    """Whoever comes late finds that the last push is dealt with by itself."""
    old = commit(world)
    tell(world, work=False)
    new = commit(world, hello_patch="the last word\n")
    world.work()
    assert pulls(world) == []
    assert flag(world, old)["comment"] == f"Superseded by the newer commit {new[:12]}."
    tell(world)
    assert len(pulls(world)) == 1
    assert upstream_files(world, HEAD)["hello.patch"] == b"the last word\n"


def test_a_branch_that_is_gone(world: World) -> None:
    commit(world)
    tell(world, work=False)
    (world.sandbox.pagure.project(PACKAGE).repository.path / "refs/heads/rawhide").unlink()
    world.work()
    assert pulls(world) == []
    assert world.events()[-1].state in ("done", "ignored")


def test_the_pull_request_comes_at_the_second_attempt(world: World) -> None:
    """The worker has pushed, and GitHub is busy."""
    world.sandbox.faults.add("github", kind="status", status=503, method="POST", path="/pulls", times=1)
    sha = push(world)
    assert pulls(world) == []
    assert HEAD in world.sandbox.github.state.repository(REPOSITORY).branches
    again(world)
    assert len(pulls(world)) == 1
    assert flag(world, sha)["status"] == "success"


def test_an_answer_that_does_not_come(world: World) -> None:
    """The pull request was made, and nobody told us: it is found and not made again."""
    world.sandbox.faults.add("github", kind="drop_after_commit", method="POST", path="/pulls")
    sha = push(world)
    for _ in range(3):
        again(world)
    assert len(pulls(world)) == 1
    assert flag(world, sha)["url"] == pulls(world)[0]["html_url"]
    assert max(world.sandbox.effects().values()) == 1


def again(world: World) -> None:
    """A while later."""
    world.time_passes(seconds=120)
    world.sweep()
    world.work()


def test_without_packit_nothing_runs(
    make_world: Callable[..., World], sandbox: Sandbox, tmp_path: Path
) -> None:
    world = make(make_world, sandbox, str(tmp_path / "none"))
    sha = push(world)
    assert "cannot prepare sources at the moment: the program" in failed(world, sha)


def test_without_an_account_in_dist_git(
    make_world: Callable[..., World], sandbox: Sandbox, packit: str
) -> None:
    """Nothing can be shown there; upstream gets its pull request."""
    world = make(
        make_world, sandbox, packit, dist_git={"login": None, "token": None}, pagure={"instances": []}
    )
    sha = push(world)
    assert len(pulls(world)) == 1
    assert sandbox.pagure.flags(PACKAGE, sha) == []
    assert world.events()[-1].state == "done"


@pytest.mark.slow
def test_with_the_real_packit(make_world: Callable[..., World], sandbox: Sandbox, real_packit: str) -> None:
    """The first push brings a file and a change, the second one more change, the third what is there already."""
    world = make(make_world, sandbox, real_packit)
    text = with_url(world, f"{page(world).removesuffix('hello')}%{{name}}", more="# changed\n")
    push(world, hello_spec=text, hello_patch=PATCH, sources="SHA512 (hello-0.1.tar.gz) = abc\n")
    assert flag(world, sandbox.dist_git.branches("hello")["rawhide"])["status"] == "success"
    files = upstream_files(world, HEAD)
    assert (files["hello.spec"], files["hello.patch"]) == (text.encode(), PATCH.encode())
    assert "sources" not in files
    push(world, hello_patch="another patch\n")
    (pull,) = pulls(world)
    assert upstream_files(world, HEAD)["hello.patch"] == b"another patch\n"
    sandbox.github.close_pull_request(REPOSITORY, pull["number"], merged=True)
    sha = push(world, sources="SHA512 (hello-0.1.tar.gz) = def\n")
    assert flag(world, sha)["comment"] == "Upstream has the same files."
    assert len(pulls(world)) == 1
