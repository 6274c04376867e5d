"""What happens outside during a run: pull requests, comments, pushes, news told twice, and what nobody signed."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests

from packit_worker.chaos.record import Sending
from packit_worker.chaos.script import Happening
from packit_worker.demo.stage import Stage
from packit_worker.journal import accounts
from packit_worker.journal.accounts import Approval
from packit_worker.sandbox.client import SandboxClient

T = TypeVar("T")

OWNER = "acme"
APPROVALS = "packit/approvals"
SPEC = "Name: hello\nVersion: 1.0\nRelease: 1\nSummary: Says hello\nLicense: MIT\n%description\nSays hello.\n"
CONFIG = """\
specfile_path: hello.spec
jobs:
  - {{job: copr_build, trigger: pull_request, targets: [{targets}]}}
  - {{job: tests, trigger: pull_request, targets: [{targets}]}}
  - {{job: copr_build, trigger: commit, branch: main, targets: [fedora-43]}}
  - {{job: copr_build, trigger: release, targets: [fedora-43]}}
"""
#: What the repositories build for, in turn.
TARGETS = ("fedora-43", "fedora-43, fedora-44")
_SAID = {
    "build": "/packit build",
    "test": "/packit test",
    "help": "/packit help",
    "nonsense": "/packit bulid",
}


class Feeder:
    """Lets happenings happen, from any thread, and keeps what the door answered.

    Webhooks are delivered by the sandbox, which lists them as GitHub does: there the service finds those that could not
    be delivered. What nobody would send like that is posted from here.
    """

    def __init__(self, stage: Stage, repositories: int) -> None:
        self._stage = stage
        self._control = stage.sandbox.control_url
        self._hook = f"{stage.web_url}/api/webhooks/github"
        self._local = threading.local()
        self._lock = threading.Lock()
        self._pulls: list[tuple[str, int]] = []
        self._heads: list[tuple[str, str]] = []
        self._sent: list[Any] = []
        self._count = 0
        self.sendings: list[Sending] = []
        self.skipped = 0
        self._repositories = [f"{OWNER}/hello-{number}" for number in range(1, repositories + 1)]

    def prepare(self) -> None:
        """Repositories, their configuration, and accounts that are approved."""
        github = self._stage.sandbox.github
        github.add_repository(APPROVALS, installation_id=1002)
        for number, name in enumerate(self._repositories):
            files = {
                "hello.spec": SPEC,
                ".packit.yaml": CONFIG.format(targets=TARGETS[number % len(TARGETS)]),
            }
            github.add_repository(name, permissions={"alice": "admin"}, installation_id=1001, files=files)
        with self._stage.journal.write() as session:
            accounts.change(
                session, self._stage.forge, OWNER, Approval.APPROVED_MANUALLY, by="chaos", why="to have work"
            )

    def happen(self, happening: Happening) -> None:
        """Let it happen; nothing happens where there is nothing yet that it could be about."""
        act: Callable[[Happening], bool] = getattr(self, "_" + happening.kind.replace("-", "_"))
        if not act(happening):
            with self._lock:
                self.skipped += 1

    @property
    def heads(self) -> list[tuple[str, str]]:
        """Every commit that something may be shown on, with its repository."""
        with self._lock:
            return list(self._heads)

    # Kinds of happenings.

    def _opened(self, it: Happening) -> bool:
        repository = _choose(self._repositories, it.pick)
        # One in ten comes from somebody who may not have it built.
        author = "stranger" if it.pick * 100 % 1 < 0.1 else "alice"
        pull = self._sandbox.github.open_pull_request(
            repository, author=author, files={"hello.c": self._new()}, title=f"Say hello {self._new()}"
        )
        if it.pick * 1000 % 1 < 0.15:
            # Its packages cannot be built.
            self._sandbox.copr.set_outcome(
                f"{repository.replace('/', '-')}-{pull.number}-{self._stage.settings.deployment}", "failed"
            )
        with self._lock:
            self._pulls.append((repository, pull.number))
            self._heads.append((repository, pull.head_sha))
        return self._tell(
            it, "pull_request", "opened", repository=repository, pull_request=pull.number, sender=author
        )

    def _pushed(self, it: Happening) -> bool:
        found = self._a_pull(it)
        if found is None:
            return False
        repository, number = found
        pull = self._sandbox.github.push_to_pull_request(repository, number, files={"hello.c": self._new()})
        with self._lock:
            self._heads.append((repository, pull.head_sha))
        return self._tell(it, "pull_request", "synchronize", repository=repository, pull_request=number)

    def _comment(self, it: Happening) -> bool:
        found = self._a_pull(it)
        if found is None:
            return False
        repository, number = found
        comment = self._sandbox.github.add_comment(repository, number, _SAID[it.kind], author="alice")
        return self._tell(
            it,
            "issue_comment",
            "created",
            repository=repository,
            pull_request=number,
            comment=comment.id,
            sender="alice",
        )

    _build = _test = _help = _nonsense = _comment

    def _push(self, it: Happening) -> bool:
        repository = _choose(self._repositories, it.pick)
        sha = self._sandbox.github.push(repository, branch="main", files={"hello.c": self._new()})
        with self._lock:
            self._heads.append((repository, sha))
        return self._tell(it, "push", repository=repository, branch="main", after=sha)

    def _release(self, it: Happening) -> bool:
        repository = _choose(self._repositories, it.pick)
        tag = f"v{self._new()}"
        sha = self._sandbox.github.push(repository, branch="main", files={"hello.c": self._new()})
        self._sandbox.github.add_tag(repository, tag, sha)
        self._sandbox.github.add_release(repository, tag, author="alice")
        with self._lock:
            self._heads.append((repository, sha))
        return self._tell(it, "release", "published", repository=repository, tag=tag, sender="alice")

    def _rerun(self, it: Happening) -> bool:
        heads = self.heads
        repository, sha = _choose(heads, it.pick) if heads else ("", "")
        shown = self._sandbox.github.checks(repository, sha) if heads else []
        if not shown:
            return False
        check = _choose(shown, it.pick * 10 % 1)
        return self._tell(
            it, "check_run", "rerequested", repository=repository, check_run=check.id, sender="alice"
        )

    def _again(self, it: Happening) -> bool:
        with self._lock:
            sent = list(self._sent)
        return bool(sent) and self._deliver(it, _choose(sent, it.pick))

    def _installed(self, it: Happening) -> bool:
        account = f"newcomer-{self._new()}"
        return self._tell(it, "installation", "created", account=account, sender=account)

    def _bus_again(self, it: Happening) -> bool:
        told = self._sandbox.bus.messages()
        if not told:
            return False
        message = _choose(told, it.pick)
        # Under its id, or under another, as a bridge between buses does.
        id = message.id if it.pick * 10 % 1 < 0.5 else str(uuid.uuid4())
        self._sandbox.bus.publish(message.topic, message.body, id)
        return True

    def _bus_other(self, it: Happening) -> bool:
        number = 10_000_000 + int(it.pick * 1_000_000)
        body = {
            "build": number,
            "chroot": "fedora-43-x86_64",
            "copr": "theirs",
            "owner": "somebody",
            "user": "somebody",
            "pkg": "theirs",
            "version": "1-1",
            "status": 1,
            "what": "build end",
            "who": "backend",
        }
        self._sandbox.bus.publish("org.fedoraproject.prod.copr.build.end", body)
        return True

    def _call_back(self, it: Happening) -> bool:
        made = self._sandbox.testing_farm.requests()
        if not made:
            return False
        self._sandbox.testing_farm.call_back(_choose(made, it.pick).id)
        return True

    def _forged_call_back(self, it: Happening) -> bool:
        body = {"request_id": str(uuid.uuid4()), "token": "guessed"}
        url = f"{self._stage.web_url}/api/testing-farm/results"
        return self._post(it, url, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _malformed(self, it: Happening) -> bool:
        repository = _choose(self._repositories, it.pick)
        delivery = self._sandbox.github.webhook(
            "pull_request", "opened", repository=repository, extra={"pull_request": {"number": "seven"}}
        )
        return self._deliver(it, delivery)

    def _unsigned(self, it: Happening) -> bool:
        repository = _choose(self._repositories, it.pick)
        delivery = self._sandbox.github.webhook("push", repository=repository, branch="main")
        headers = dict(delivery.headers) | {"X-Hub-Signature-256": "sha256=" + "0" * 64}
        return self._post(it, self._hook, delivery.body.encode(), headers)

    # Ways to the door.

    def _tell(self, it: Happening, event: str, action: str | None = None, **about: Any) -> bool:
        delivery = self._sandbox.github.webhook(event, action, **about)
        with self._lock:
            self._sent.append(delivery)
        return self._deliver(it, delivery)

    def _deliver(self, it: Happening, delivery: Any) -> bool:
        answer = self._sandbox.github.deliver(delivery, self._hook)
        self._note(Sending(id=delivery.id, kind=it.kind, status=answer.status_code, seconds=answer.seconds))
        return True

    def _post(self, it: Happening, url: str, body: bytes, headers: dict[str, str]) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.post(url, data=body, headers=headers, timeout=10)
                status, seconds = answer.status_code, answer.elapsed.total_seconds()
            except requests.RequestException:
                status, seconds = 0, 0.0
        self._note(Sending(id=None, kind=it.kind, status=status, seconds=seconds, expected="refused"))
        return True

    def _note(self, sending: Sending) -> None:
        with self._lock:
            self.sendings.append(sending)

    def _a_pull(self, it: Happening) -> tuple[str, int] | None:
        with self._lock:
            # Later ones more often: their builds may still be under way.
            return _choose(self._pulls, it.pick**0.5) if self._pulls else None

    def _new(self) -> str:
        with self._lock:
            self._count += 1
            return str(self._count)

    @property
    def _sandbox(self) -> SandboxClient:
        """A client of this thread's own."""
        client: SandboxClient | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = SandboxClient(self._control)
        return client


def _choose(among: list[T], pick: float) -> T:
    return among[min(int(pick * len(among)), len(among) - 1)]


def repository_of(project_url: str) -> str:
    """``owner/name`` of a project's address."""
    return urlsplit(project_url).path.strip("/")
