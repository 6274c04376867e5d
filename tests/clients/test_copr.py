"""Copr's client against the sandbox over HTTP: what it does, in how many calls, and how it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clients.statuses import STATUSES
from packit_worker.clients.copr import CoprClient
from packit_worker.errors import NotFound, Refused, TemporaryError, Unanswered
from packit_worker.ports import Copr, CoprBuild, CoprOrder, CoprProject
from packit_worker.sandbox import Sandbox

from .conftest import SLOW, TIMEOUT, calls

CHROOT, OTHER = "fedora-rawhide-x86_64", "epel-9-x86_64"
PROJECT = CoprProject(owner="packit", name="acme-tool-7", chroots=(CHROOT,), description="Pull request 7")
ORDER = CoprOrder(
    owner="packit",
    project="acme-tool-7",
    chroots=(CHROOT,),
    script="#!/bin/sh -e\n# packit-worker run-17\ngit clone x\n",
    script_chroot=CHROOT,
    script_builddeps=("git-core", "packit"),
    marker="# packit-worker run-17",
    enable_net=True,
    timeout=3600,
)


def client(sandbox: Sandbox) -> CoprClient:
    made = sandbox.copr
    return CoprClient(
        url=made.url, username=made.username, login=made.login, token=made.token, timeout=TIMEOUT
    )


@pytest.fixture
def copr(sandbox: Sandbox) -> CoprClient:
    """A client and the project it builds in."""
    copr = client(sandbox)
    copr.ensure_project(PROJECT)
    sandbox.recorder.clear()
    return copr


def test_keeps_the_contract(sandbox: Sandbox) -> None:
    copr: Copr = client(sandbox)
    assert copr.account == "packit"
    assert not sandbox.calls("copr")


def test_chroots_are_asked_for_once(sandbox: Sandbox, copr: CoprClient) -> None:
    sandbox.copr.mock_chroots.append("_hidden")
    assert copr.available_chroots() == copr.available_chroots() == frozenset(sandbox.copr.mock_chroots[:-1])
    assert calls(sandbox, "copr") == ["GET /api_3/mock-chroots/list"]


def test_a_project_is_made_once_and_only_grows(sandbox: Sandbox) -> None:
    copr = client(sandbox)
    copr.ensure_project(PROJECT)
    copr.ensure_project(PROJECT)
    assert calls(sandbox, "copr") == [
        "GET /api_3/project",
        "POST /api_3/project/add/packit",
        "GET /api_3/project",
    ]
    made = sandbox.copr.project("packit", "acme-tool-7")
    assert made.settings["delete_after_days"] == 60
    assert made.settings["unlisted_on_hp"] is True

    copr.ensure_project(replace(PROJECT, chroots=(OTHER,), additional_repos=("copr://a/b",)))
    grown = sandbox.copr.project("packit", "acme-tool-7")
    assert grown.chroots == [CHROOT, OTHER]
    assert grown.settings["additional_repos"] == ["copr://a/b"]
    assert grown.settings["description"] == "Pull request 7"
    assert grown.edits == 1


def test_somebody_elses_project(sandbox: Sandbox) -> None:
    copr = client(sandbox)
    theirs = replace(PROJECT, owner="mia", name="tool")
    with pytest.raises(Refused, match="permissions"):
        copr.ensure_project(theirs)
    sandbox.copr.add_project("mia", "tool", chroots=[CHROOT])
    copr.ensure_project(theirs)
    with pytest.raises(Refused) as caught:
        copr.ensure_project(replace(theirs, chroots=(OTHER,)))
    assert caught.value.status == 403
    assert caught.value.answer == "Only owners and admins may update their projects."


def test_another_worker_makes_the_project_first(sandbox: Sandbox) -> None:
    copr = client(sandbox)
    sandbox.faults.add("copr", kind="status", status=404, method="GET", path="/project$")
    sandbox.copr.add_project("packit", "acme-tool-7", chroots=[OTHER])
    copr.ensure_project(PROJECT)
    assert sandbox.copr.project("packit", "acme-tool-7").chroots == [OTHER, CHROOT]


def test_a_build_from_order_to_log(sandbox: Sandbox, copr: CoprClient) -> None:
    build = copr.build(ORDER)
    assert calls(sandbox, "copr") == ["POST /api_3/build/create/custom"]
    (made,) = sandbox.copr.builds
    assert made.source["script"] == ORDER.script
    assert made.source["builddeps"] == ["git-core", "packit"]
    assert made.source["chroot"] == CHROOT
    assert made.enable_net and list(made.states) == [CHROOT]
    assert build.url == f"{sandbox.copr.url}/coprs/build/{build.id}"

    sandbox.copr.finish(build.id, "srpm-builds", succeeded=False)
    failed = copr.get_build(build.id)
    assert failed.state == "failed" and failed.package is None
    assert copr.log_url(failed, CHROOT).endswith(f"/srpm-builds/{build.id:08}/builder-live.log.gz")

    again = copr.build(ORDER)
    sandbox.copr.finish_all(again.id)
    done = copr.get_build(again.id)
    assert (done.state, done.chroots, done.package) == ("succeeded", {CHROOT: "succeeded"}, "acme-tool-7")
    assert copr.log_url(done, CHROOT) == (
        f"{sandbox.copr.url}/results/packit/acme-tool-7/{CHROOT}/{again.id:08}-acme-tool-7/builder-live.log.gz"
    )


def test_fedoras_logs_are_on_the_download_host() -> None:
    copr = CoprClient(
        url="https://copr.fedorainfracloud.org", username="packit", login="l" * 20, token="t" * 20
    )
    build = CoprBuild(id=17, url="", owner="@acme", project="tool", package="tool")
    assert copr.log_url(build, CHROOT) == (
        "https://download.copr.fedorainfracloud.org/results/@acme/tool/"
        f"{CHROOT}/00000017-tool/builder-live.log.gz"
    )


@pytest.mark.parametrize("kind", ["drop_after_commit", "status_after"])
def test_an_order_without_an_answer_is_found(sandbox: Sandbox, copr: CoprClient, kind: str) -> None:
    copr.build(replace(ORDER, script="# packit-worker run-16\n"))
    sandbox.faults.add("copr", kind=kind, status=502, method="POST")
    with pytest.raises(Unanswered):
        copr.build(ORDER)
    copr.build(replace(ORDER, script="# packit-worker run-18\n"))
    sandbox.recorder.clear()
    found = copr.find_build(ORDER)
    assert found is not None and found.id == sandbox.copr.builds[1].id
    assert len(sandbox.calls("copr")) == 3
    assert copr.find_build(replace(ORDER, marker="# packit-worker run-19")) is None
    assert copr.find_build(replace(ORDER, project="none")) is None


def test_cancel(sandbox: Sandbox, copr: CoprClient) -> None:
    build = copr.build(ORDER)
    copr.cancel_build(build.id)
    assert copr.get_build(build.id).state == "canceled"
    copr.cancel_build(build.id)
    with pytest.raises(NotFound):
        copr.cancel_build(17)
    with pytest.raises(NotFound):
        copr.get_build(17)


@pytest.mark.parametrize(("status", "reading", "writing"), STATUSES)
def test_statuses(
    sandbox: Sandbox, copr: CoprClient, status: int, reading: type[Exception], writing: type[Exception]
) -> None:
    build = copr.build(ORDER)
    sandbox.faults.add("copr", kind="status", status=status, times=2)
    with pytest.raises(reading) as caught:
        copr.get_build(build.id)
    assert type(caught.value) is reading and str(status) in str(caught.value)
    with pytest.raises(writing) as caught:
        copr.build(ORDER)
    assert type(caught.value) is writing and str(status) in str(caught.value)


def test_slow_answers_and_no_second_sending(sandbox: Sandbox, copr: CoprClient) -> None:
    sandbox.faults.add("copr", kind="delay", seconds=SLOW, times=2)
    with pytest.raises(Unanswered, match="timed out"):
        copr.build(ORDER)
    with pytest.raises(TemporaryError) as caught:
        copr.available_chroots()
    assert type(caught.value) is TemporaryError
    assert len(sandbox.copr.builds) <= 1


def test_nobody_there() -> None:
    copr = CoprClient(url="http://127.0.0.1:9", username="x", login="l" * 20, token="t" * 20, timeout=TIMEOUT)
    with pytest.raises(TemporaryError, match="cannot be reached") as caught:
        copr.build(ORDER)
    assert type(caught.value) is TemporaryError


def test_no_token_is_configured(sandbox: Sandbox) -> None:
    copr = CoprClient(url=sandbox.copr.url, username="packit", login="", token="")
    assert copr.available_chroots()
    with pytest.raises(Refused, match="configured"):
        copr.build(ORDER)


def test_wrong_token_in_no_text_and_no_log(sandbox: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    copr = CoprClient(
        url=sandbox.copr.url, username="packit", login="l-canary-canary", token="t-canary-canary"
    )
    with pytest.raises(Refused, match="API token") as caught:
        copr.build(ORDER)
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r} {logged.text}"
    assert "build/create" in logged.text, "nothing was logged at all"
