"""The stand-in for Koji, driven by Koji's own library where it is installed."""

import gc
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.client import SandboxClient
from packit_worker.sandbox.koji_state import KojiFault
from tests import having

koji = having.the_library_koji()

SRPM = "hello-0.74-1.fc43.src.rpm"


def session_of(sandbox: Sandbox, **options: Any) -> Any:
    told = {"user": sandbox.koji.username, "password": sandbox.koji.password, "max_retries": 0}
    return koji.ClientSession(sandbox.koji.hub_url, opts=told | options)


@pytest.fixture
def session(sandbox: Sandbox) -> Iterator[Any]:
    """Somebody logged in."""
    made = session_of(sandbox)
    assert made.login()
    yield made
    made.logout()
    made.rsession.close()


@pytest.fixture
def srpm(session: Any, tmp_path: Path) -> str:
    """An SRPM that is uploaded: its place at the hub."""
    (tmp_path / SRPM).write_bytes(b"an srpm" * 1000)
    with (
        warnings.catch_warnings()
    ):  # Koji's client leaves the file open, which Python warns of when it cleans up
        warnings.simplefilter("ignore", ResourceWarning)
        session.uploadWrapper(str(tmp_path / SRPM), "cli-build/1", blocksize=3000)
        gc.collect()
    return f"cli-build/1/{SRPM}"


def states(sandbox: Sandbox) -> list[tuple[str, Any, Any]]:
    return [
        (message["topic"].split(".")[-3], message["body"]["old"], message["body"]["new"])
        for message in sandbox.bus.messages()
    ]


def test_who_and_what(sandbox: Sandbox, session: Any) -> None:
    assert (session.getAPIVersion(), session.hub_version >= (1, 35)) == (1, True)
    assert session.getLoggedInUser()["name"] == "packit"
    assert {"rawhide", "f43", "epel9-candidate"} <= {one["name"] for one in session.getBuildTargets()}
    assert session.getBuildTarget("f43")["dest_tag_name"] == "f43-updates"
    assert session.getBuildTarget("nothing") is None
    with pytest.raises(koji.GenericError, match="No such build target"):
        session.getBuildTarget("nothing", strict=True)
    with pytest.raises(koji.GenericError, match="Invalid method"):
        session.explode()
    with pytest.raises(koji.ParameterError):
        session.getTaskInfo()
    assert session.getUser("packit")["id"] == session.getLoggedInUser()["id"]


def test_logins(sandbox: Sandbox) -> None:
    nobody = session_of(sandbox, password="wrong")
    assert nobody.getLoggedInUser() is None
    with pytest.raises(koji.AuthError, match="invalid username"):
        nobody.login()
    with pytest.raises(koji.ActionNotAllowed, match="logged in"):
        nobody.build("git+https://x/hello#1", "f43")
    nobody.setSession(nobody._callMethod("sslLogin", [], {}))
    assert nobody.getLoggedInUser()["name"] == "packit"
    somebody = session_of(sandbox)
    somebody.login()
    sandbox.koji.expire_sessions()
    assert somebody.getLoggedInUser()["name"] == "packit", "it logs in again"
    for one in (nobody, somebody):
        one.logout()
        one.rsession.close()


