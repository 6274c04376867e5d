"""Private projects that an operator lets in: read and fetched with our account, and no secret of it gets about.

What is done in the open (Copr, Testing Farm) is refused for them, with what to do instead.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packit_worker.sandbox import Sandbox
from tests import having

from .test_dist_git import JOB as SYNC
from .test_dist_git import PACKAGE, UPSTREAM, page, push, with_url
from .test_dist_git import PACKIT as SYNCING
from .test_downstream import CONFIG as DOWNSTREAM
from .test_downstream import make
from .test_downstream import packit as proposing
from .test_gitlab import GROUP, PATH, known, project, statuses, tell
from .test_pagure import BUILD as PAGURE_BUILD
from .test_push import push as pushed
from .world import CONFIG, ONE_BUILD, PAGURE_PROJECT, REPOSITORY, SPEC, World

__all__ = ["proposing"]

LET_IN = {"enabled_private_namespaces": ["127.0.0.1/acme"]}
#: Ends badly if it finds a token: in the environment or command line of any process, in the clone, in a mounted file.
LOOKING = """\
#!/bin/sh
found=$(cat /proc/*/environ /proc/*/cmdline $(find /work -path "*/.git/*" -type f) 2>/dev/null |
  tr "\\0" "\\n" | grep -a -i -e "gh[s]_" -e "authorization[:]" -e "extra[h]eader" -e "sandbox-[a-z]*-token")
