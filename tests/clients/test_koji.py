"""Koji's client against the sandbox's hub: what it does, in how many calls, and how it fails."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from packit_worker.errors import NotFound, Refused, TemporaryError, Unanswered
from packit_worker.sandbox import Sandbox
from tests import having

from .conftest import SLOW, TIMEOUT

having.the_library_koji()

from packit_worker.clients.koji import KojiClient, KojiOrder  # noqa: E402 - imports the library

SRPM = "tool-0.1-1.fc43.src.rpm"
FROM_GIT = KojiOrder(
    target="f43",
    marker="run-17",
    scratch=False,
    source="git+https://src.example.com/rpms/tool.git#" + "a" * 40,
)


def client(sandbox: Sandbox, *, password: str | None = None) -> KojiClient:
    return KojiClient(
        hub_url=sandbox.koji.hub_url,
        web_url=f"{sandbox.koji.url}/koji",
        results_url=sandbox.koji.url,
        username=sandbox.koji.username,
        password=password or sandbox.koji.password,
        timeout=TIMEOUT,
    )


@pytest.fixture
def koji(sandbox: Sandbox) -> Iterator[KojiClient]:
    made = client(sandbox)
    yield made
    sandbox.faults.clear()
    made.close()


@pytest.fixture
def order(tmp_path: Path) -> KojiOrder:
    (tmp_path / SRPM).write_bytes(b"srpm" * 1000)
    return KojiOrder(target="f43", marker="run-17", scratch=True, srpm=tmp_path / SRPM)


@contextmanager
def leaving_answers_open() -> Iterator[None]:
    """koji does not close an answer that is a failure, which Python warns of when it cleans up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


def test_targets_are_asked_for_once(sandbox: Sandbox, koji: KojiClient) -> None:
    assert {"rawhide", "f43", "epel9"} <= koji.targets()
    assert koji.targets() == frozenset(sandbox.koji.state.targets)
    assert len(sandbox.calls("koji")) == 1


def test_a_scratch_build_from_order_to_log(sandbox: Sandbox, koji: KojiClient, order: KojiOrder) -> None:
    ordered = koji.build(order)
    (made,) = sandbox.koji.tasks
    assert (made.scratch, made.target, made.srpm) == (True, "f43", SRPM)
    assert made.options["custom_user_metadata"] == {"packit_worker": "run-17"}
    assert sandbox.koji.state.uploads[made.request[0]] == b"srpm" * 1000
    assert len(sandbox.calls("koji")) == 3, "a login, an upload, an order"
    assert (ordered.id, ordered.state, ordered.is_final) == (made.id, "FREE", False)
    assert ordered.url == f"{sandbox.koji.url}/koji/taskinfo?taskID={made.id}"

    sandbox.koji.finish(made.id)
    done = koji.task(made.id)
    assert (done.state, done.is_final, done.target, done.scratch) == ("CLOSED", True, "f43", True)
    assert koji.log_url(done.arch_tasks["x86_64"]).endswith(
        f"/work/tasks/{done.arch_tasks['x86_64'] % 10000}/{done.arch_tasks['x86_64']}/build.log"
    )


def test_large_and_empty_srpms(sandbox: Sandbox, koji: KojiClient, order: KojiOrder) -> None:
    assert order.srpm is not None
    for content in (b"", b"x" * (4 * 1024 * 1024), b"y" * (4 * 1024 * 1024 + 1)):
        order.srpm.write_bytes(content)
        koji.build(order)
        assert sandbox.koji.state.uploads[sandbox.koji.tasks[-1].request[0]] == content


def test_from_git(sandbox: Sandbox, koji: KojiClient) -> None:
    task = koji.build(FROM_GIT)
    sandbox.koji.finish(task.id)
    (build,) = sandbox.koji.builds
    assert (build.name, koji.task(task.id).scratch) == ("tool", False)
    assert koji.build_url(build.id) == f"{sandbox.koji.url}/koji/buildinfo?buildID={build.id}"
    with pytest.raises(ValueError, match="Either"):
        koji.build(replace(FROM_GIT, source=None))