def test_scratch_build(sandbox: Sandbox, session: Any, srpm: str) -> None:
    assert sandbox.koji.state.uploads[srpm] == b"an srpm" * 1000
    options = {"scratch": True, "custom_user_metadata": {"packit": "run-17"}}
    task_id = session.build(srpm, "f43", options)
    info = session.getTaskInfo(task_id, request=True)
    assert (info["state"], info["request"], info["method"]) == (0, [srpm, "f43", options], "build")
    sandbox.koji.start(task_id)
    assert session.getTaskInfo(task_id)["state"] == koji.TASK_STATES["OPEN"]
    children = session.getTaskChildren(task_id)
    assert [(one["method"], one["arch"]) for one in children] == [
        ("rebuildSRPM", "noarch"),
        ("buildArch", "x86_64"),
    ]
    assert session.getTaskDescendents(task_id)[str(task_id)] == children
    sandbox.koji.finish(task_id)
    assert session.getTaskInfo(task_id)["state"] == koji.TASK_STATES["CLOSED"]
    assert session.getTaskResult(task_id)["srpms"] == [SRPM]
    assert states(sandbox) == [("task", None, "FREE"), ("task", "FREE", "OPEN"), ("task", "OPEN", "CLOSED")]
    last = sandbox.bus.messages()[-1]
    assert last["topic"] == "org.fedoraproject.prod.buildsys.task.state.change"
    body = last["body"]
    assert (body["owner"], body["srpm"], body["method"], body["id"]) == ("packit", SRPM, "build", task_id)
    assert [child["id"] for child in body["info"]["children"]] == [one["id"] for one in children]
    assert (body["info"]["state"], body["info"]["request"][1]) == (2, "f43")
    assert session.listBuilds(taskID=task_id) == []


def test_real_builds(sandbox: Sandbox, session: Any) -> None:
    source = "git+https://src.example.com/rpms/hello.git#" + "a" * 40
    first = session.build(source, "f43")
    sandbox.koji.finish(first, succeeded=False)
    assert session.getBuild("hello-0.1-1.fc43")["state"] == koji.BUILD_STATES["FAILED"]
    with pytest.raises(koji.BuildError, match="error building package"):
        session.getTaskResult(first)
    second = session.build(source, "f43", {"custom_user_metadata": {"a": "b"}})
    sandbox.koji.finish(second)
    build = session.getBuild({"name": "hello", "version": "0.1", "release": "1.fc43"})
    assert (build["state"], build["task_id"], build["extra"]) == (
        1,
        second,
        {"custom_user_metadata": {"a": "b"}},
    )
    assert [one["nvr"] for one in session.listBuilds(packageID="hello", state=1)] == ["hello-0.1-1.fc43"]
    assert states(sandbox) == [("build", None, 0), ("build", 0, 3), ("build", 3, 0), ("build", 0, 1)]
    body = sandbox.bus.messages()[-1]["body"]
    assert (body["name"], body["release"], body["task_id"], body["request"][0]) == (
        "hello",
        "1.fc43",
        second,
        source,
    )

    third = session.build(source, "f43")
    sandbox.koji.start(third)
    assert session.getTaskInfo(third)["state"] == koji.TASK_STATES["FAILED"]
    with pytest.raises(koji.BuildError, match="already exists"):
        session.getTaskResult(third)
    lost = session.build(source, "f1")
    sandbox.koji.start(lost)
    with pytest.raises(koji.BuildError, match="No such build target: f1"):
        session.getTaskResult(lost)


def test_canceling(sandbox: Sandbox, session: Any, srpm: str) -> None:
    waiting, running = (session.build(srpm, "f43", {"scratch": True}) for _ in range(2))
    sandbox.koji.start(running)
    for task_id in (waiting, running):
        session.cancelTask(task_id)
        assert session.getTaskInfo(task_id)["state"] == koji.TASK_STATES["CANCELED"]
    sandbox.koji.add_user("eve", "eve-password")
    eve = session_of(sandbox, user="eve", password="eve-password")
    eve.login()
    with pytest.raises(koji.ActionNotAllowed, match="not owner"):
        eve.cancelTask(running)
    eve.logout()
    eve.rsession.close()
    with pytest.raises(koji.GenericError, match="No such task"):
        session.cancelTask(1)
    assert session.getTaskInfo(1) is None


