"""The service as it is deployed: its processes, by the command lines of the manifests, against real servers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from bus.broker import PORT as AMQP_PORT
from fedora_messaging.message import Message
from pika import BlockingConnection, ConnectionParameters
from pika.exceptions import ChannelClosedByBroker
from sqlalchemy import create_engine, text
from stories.world import CALLBACK_TOKEN, CONFIG, REPOSITORY, SPEC

from packit_worker.broker.embedded import redis_program
from packit_worker.journal import Journal, accounts
from packit_worker.journal.accounts import Approval
from packit_worker.sandbox import Sandbox

from .conftest import OPENSHIFT
from .processes_of import LANE_OF, command_of, deployed, environment_of
from .rendering import Manifest, containers, name_of, render

pytestmark = [
    pytest.mark.slow,
    pytest.mark.services("postgresql", "rabbitmq"),
    pytest.mark.skipif(redis_program() is None, reason="there is no redis-server here"),
    pytest.mark.timeout(180),
]

PASSWORD = "a-password-of-the-rehearsal"
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(is_true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"in {seconds:.0f} s it did not come to pass: {what}"
        time.sleep(0.05)


class Rehearsal:
    """The pods of an overlay as processes of this machine. What a pod mounts lies below a folder of the pod's own."""

    def __init__(self, manifests: list[Manifest], folder: Path, sandbox: Sandbox, database_url: str) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.database_url = database_url
        self.manifests = {name_of(each): each for each in manifests if containers(each)}
        (config,) = [each for each in manifests if each["kind"] == "ConfigMap"]
        self._config = yaml.safe_load(config["data"]["service.yaml"])
        #: Ports of the manifests -> ports that are free here.
        self.ports = {8000: free_port(), 8001: free_port(), 6379: free_port()}
        self.queue = "packit-worker-rehearsal-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._secrets = {
            "database-url": database_url,
            "broker-url": f"redis://packit-worker:{PASSWORD}@127.0.0.1:{self.ports[6379]}/0",
            "users.acl": users_acl(),
            "github-private-key": sandbox.github.private_key_pem,
            "github-webhook-secret": sandbox.github.webhook_secret,
            "copr-login": sandbox.copr.login,
            "copr-token": sandbox.copr.token,
            "testing-farm-token": sandbox.testing_farm.token,
            "testing-farm-callback-token": CALLBACK_TOKEN,
            "dist-git-token": sandbox.pagure.token,
            "koji-keytab": "no keytab",
        }

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a pod's process as its manifest says, with its files and ports where they can be here."""
        manifest = self.manifests[name]
        pod = self.folder / name
        pod.mkdir(parents=True, exist_ok=True)
        here = [self._here(word, pod) for word in command_of(manifest)]
        program = redis_program() if here[0] == "redis-server" else str(BIN / here[0])
        assert program is not None
        environment = {key: self._here(value, pod) for key, value in environment_of(manifest).items()}
        with self.log_of(name).open("ab") as output:
            self.processes[name] = subprocess.Popen(
                [program, *here[1:]],
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(pod)} | environment,
                cwd=pod,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.processes[name]

    def probe(self, name: str) -> int:
        """The exit status of a pod's probe, run as its own process."""
        (container,) = containers(self.manifests[name])
        pod = self.folder / name
        command = [str(BIN / "packit-worker"), *container["livenessProbe"]["exec"]["command"][1:]]
        environment = {
            key: self._here(value, pod) for key, value in environment_of(self.manifests[name]).items()
        }
        done = subprocess.run(command, env=dict(os.environ) | environment, capture_output=True, check=False)
        return done.returncode

    def log_of(self, name: str) -> Path:
        """What a process has said."""
        return self.folder / name / "log"

    def _here(self, word: str, pod: Path) -> str:
        """A word of a manifest as it has to be on this machine: another folder, another port, 127.0.0.1."""
        for port, free in self.ports.items():
            word = re.sub(rf"(^|:){port}$", rf"\g<1>{free}", word)
        word = word.replace("0.0.0.0", "127.0.0.1")
        if word.startswith("/run/secrets/"):
            file = pod / word.removeprefix("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._secrets[file.name])
            return str(file)
        if word == "/etc/packit-worker/service.yaml":
            file = pod / "service.yaml"
            file.write_text(yaml.safe_dump(self._adapted()))
            return str(file)
        return str(pod / word.removeprefix("/")) if word.startswith("/var/lib/") else word

    def _adapted(self) -> dict[str, Any]:
        """The overlay's configuration with the sandbox as the outside."""
        github = self.sandbox.github.url.removesuffix("/api/v3")
        bus = {
            "amqp_url": f"amqp://guest:guest@127.0.0.1:{AMQP_PORT}/%2F",
            "queue": self.queue,
            "monitoring_port": self.ports[8001],
            "copr_users": [self.sandbox.copr.username],
            "datagrepper_url": None,
        }
        outside: dict[str, dict[str, Any]] = {
            "github": {
                "app_id": self.sandbox.github.app_id,
                "api_url": f"{github}/api/v3",
                "web_url": github,
            },
            "copr": {"url": self.sandbox.copr.url, "username": self.sandbox.copr.username},
            "testing_farm": {"api_url": f"{self.sandbox.testing_farm.url}/v0.1"},
            "bus": self._config["bus"] | bus,
        }
        more = {
            "server_url": f"http://127.0.0.1:{self.ports[8000]}",
            "approval_repository_url": None,
            "fasjson_url": None,
            "target_aliases": {"fedora-stable": ["fedora-43", "fedora-44"]},
        }
        return self._config | outside | more

    def stop(self) -> dict[str, float]:
        """SIGTERM for all at once; the seconds each took to end. Raises AssertionError past a time of grace."""
        begun = time.monotonic()
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        took = {}
        for name, process in self.processes.items():
            grace = self.manifests[name]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
            process.wait(timeout=max(0.1, begun + grace - time.monotonic()))
            took[name] = time.monotonic() - begun
        return took

    def kill(self) -> None:
        """Whatever is left."""
        for process in self.processes.values():
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        with self._channel() as channel:
            channel.queue_delete(self.queue)

    def listens(self) -> bool:
        """Whether bus has its queue."""
        with self._channel() as channel:
            try:
                return bool(channel.queue_declare(self.queue, passive=True).method.consumer_count)
            except ChannelClosedByBroker:
                return False

    def publish(self, topic: str, body: dict[str, Any]) -> None:
        """Fedora's bus tells something: to our queue alone, for others listen to the exchange on this machine."""
        message = Message(topic=topic, body=body)
        with self._channel() as channel:
            channel.confirm_delivery()
            # Without an exchange its topic would be the queue's name.
            exchange = f"{self.queue}-exchange"
            channel.exchange_declare(exchange, "topic")
            channel.queue_bind(self.queue, exchange, "#")
            channel.basic_publish(exchange, topic, message._encoded_body, message._properties, mandatory=True)
            channel.queue_unbind(self.queue, exchange, "#")
            channel.exchange_delete(exchange)

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Any]:
        with contextlib.closing(
            BlockingConnection(ConnectionParameters("127.0.0.1", AMQP_PORT))
        ) as connection:
            yield connection.channel()