def test_cancel(sandbox: Sandbox, koji: KojiClient) -> None:
    task = koji.build(FROM_GIT)
    koji.cancel(task.id)
    assert koji.task(task.id).state == "CANCELED"
    koji.cancel(task.id)
    for ask in (koji.cancel, koji.task):
        with pytest.raises(NotFound):
            ask(17)


def test_an_order_without_an_answer_is_found(sandbox: Sandbox, koji: KojiClient) -> None:
    koji.build(replace(FROM_GIT, marker="run-16"))
    sandbox.faults.add("koji", kind="drop_after_commit")
    with pytest.raises(Unanswered):
        koji.build(FROM_GIT)
    koji.build(replace(FROM_GIT, marker="run-17", target="f42"))
    assert len(sandbox.koji.tasks) == 3, "nothing was ordered twice"
    found = koji.find_build(FROM_GIT)
    assert found is not None and found.id == sandbox.koji.tasks[1].id
    assert koji.find_build(replace(FROM_GIT, marker="run-18")) is None


def test_a_broken_connection_is_mended(sandbox: Sandbox, koji: KojiClient) -> None:
    koji.targets()
    sandbox.faults.add("koji", kind="drop_before", skip=1)
    koji.build(FROM_GIT)
    assert len(sandbox.koji.tasks) == 1


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [(404, NotFound, NotFound), (500, TemporaryError, Unanswered), (503, TemporaryError, TemporaryError)],
)
def test_statuses(
    sandbox: Sandbox, koji: KojiClient, status: int, reading: type[Exception], writing: type[Exception]
) -> None:
    task = koji.build(FROM_GIT)
    sandbox.faults.add("koji", kind="status", status=status, times=None)
    with leaving_answers_open():
        with pytest.raises(reading) as caught:
            koji.task(task.id)
        assert type(caught.value) is reading
        with pytest.raises(writing) as caught:
            koji.build(FROM_GIT)
        assert type(caught.value) is writing
        del caught
    assert len(sandbox.koji.tasks) == 1


def test_slow_answers(sandbox: Sandbox, koji: KojiClient) -> None:
    koji.build(FROM_GIT)
    sandbox.faults.add("koji", kind="delay", seconds=SLOW, times=2)
    with pytest.raises(Unanswered):
        koji.build(FROM_GIT)
    assert len(sandbox.koji.tasks) <= 2


def test_nobody_there() -> None:
    koji = KojiClient(hub_url="http://127.0.0.1:9/kojihub", username="x", password="y", timeout=TIMEOUT)
    for ask in (koji.targets, lambda: koji.build(FROM_GIT)):
        with pytest.raises(TemporaryError, match="cannot be reached") as caught:
            ask()
        assert type(caught.value) is TemporaryError


def test_refusals(sandbox: Sandbox, koji: KojiClient) -> None:
    with pytest.raises(Refused, match="No such file"):
        koji.build(replace(FROM_GIT, source="cli-build/1/lost-1-1.src.rpm"))
    with pytest.raises(Refused, match="configured"):
        KojiClient(hub_url=sandbox.koji.hub_url).build(FROM_GIT)


def test_sessions_end_and_begin_again(sandbox: Sandbox, koji: KojiClient) -> None:
    koji.build(FROM_GIT)
    sandbox.koji.expire_sessions()
    koji.build(FROM_GIT)
    sandbox.koji.state.sessions.clear()
    with pytest.raises(TemporaryError, match="session"):
        koji.build(FROM_GIT)
    koji.build(FROM_GIT)
    assert len(sandbox.koji.tasks) == 3


def test_wrong_password_in_no_text_and_no_log(sandbox: Sandbox, logged: pytest.LogCaptureFixture) -> None:
    koji = client(sandbox, password="p-canary-canary")
    with pytest.raises(Refused, match="invalid username or password") as caught:
        koji.build(FROM_GIT)
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r} {logged.text}"
    koji.close()
