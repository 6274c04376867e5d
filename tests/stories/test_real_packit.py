"""Koji builds and proposals with the real program packit in the real jail: from a webhook to what is seen outside."""

from __future__ import annotations

import io
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests import having

from .test_downstream import pulls
from .test_release import publish
from .world import REPOSITORY, World

pytestmark = pytest.mark.slow

SPEC = """\
Name:           hello
Version:        {version}
Release:        1%{{?dist}}
Summary:        Says hello
License:        MIT
URL:            https://example.com/hello
Source0:        {source}
BuildArch:      noarch

%description
Says hello.

%prep
%autosetup

%files

%changelog
* Thu Jan 01 2026 Mia <mia@example.com> - {version}-1
- First build
"""
CONFIG = """\
specfile_path: hello.spec
upstream_package_name: hello
downstream_package_name: hello
upstream_tag_template: v{version}
jobs:
"""
KOJI = "- {job: upstream_koji_build, trigger: pull_request, targets: [fedora-43]}\n"
PROPOSE = "- {job: propose_downstream, trigger: release, dist_git_branches: [rawhide, f43]}\n"


@pytest.fixture(scope="module")
def program() -> str:
    having.a_jail()
    return having.the_program_packit()


class Downloads:
    """A server on 127.0.0.1 with the archives of all versions, as they are asked for."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}
        there = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = re.fullmatch(r"/hello-([0-9.]+)\.tar\.gz", self.path)
                # What is served once stays the same, as it does where releases are uploaded to.
                body = there.archives.setdefault(found[1], _archive(found[1])) if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.source = f"http://{self.address}/hello-%{{version}}.tar.gz"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def downloads() -> Iterator[Downloads]:
    made = Downloads()
    yield made
    made.close()


def _archive(version: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        entry = tarfile.TarInfo(f"hello-{version}/hello.txt")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"hi\n"))
    return made.getvalue()


def test_a_pull_request_is_built_in_koji(make_world: Callable[..., World], program: str) -> None:
    """PullRequestGithubKojiBuildHandler, KojiBuildReportHandler."""
    having.the_library_koji()
    world = make_world(packit={"program": program})
    world.approve()
    files = {
        ".packit.yaml": CONFIG + KOJI,
        "hello.spec": SPEC.format(version="1.0", source="hello-%{version}.tar.gz"),
        "hello.txt": "hi\n",
    }
    world.sandbox.github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    pull = world.sandbox.github.open_pull_request(REPOSITORY, author="alice", files=files, title="Say hello")
    world.post(world.opened(pull))
    world.work()
    check = world.checks(pull.head_sha)["koji-build:f43"]
    assert check["status"] == "in_progress", check["output"]
    (task,) = world.sandbox.koji.tasks
    assert re.fullmatch(r"hello-1\.0-1\..*\.src\.rpm", task.srpm or ""), task.srpm
    world.sandbox.koji.finish(task.id)
    world.work()
    assert world.conclusions(pull.head_sha) == {"koji-build:f43": "success"}
    world.shop.services.koji.close()  # type: ignore[attr-defined]


def test_a_release_is_proposed(make_world: Callable[..., World], program: str, downloads: Downloads) -> None:
    """propose_downstream, ProposeDownstreamHandler."""
    world = make_world(packit={"program": program, "allow": [downloads.address]})
    world.approve()
    before = SPEC.format(version="0.1", source=downloads.source)
    world.sandbox.dist_git.add_package("hello", files={"hello.spec": before, "sources": ""})
    sha = released(world, CONFIG + PROPOSE, SPEC.format(version="1.0", source=downloads.source))
    checks = world.checks(sha)
    assert world.conclusions(sha) == {
        "propose-downstream:rawhide": "success",
        "propose-downstream:f43": "success",
    }, [check["output"] for check in checks.values()]
    found = pulls(world)
    assert set(found) == {"rawhide", "f43"}
    for branch in found:
        changed = world.sandbox.dist_git.files("forks/packit/rpms/hello", f"1.0-{branch}-update")
        spec = changed["hello.spec"].decode()
        assert re.search(r"^Version: +1\.0$", spec, re.MULTILINE)
        assert "Update to" in spec, "the changelog"
        assert b"SHA512 (hello-1.0.tar.gz) = " in changed["sources"]
    (archive,) = world.sandbox.lookaside.archives
    assert archive.content == downloads.archives["1.0"]
    assert max(world.sandbox.effects().values()) == 1


def released(world: World, config: str, spec: str, tag: str = "v1.0") -> str:
    """Alice pushes and releases; the workers do what follows. The commit."""
    world.repository(config)
    files: dict[str, Any] = {".packit.yaml": config, "hello.spec": spec, "hello.txt": "hi\n"}
    sha: str = world.sandbox.github.push(REPOSITORY, branch="main", files=files)
    world.sandbox.github.add_tag(REPOSITORY, tag, sha)
    publish(world, tag)
    return sha