def users_acl() -> str:
    """The file that README.md says how to make."""
    readme = (OPENSHIFT / "README.md").read_text()
    (line,) = re.findall(r"^user packit-worker .*$", readme, re.MULTILINE)
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    assert '#$(printf %s "$REDIS_PASSWORD" | sha256sum | cut -c1-64)' in line
    return re.sub(r"#\$\(.*?\)", f"#{digest}", line) + "\nuser default off\n"


@pytest.fixture
def rehearsal(tmp_path: Path, postgresql_url: str) -> Iterator[Rehearsal]:
    engine = create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    with Sandbox() as sandbox:
        made = Rehearsal(render(OPENSHIFT / "overlays" / "prod"), tmp_path, sandbox, postgresql_url)
        try:
            yield made
        finally:
            made.kill()


def test_a_pull_request_goes_through_the_processes_of_the_manifests(rehearsal: Rehearsal) -> None:
    assert set(rehearsal.manifests) == {*deployed(list(rehearsal.manifests.values())), "redis"}
    rehearsal.start("redis")
    assert rehearsal.start("migrate").wait(timeout=60) == 0, rehearsal.log_of("migrate").read_text()
    del rehearsal.processes["migrate"]
    names = [name for name in rehearsal.manifests if name not in ("redis", "migrate")]
    for name in names:
        rehearsal.start(name)
    web = f"http://127.0.0.1:{rehearsal.ports[8000]}"
    (container,) = containers(rehearsal.manifests["web"])
    until(lambda: _answers(web + container["readinessProbe"]["httpGet"]["path"]), 60, "web answers its probe")
    workers = [name for name in names if name == "sweeper" or LANE_OF.match(name)]
    for name in workers:
        until(lambda name=name: rehearsal.probe(name) == 0, 60, f"{name} goes on")  # type: ignore[misc]
    until(lambda: _answers(f"http://127.0.0.1:{rehearsal.ports[8001]}/live"), 60, "bus answers its probe")

    until(rehearsal.listens, 30, "bus has its queue")

    sandbox = rehearsal.sandbox
    sha = open_pull_request(rehearsal, web)
    until(lambda: bool(sandbox.copr.builds), 20, "Copr was asked to build")
    for build in sandbox.copr.builds:
        for chroot in build.chroots:
            sandbox.copr.finish(build.id, chroot)
    for told in sandbox.bus.messages(after=0):
        rehearsal.publish(told["topic"], told["body"])
    until(lambda: len(sandbox.testing_farm.requests) == 2, 20, "Testing Farm was asked to test")
    for request in sandbox.testing_farm.requests:
        sandbox.testing_farm.finish(request.id, overall="passed")
        body = {"request_id": request.id, "token": CALLBACK_TOKEN}
        assert requests.post(f"{web}/api/testing-farm/results", json=body, timeout=10).status_code == 202
    until(lambda: conclusions(sandbox, sha) == ["success"] * 4, 20, "all four checks are green")

    assert all(process.poll() is None for process in rehearsal.processes.values()), "one has ended by itself"
    took = rehearsal.stop()
    assert set(took) == {*names, "redis"}
    assert {name: process.returncode for name, process in rehearsal.processes.items()} == dict.fromkeys(
        took, 0
    )
    assert max(took.values()) < 25, took


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def open_pull_request(rehearsal: Rehearsal, web: str) -> str:
    """GitHub tells web of a pull request; the commit it is about."""
    journal = Journal(rehearsal.database_url)
    with journal.write() as session:
        accounts.change(session, "127.0.0.1", "acme", Approval.APPROVED_MANUALLY, by="test", why="test")
    journal.dispose()
    github = rehearsal.sandbox.github
    github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    files = {".packit.yaml": CONFIG, "hello.spec": SPEC}
    pull = github.open_pull_request(REPOSITORY, author="alice", files=files, title="Say hello")
    sent = github.webhook("pull_request", "opened", repository=REPOSITORY, pull_request=pull.number)
    answer = requests.post(
        f"{web}/api/webhooks/github", data=sent.body, headers=dict(sent.headers), timeout=10
    )
    assert answer.status_code == 202, answer.text
    sha: str = pull.head_sha
    return sha


def conclusions(sandbox: Sandbox, sha: str) -> list[str | None]:
    """The conclusions of a commit's checks."""
    return [check["conclusion"] for check in sandbox.github.checks(REPOSITORY, sha)]
