"""The sandbox in a process of its own: its command, its control server, its client."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.__main__ import SERVERS
from packit_worker.sandbox.client import SandboxClient, SandboxError

from .receiving import receiver

COMMAND = [sys.executable, "-m", "packit_worker.sandbox"]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[SandboxClient]:
    with SandboxClient(sandbox.control_url) as connected:
        yield connected


def test_a_story_over_http(client: SandboxClient, sandbox: Sandbox) -> None:
    client.github.add_repository("acme/hello", permissions={"alice": "admin"}, installation_id=1001)
    pull = client.github.open_pull_request(
        "acme/hello", author="alice", files={"a.spec": "x"}, title="Straße <b>"
    )
    assert (pull.number, pull.author) == (1, "alice")
    assert (
        client.github.push_to_pull_request("acme/hello", 1, files={"a.spec": "y"}).head_sha != pull.head_sha
    )
    delivery = client.github.webhook("pull_request", "opened", repository="acme/hello", pull_request=1)
    with receiver() as (url, got):
        assert client.github.deliver(delivery, url).status_code == 202
    headers, body = got[0]
    assert json.loads(body)["pull_request"]["title"] == "Straße <b>"
    local = sandbox.github.webhook(
        "pull_request", "opened", repository="acme/hello", pull_request=1, delivery_id=delivery.id
    )
    assert headers["X-Hub-Signature-256"] == local.headers["X-Hub-Signature-256"]
    assert client.github.checks("acme/hello", pull.head_sha) == []
    client.github.add_comment("acme/hello", 1, "Hi", author="bob")
    assert client.github.comments("acme/hello", 1)[0].body == "Hi"


def test_the_rest_over_http(client: SandboxClient, sandbox: Sandbox) -> None:
    client.copr.add_project("packit", "hello", chroots=["fedora-43-x86_64"])
    project = sandbox.copr.project("packit", "hello")
    build = sandbox.copr.create(project, "packit", {"type": "custom", "script": "x"}, project.chroots)
    client.copr.finish(build.id, "srpm-builds")
    client.copr.finish(build.id, "fedora-43-x86_64", succeeded=False)
    assert client.copr.builds()[0].chroots == {"fedora-43-x86_64": "failed"}
    client.copr.set_outcome("hello", "failed")
    assert sandbox.copr.outcomes == {"hello": "failed"}
    assert len(client.bus.messages(after=2)) == 2
    client.faults.add("bus", kind="status", status=418)
    assert requests.get(f"{sandbox.bus.url}/messages", timeout=5).status_code == 418
    assert [call.status for call in client.calls("bus")] == [418]
    assert list(client.effects().values()) == [1]
    client.github.set_rate_limit_remaining(5)
    assert sandbox.github.rate_limit_remaining == 5
    client.reset()
    assert client.copr.builds() == []


def test_refusals_over_http(client: SandboxClient) -> None:
    with pytest.raises(SandboxError, match="Unknown operation"):
        client.github.explode()
    with pytest.raises(SandboxError, match="Not Found"):
        client.github.checks("acme/nothing", "0" * 40)
    with pytest.raises(SandboxError, match="TypeError"):
        client.github.add_repository()


def test_only_json_is_taken(client: SandboxClient, sandbox: Sandbox) -> None:
    client.bus.publish("t", {})
    assert requests.post(f"{sandbox.control_url}/_sandbox/reset", timeout=5).status_code == 415
    assert len(sandbox.bus.messages()) == 1
    about = requests.get(f"{sandbox.control_url}/_sandbox", timeout=5).json()
    assert about["urls"] == sandbox.urls()
    assert {"github.webhook", "github.deliver", "copr.builds", "calls"} <= set(about["operations"])


def test_program_says_where_it_is_and_stops() -> None:
    with subprocess.Popen([*COMMAND, "--manual"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["pid"] == process.pid
        with SandboxClient(told["control"]) as client:
            assert client.urls()["github"] == told["github"]
            assert (
                client.credentials()["testing_farm"]["token"] == told["credentials"]["testing_farm"]["token"]
            )
        for name in SERVERS:
            if name != "control":
                assert requests.get(told[name], timeout=5).status_code == 200, name
        process.terminate()
        assert process.wait(5) == 0


def test_program_stops_with_its_parent() -> None:
    """A process in between starts the sandbox, says its address and ends."""
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), flush=True)\n"
        "input()\n"
        "import os; os._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *COMMAND, "--exit-with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = json.loads(parent.stdout.readline())["pid"]
        os.kill(pid, 0)
        parent.communicate("\n")
    deadline = time.monotonic() + 5
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    gone = not _is_running(pid)
    if not gone:
        os.kill(pid, signal.SIGKILL)
    assert gone


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_help_tells_the_options() -> None:
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    assert "--exit-with-parent" in shown
