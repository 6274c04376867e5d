"""What the measurements are made on: a service configuration for the sandbox, projects, and their webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packit_worker.journal import Journal, accounts
from packit_worker.journal.accounts import Approval

NAMESPACE = "acme"
SPEC = "Name: hello\nVersion: 1.0\n"


def configuration(
    urls: Mapping[str, str],
    credentials: Mapping[str, Any],
    *,
    directory: Path,
    database_url: str,
    broker_url: str,
    port: int = 8000,
) -> dict[str, Any]:
    """A service configuration for a sandbox with these addresses and credentials."""
    github, copr, farm = credentials["github"], credentials["copr"], credentials["testing_farm"]
    return {
        "deployment": "dev",
        "server_url": f"http://127.0.0.1:{port}",
        "data_dir": str(directory),
        "database_url": database_url,
        "broker_url": broker_url,
        "approval_repository_url": f"{urls['github']}/packit/approvals",
        "github": {
            "app_id": github["app_id"],
            "private_key": github["private_key"],
            "webhook_secret": github["webhook_secret"],
            "api_url": f"{urls['github']}/api/v3",
            "web_url": urls["github"],
            "app_slug": "packit-sandbox",
        },
        "copr": {"url": urls["copr"], **copr},
        "testing_farm": {
            "api_url": f"{urls['testing_farm']}/v0.1",
            "token": farm["token"],
            "callback_token": uuid.uuid4().hex,
        },
    }


def package_configuration(jobs: int) -> str:
    """The package configuration of a project with so many build jobs for pull requests."""
    lines = ["specfile_path: hello.spec", "jobs:"]
    for number in range(1, jobs + 1):
        name = f"identifier: variant-{number}, " if jobs > 1 else ""
        lines.append(f"  - {{job: copr_build, trigger: pull_request, {name}targets: [fedora-43]}}")
    return "\n".join(lines) + "\n"


def approve(journal: Journal) -> None:
    """Let the namespace in, as an operator does."""
    with journal.write() as session:
        accounts.change(
            session, "127.0.0.1", NAMESPACE, Approval.APPROVED_MANUALLY, by="benchmarks", why="to be measured"
        )


@dataclass(frozen=True)
class Project:
    """A project in the sandbox (in this process or another) whose author may build. ``jobs`` 0: no configuration."""

    github: Any
    name: str
    jobs: int

    @property
    def full_name(self) -> str:
        return f"{NAMESPACE}/{self.name}"

    def create(self) -> Project:
        """Make it."""
        self.github.add_repository(self.full_name, permissions={"alice": "admin"}, installation_id=1001)
        return self

    def open(self, number: int) -> Any:
        """A pull request with a commit of its own."""
        files = {"hello.spec": SPEC, "change": f"{number}\n"}
        if self.jobs:
            files[".packit.yaml"] = package_configuration(self.jobs)
        return self.github.open_pull_request(
            self.full_name, author="alice", files=files, title=f"Change {number}"
        )

    def opened(self, pull: Any) -> Any:
        """The signed webhook that tells of it."""
        return self.github.webhook(
            "pull_request", "opened", repository=self.full_name, pull_request=pull.number
        )


@dataclass(frozen=True)
class Webhook:
    """A webhook of our own making."""

    id: str
    headers: dict[str, str]
    body: bytes


class Webhooks:
    """Webhooks of one pull request's shape, each of another pull request and under an id of its own.

    All name one commit, so that what was read at it serves them all.
    """

    def __init__(self, like: Any, secret: str) -> None:
        self._headers = dict(like.headers)
        body = like.body if isinstance(like.body, str) else like.body.decode()
        self._payload: dict[str, Any] = json.loads(body)
        self._secret = secret.encode()
        self._number = 1000

    @property
    def size(self) -> int:
        """Bytes of a body."""
        return len(json.dumps(self._payload, separators=(",", ":")))

    def next(self) -> Webhook:
        """One more."""
        self._number += 1
        self._payload["number"] = self._payload["pull_request"]["number"] = self._number
        body = json.dumps(self._payload, separators=(",", ":")).encode()
        id = str(uuid.uuid4())
        signature = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = self._headers | {"X-GitHub-Delivery": id, "X-Hub-Signature-256": signature}
        return Webhook(id, headers, body)