if [ -n "$found" ]; then echo "a token is in the jail"; exit 4; fi
"""
KOJI = "specfile_path: hello.spec\njobs:\n- {job: upstream_koji_build, trigger: pull_request, targets: [fedora-43]}\n"
CHECK = "koji-build:f43"
RPMBUILD = "#!/bin/sh\nmkdir -p /work/result && echo srpm > /work/result/hello-1.0-1.src.rpm\n"
PREPARING = "mkdir -p /work/sources && cp hello.spec /work/sources/\n"


def fetches(sandbox: Sandbox, server: str, path: str) -> list[int]:
    """How git was answered about a repository."""
    return [call.status for call in sandbox.calls(server) if call.path.startswith(f"/{path}.git/")]


def program(texts: dict[str, str]) -> Iterator[str]:
    """A program packit, where the user of the jail can get to it, and what it calls."""
    having.a_jail()
    if shutil.which("git") is None:
        having.missing("no git here")
    with tempfile.TemporaryDirectory(prefix="packit-worker-program-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        for name, text in texts.items():
            (place / name).write_text(text)
            (place / name).chmod(0o755)
        yield str(place / "packit")


@pytest.fixture(scope="module")
def preparing() -> Iterator[str]:
    yield from program({"packit": LOOKING + PREPARING, "rpmbuild": RPMBUILD})


@pytest.fixture(scope="module")
def syncing() -> Iterator[str]:
    yield from program({"packit": LOOKING + SYNCING.removeprefix("#!/bin/sh\n")})


def test_a_pull_request_on_github_is_built_in_koji(
    make_world: Callable[..., World], sandbox: Sandbox, preparing: str
) -> None:
    having.the_library_koji()
    world = make_world(packit={"program": preparing}, **LET_IN)
    world.approve()
    pull = world.repository(KOJI, private=True)
    world.post(world.opened(pull))
    world.work()
    (task,) = sandbox.koji.tasks
    assert task.target == "f43"
    assert set(fetches(sandbox, "github", REPOSITORY)) == {200}
    sandbox.koji.finish(task.id)
    world.work()
    assert world.conclusions(pull.head_sha) == {CHECK: "success"}
    world.shop.services.koji.close()  # type: ignore[attr-defined]


def test_without_the_right_to_read_it_is_told(
    make_world: Callable[..., World], sandbox: Sandbox, preparing: str
) -> None:
    """The App may have lost the repository after it told of it."""
    having.the_library_koji()
    world = make_world(packit={"program": preparing}, **LET_IN)
    world.approve()
    pull = world.repository(KOJI, private=True)
    world.post(world.opened(pull))
    world.work(lanes=("parse", "short-running", "report"))
    sandbox.faults.add("github", kind="status", status=404, path=r"\.git/info/refs")
    world.work()
    assert sandbox.koji.tasks == []
    check = world.checks(pull.head_sha)[CHECK]
    assert check["conclusion"] in ("failure", "action_required")
    world.shop.services.koji.close()  # type: ignore[attr-defined]


def test_copr_and_testing_farm_see_nothing_of_it(make_world: Callable[..., World], sandbox: Sandbox) -> None:
    world = make_world(**LET_IN)
    world.approve()
    alone = (
        "  - {job: tests, trigger: pull_request, skip_build: true, identifier: alone, targets: [fedora-43]}\n"
    )
    public = alone.replace("alone", "public").replace(
        "targets", "fmf_url: https://example.org/tests, targets"
    )
    pull = world.repository(CONFIG + alone + public, private=True)
    world.post(world.opened(pull))
    world.work()
    assert sandbox.copr.builds == []
    (request,) = sandbox.testing_farm.requests
    assert request.test["fmf"]["url"] == "https://example.org/tests"
    shown = world.checks(pull.head_sha)
    refused = {
        name for name, check in shown.items() if "the project is private" in check["output"]["summary"]
    }
    assert refused == set(shown) - {"testing-farm:fedora-43-x86_64:public"}
    assert "Have it built in Koji" in shown["rpm-build:fedora-43-x86_64"]["output"]["summary"]
    assert "in a public repository" in shown["testing-farm:fedora-43-x86_64:alone"]["output"]["summary"]


def test_a_push_to_a_public_project_is_fetched_without_a_token(
    make_world: Callable[..., World], sandbox: Sandbox, preparing: str
) -> None:
    having.the_library_koji()
    world = make_world(packit={"program": preparing})
    world.approve()
    pushed(world, KOJI.replace("pull_request", "commit"))
    assert len(sandbox.koji.tasks) == 1
    assert sandbox.github.gate._narrow == {}, "nobody made a token for it"
    world.shop.services.koji.close()  # type: ignore[attr-defined]


def test_a_release_on_gitlab_is_proposed(
    make_world: Callable[..., World], sandbox: Sandbox, proposing: str
) -> None:
    let_in = {"enabled_private_namespaces": [f"127.0.0.1/{GROUP}"]}
    world = known(make(make_world, sandbox, packit={"program": proposing}, **let_in))
    project(world, visibility="private")
    sha = sandbox.gitlab.push(PATH, files={".packit.yaml": DOWNSTREAM, "hello.spec": SPEC})
    sandbox.gitlab.add_release(PATH, "v1.0", ref=sha)
    tell(world, "Release Hook", tag="v1.0")
    assert set(statuses(world, sha).values()) == {"success"}
    assert set(fetches(sandbox, "gitlab", PATH)) == {200}


def private_pagure(world: World, config: str) -> Any:
    """A pull request in a private project on Pagure, where our account may commit."""
    world.pagure_project(private=True, commit=["packit"])
    files = {".packit.yaml": config, "hello.spec": SPEC}
    return world.sandbox.pagure.open_pull_request(PAGURE_PROJECT, author="alice", files=files)


def test_a_pull_request_on_pagure(make_world: Callable[..., World], sandbox: Sandbox) -> None:
    """Its configuration is read as our account, and the flags tell what cannot be done."""
    world = make_world(**LET_IN)
    world.approve()
    pull = private_pagure(world, ONE_BUILD)
    world.hook("pull-request.new", pull_request=pull.id)
    world.work()
    assert sandbox.copr.builds == []
    assert world.flags(pull.id) == {PAGURE_BUILD: "failure"}
    (flag,) = sandbox.pagure.flags(PAGURE_PROJECT, pull.id)
    assert "private" in flag["comment"]


def test_a_private_project_on_pagure_that_nobody_let_in(
    make_world: Callable[..., World], sandbox: Sandbox
) -> None:
    world = make_world()
    world.approve()
    pull = private_pagure(world, ONE_BUILD)
    world.hook("pull-request.new", pull_request=pull.id)
    world.work()
    assert sandbox.pagure.flags(PAGURE_PROJECT, pull.id) == []
    (refusal,) = [one for one in world.decisions(world.events()[0].delivery_id) if "private" in str(one.text)]
    assert "enabled_private_namespaces" in (refusal.next_step or "")


@pytest.mark.parametrize("forge", ["github", "pagure"])
def test_a_push_to_dist_git_is_brought_to_a_private_project(
    forge: str, make_world: Callable[..., World], sandbox: Sandbox, syncing: str
) -> None:
    world = make_world(packit={"program": syncing}, **LET_IN)
    world.approve()
    files = {".packit.yaml": UPSTREAM, "hello.spec": "x"}
    if forge == "github":
        sandbox.github.add_repository(REPOSITORY, installation_id=1001, private=True, files=files)
        where, path = page(world), REPOSITORY
    else:
        sandbox.pagure.add_project(PAGURE_PROJECT, private=True, commit=["packit"], files=files)
        where, path = f"{sandbox.pagure.url}/{PAGURE_PROJECT}", PAGURE_PROJECT
    spec = with_url(world, where)
    sandbox.dist_git.add_package("hello", files={".packit.yaml": SYNC, "hello.spec": spec, "sources": ""})
    sha = push(world)
    (flag,) = sandbox.pagure.flags(PACKAGE, sha)
    assert flag["status"] == "success", flag["comment"]
    assert flag["url"].startswith(where)
    assert set(fetches(sandbox, forge, path)) <= {200, 401}
    assert 200 in fetches(sandbox, forge, path)
