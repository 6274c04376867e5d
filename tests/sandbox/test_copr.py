"""The stand-in for Copr, driven by Copr's own client."""

import gc
import time
import warnings
from pathlib import Path

import pytest
from copr.v3 import (
    Client,
    CoprAuthException,
    CoprNoResultException,
    CoprRequestException,
)

from packit_worker.sandbox import Sandbox

from .conftest import copr_client

CHROOTS = ["fedora-43-x86_64", "fedora-rawhide-x86_64"]


def topics(sandbox: Sandbox) -> list[tuple[str, str, int]]:
    return [
        (message["topic"].rpartition(".")[2], message["body"]["chroot"], message["body"]["status"])
        for message in sandbox.bus.messages()
    ]


def wait_for(build_id: int, client: Client, state: str) -> None:
    deadline = time.monotonic() + 5
    while client.build_proxy.get(build_id).state != state:
        assert time.monotonic() < deadline, client.build_proxy.get(build_id)
        time.sleep(0.02)


def upload(copr: Client, srpm: Path) -> None:
    """Copr's client leaves the file open, which Python warns of when it cleans up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        copr.build_proxy.create_from_file("packit", "hello", str(srpm), buildopts={"chroots": CHROOTS[:1]})
        gc.collect()


def test_project_is_made_read_and_edited(sandbox: Sandbox, copr: Client) -> None:
    with pytest.raises(CoprNoResultException):
        copr.project_proxy.get("packit", "hello")
    copr.project_proxy.add(
        "packit", "hello", CHROOTS, description="Hi", delete_after_days=60, unlisted_on_hp=True
    )
    copr.project_proxy.edit(
        "packit",
        "hello",
        chroots=[*CHROOTS, "epel-10-x86_64"],
        additional_repos=["copr://a/b"],
        instructions="Do",
    )

    found = copr.project_proxy.get("packit", "hello")
    assert sorted(found.chroot_repos) == sorted([*CHROOTS, "epel-10-x86_64"])
    assert (found.description, found.instructions, found.delete_after_days) == ("Hi", "Do", 60)
    assert found.additional_repos == ["copr://a/b"]
    recorded = sandbox.copr.project("packit", "hello")
    assert (recorded.settings["unlisted_on_hp"], recorded.edits) == (True, 1)
    assert [one.name for one in copr.project_proxy.get_list("packit")] == ["hello"]


def test_refused_projects(copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", CHROOTS)
    with pytest.raises(CoprRequestException, match="already have a project"):
        copr.project_proxy.add("packit", "hello", CHROOTS)
    assert copr.project_proxy.add("packit", "hello", CHROOTS, exist_ok=True).name == "hello"
    with pytest.raises(CoprRequestException, match="not a valid choice"):
        copr.project_proxy.add("packit", "other", ["fedora-1-x86_64"])
    with pytest.raises(CoprAuthException):
        copr.project_proxy.add("somebody", "hello", CHROOTS)


def test_strangers_may_nothing(sandbox: Sandbox, copr: Client) -> None:
    sandbox.copr.add_project("@group", "hello", chroots=CHROOTS)
    with pytest.raises(CoprAuthException, match="Only owners and admins may update their projects"):
        copr.project_proxy.edit("@group", "hello", description="Mine")
    with pytest.raises(CoprAuthException, match="You don't have permissions to build in this copr"):
        copr.build_proxy.create_from_custom("@group", "hello", "true")

    copr.project_proxy.request_permissions("@group", "hello", {"builder": True})
    assert sandbox.copr.project("@group", "hello").permissions == {"packit": {"builder": "request"}}
    sandbox.copr.grant("@group", "hello", "packit", "builder")
    assert copr.project_proxy.can_build_in("packit", "@group", "hello")
    assert copr.build_proxy.create_from_custom("@group", "hello", "true").ownername == "@group"
    with pytest.raises(CoprRequestException, match="Login invalid"):
        copr_client(sandbox, token="wrong").build_proxy.create_from_custom("@group", "hello", "true")


def test_build_by_hand(sandbox: Sandbox, copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", CHROOTS)
    made = copr.build_proxy.create_from_custom(
        "packit",
        "hello",
        "make hello.spec",
        script_chroot="fedora-43-x86_64",
        buildopts={"chroots": CHROOTS[:1]},
    )
    assert (made.state, made.source_package["name"]) == ("pending", None)

    sandbox.copr.start(made.id, "srpm-builds")
    assert copr.build_proxy.get_source_chroot(made.id).state == "running"
    sandbox.copr.finish(made.id, "srpm-builds")
    assert copr.build_chroot_proxy.get(made.id, CHROOTS[0]).state == "pending"
    sandbox.copr.start(made.id, CHROOTS[0])
    assert copr.build_proxy.get(made.id).state == "running"
    sandbox.copr.finish(made.id, CHROOTS[0], succeeded=False)

    found = copr.build_proxy.get(made.id)
    assert (found.state, found.source_package["name"], found.submitter) == ("failed", "hello", "packit")
    assert found.ended_on
    assert [(one.name, one.state) for one in copr.build_chroot_proxy.get_list(made.id)] == [
        (CHROOTS[0], "failed")
    ]
    assert topics(sandbox) == [
        ("start", "srpm-builds", 3),
        ("end", "srpm-builds", 1),
        ("start", CHROOTS[0], 3),
        ("end", CHROOTS[0], 0),
    ]
    [build] = sandbox.copr.builds
    assert build.source == {"type": "custom", "script": "make hello.spec", "chroot": "fedora-43-x86_64"}
    assert build.chroots == {CHROOTS[0]: "failed"}
    config = copr.build_proxy.get_source_build_config(made.id)
    assert config.source_dict["script"] == "make hello.spec"


def test_message_has_the_fields_of_real_ones(sandbox: Sandbox, copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", CHROOTS[:1])
    build = copr.build_proxy.create_from_custom("packit", "hello", "make hello.spec")
    sandbox.copr.finish_all(build.id)

    first, *_, last = sandbox.bus.messages()
    fields = {
        "build",
        "chroot",
        "copr",
        "ip",
        "owner",
        "pid",
        "pkg",
        "status",
        "user",
        "version",
        "what",
        "who",
    }
    assert set(first["body"]) == set(last["body"]) == fields
    assert (first["topic"], first["body"]["pkg"]) == ("org.fedoraproject.prod.copr.build.start", None)
    assert (last["topic"], last["body"]["pkg"]) == ("org.fedoraproject.prod.copr.build.end", "hello")
    assert (last["body"]["owner"], last["body"]["copr"], last["body"]["build"]) == (
        "packit",
        "hello",
        build.id,
    )


def test_builds_of_every_source(sandbox: Sandbox, copr: Client, tmp_path: Path) -> None:
    copr.project_proxy.add("packit", "hello", CHROOTS)
    srpm = tmp_path / "hello-1-1.src.rpm"
    srpm.write_bytes(b"\xed\xab\xee\xdb" * 1000)
    copr.build_proxy.create_from_url("packit", "hello", "http://x/hello-1-1.src.rpm")
    copr.build_proxy.create_from_scm(
        "packit", "hello", "http://x/hello.git", committish="main", spec="hello.spec"
    )
    upload(copr, srpm)

    assert [build.source["type"] for build in sandbox.copr.builds] == ["link", "scm", "upload"]
    assert [build.package_name for build in sandbox.copr.builds] == ["hello", "hello", "hello"]
    assert sandbox.copr.builds[2].source["bytes"] == 4000
    assert sandbox.copr.builds[2].chroots == {CHROOTS[0]: "waiting"}
    with pytest.raises(CoprRequestException, match="not a valid choice"):
        copr.build_proxy.create_from_custom("packit", "hello", "x", buildopts={"chroots": ["epel-8-x86_64"]})


def test_lists_cancel_and_delete(sandbox: Sandbox, copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", CHROOTS)
    first, second, third = (
        copr.build_proxy.create_from_custom("packit", "hello", str(n)).id for n in range(3)
    )
    sandbox.copr.finish_all(first)
    sandbox.copr.start(second, CHROOTS[0])
    assert copr.build_proxy.cancel(second).state == "canceled"
    assert topics(sandbox)[-1] == ("end", CHROOTS[0], 2)
    with pytest.raises(CoprRequestException, match="Cannot cancel"):
        copr.build_proxy.cancel(first)

    assert [one.id for one in copr.build_proxy.get_list("packit", "hello")] == [first, second, third]
    assert [one.id for one in copr.build_proxy.get_list("packit", "hello", status="canceled")] == [second]
    page = copr.build_proxy.get_list("packit", "hello", pagination={"limit": 1, "offset": 1})
    assert ([one.id for one in page], page.meta.limit) == ([second], 1)
    copr.build_proxy.delete(third)
    with pytest.raises(CoprNoResultException):
        copr.build_proxy.get(third)
    assert len(copr.build_proxy.get_built_packages(first)[CHROOTS[0]]["packages"]) == 2


def test_chroots(sandbox: Sandbox, copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", CHROOTS)
    copr.project_chroot_proxy.edit("packit", "hello", CHROOTS[0], additional_packages=["make"])
    assert copr.project_chroot_proxy.get("packit", "hello", CHROOTS[0]).additional_packages == ["make"]
    with pytest.raises(CoprNoResultException):
        copr.project_chroot_proxy.get("packit", "hello", "epel-8-x86_64")
    assert "fedora-rawhide-x86_64" in copr.mock_chroot_proxy.get_list()
    copr.project_proxy.delete("packit", "hello")
    with pytest.raises(CoprNoResultException):
        copr.project_proxy.get("packit", "hello")


def test_builds_move_by_themselves(moving: Sandbox) -> None:
    copr = copr_client(moving)
    copr.project_proxy.add("packit", "good", CHROOTS)
    copr.project_proxy.add("packit", "bad", CHROOTS)
    moving.copr.outcomes["bad"] = "failed"
    good = copr.build_proxy.create_from_custom("packit", "good", "x").id
    bad = copr.build_proxy.create_from_custom("packit", "bad", "x").id

    wait_for(good, copr, "succeeded")
    wait_for(bad, copr, "failed")
    moving.copr.outcomes["srpm-builds"] = "failed"
    broken = copr.build_proxy.create_from_custom("packit", "good", "y").id
    wait_for(broken, copr, "failed")
    assert len(topics(moving)) == 6 + 6 + 2
    assert set(moving.copr.build(broken).chroots.values()) == {"failed"}