def test_lists_and_multicall(sandbox: Sandbox, session: Any, srpm: str) -> None:
    tasks = [session.build(srpm, target, {"scratch": True}) for target in ("f42", "f43", "rawhide")]
    sandbox.koji.finish(tasks[0])
    mine = {"owner": session.getLoggedInUser()["id"], "method": "build", "decode": True}
    listed = session.listTasks(mine, {"order": "-id", "limit": 2})
    assert [(one["id"], one["request"][1]) for one in listed] == [(tasks[2], "rawhide"), (tasks[1], "f43")]
    assert [one["id"] for one in session.listTasks({"state": [0], "method": "build"})] == tasks[1:]
    with session.multicall() as many:
        answers = [many.getTaskInfo(task_id) for task_id in tasks]
        broken = many.getBuild("none", strict=True)
    assert [one.result["id"] for one in answers] == tasks
    with pytest.raises(koji.GenericError, match="No such build"):
        assert broken.result
    with pytest.raises(koji.GenericError, match="No such file"):
        session.build("cli-build/2/other-1-1.src.rpm", "f43")


def test_a_lost_answer_is_no_second_build(sandbox: Sandbox, session: Any, srpm: str) -> None:
    """Koji's client sends a call again when the connection breaks; the hub knows its number."""
    sandbox.faults.add("koji", kind="drop_after_commit")
    with pytest.raises(koji.RetryError):
        session.build(srpm, "f43", {"scratch": True})
    assert len(sandbox.koji.tasks) == 1
    sandbox.faults.add("koji", kind="drop_before")
    session.build(srpm, "rawhide", {"scratch": True})
    assert set(sandbox.effects().values()) == {1}


def test_pages_and_logs(sandbox: Sandbox, session: Any, srpm: str) -> None:
    task_id = session.build(srpm, "f43", {"note": "<script>x</script>"})
    sandbox.koji.finish(task_id)
    arch = session.getTaskChildren(task_id)[1]["id"]
    build = session.listBuilds(taskID=task_id)[0]["build_id"]
    for path in (
        "",
        "koji/tasks",
        f"koji/taskinfo?taskID={task_id}",
        f"koji/taskinfo?taskID={arch}",
        f"koji/buildinfo?buildID={build}",
    ):
        answer = requests.get(f"{sandbox.koji.url}/{path}", timeout=5)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text
    log = f"{sandbox.koji.url}/work/tasks/{arch % 10000}/{arch}/build.log"
    assert "buildArch on x86_64" in requests.get(log, timeout=5).text
    assert "build.log" in session.listTaskOutput(arch)
    assert requests.get(f"{sandbox.koji.url}/koji/taskinfo?taskID=1", timeout=5).status_code == 404


def test_tasks_move_by_themselves(moving: Sandbox) -> None:
    session = session_of(moving)
    session.login()
    moving.koji.outcomes["f42"] = "failed"
    moving.koji.outcomes["epel9"] = "canceled"
    source = "git+https://src.example.com/rpms/hello.git#1"
    wanted = {"f43": "CLOSED", "f42": "FAILED", "epel9": "CANCELED"}
    tasks = {target: session.build(source, target) for target in wanted}
    deadline = time.monotonic() + 5
    while {target: moving.koji.task(number).state for target, number in tasks.items()} != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(states(moving)) == 6
    session.logout()
    session.rsession.close()


def test_nonsense_is_refused(sandbox: Sandbox) -> None:
    for body in (b"", b"<x>", b"<?xml version='1.0'?><methodCall></methodCall>"):
        answer = requests.post(sandbox.koji.hub_url, data=body, timeout=5)
        assert "faultCode" in answer.text


def test_over_control(sandbox: Sandbox, session: Any, srpm: str) -> None:
    task_id = session.build(srpm, "f43", {"scratch": True})
    with SandboxClient(sandbox.control_url) as client:
        client.koji.finish(task_id, succeeded=False)
        (task,) = client.koji.tasks()
        assert (task.state, task.srpm, task.scratch) == ("FAILED", SRPM, True)
        client.koji.add_target("f99", "fc99", arches=["x86_64", "aarch64"])
        assert session.getBuildTarget("f99")
        client.koji.set_outcome("f99", "stuck")
        client.reset()
    session.setSession(None)  # the login is gone as well
    assert sandbox.koji.tasks == []
    with pytest.raises(KojiFault):
        sandbox.koji.task(task_id)
