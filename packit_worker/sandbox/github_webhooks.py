"""Webhooks of the stand-in for GitHub: payloads, signatures, sending and the list of what was sent.

Used inside the sandbox only.

Source: https://docs.github.com/webhooks/webhook-events-and-payloads and
https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.
"""

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field

from packit_worker.sandbox.clock import iso_now
from packit_worker.sandbox.github_commit import Commit
from packit_worker.sandbox.github_json import Json, node_id
from packit_worker.sandbox.github_state import (
    GitHubState,
    Installation,
    Repository,
)
from packit_worker.sandbox.github_work_json import Shapes
from packit_worker.sandbox.outgoing import UNREACHABLE, Answer

TIMEOUT_SECONDS = 10
"""How long GitHub waits for an answer to a webhook."""
NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Delivery:
    """A signed webhook, ready to be sent: `id` is its GUID, which a redelivery keeps."""

    id: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Json:
        """The payload."""
        payload: Json = json.loads(self.body)
        return payload


@dataclass
class Sent:
    """One attempt to deliver, as the App's list of deliveries shows it."""

    number: int
    delivery: Delivery
    url: str
    answer: Answer
    redelivery: bool
    delivered_at: str = field(default_factory=iso_now)

    def summary(self) -> Json:
        """An entry of the list."""
        payload = self.delivery.json()
        ok = 200 <= self.answer.status_code < 300
        return {
            "id": self.number,
            "guid": self.delivery.id,
            "delivered_at": self.delivered_at,
            "redelivery": self.redelivery,
            "duration": round(self.answer.seconds, 2),
            "status": "OK"
            if ok
            else "failed to connect to host"
            if self.answer.status_code == UNREACHABLE
            else "Invalid HTTP Response",
            "status_code": self.answer.status_code,
            "event": self.delivery.headers["X-GitHub-Event"],
            "action": payload.get("action"),
            "installation_id": (payload.get("installation") or {}).get("id"),
            "repository_id": (payload.get("repository") or {}).get("id"),
            "throttled_at": None,
        }

    def whole(self) -> Json:
        """The single delivery, with what was sent and answered."""
        return self.summary() | {
            "url": self.url,
            "request": {"headers": self.delivery.headers, "payload": self.delivery.json()},
            "response": {"headers": self.answer.headers, "payload": self.answer.text},
        }


def signed(event: str, payload: Json, secret: str, app_id: int, delivery_id: str | None = None) -> Delivery:
    """The payload as GitHub sends it: compact JSON, two signatures, its usual headers."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    guid = delivery_id or str(uuid.uuid4())
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-GitHub-Hook-ID": "1",
        "X-GitHub-Hook-Installation-Target-ID": str(app_id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return Delivery(guid, headers, body)


class Payloads:
    """Writes the payloads; each method adds what its event has to the frame all share."""

    def __init__(self, state: GitHubState, shapes: Shapes) -> None:
        self._state = state
        self._shapes = shapes

    def frame(self, action: str | None, repository: Repository | None, sender: str | None) -> Json:
        """Action, repository, organisation, sender and installation."""
        frame: Json = {"action": action} if action else {}
        if repository is not None:
            frame["repository"] = self._shapes.repository(repository, with_parent=False)
            if repository.owner.type == "Organization":
                frame["organization"] = self._shapes.organization(repository.owner)
            if repository.installation_id is not None:
                number = repository.installation_id
                frame["installation"] = {"id": number, "node_id": node_id("I", number)}
        frame["sender"] = self._shapes.user(self._state.account(sender)) if sender else None
        return frame

    def pull_request(
        self, repository: Repository, number: int, action: str | None, label: str | None
    ) -> Json:
        """What `pull_request` adds."""
        pull = self._state.pull(repository.full_name, number)
        payload: Json = {"number": number, "pull_request": self._shapes.pull(pull)}
        if action == "synchronize":
            payload["before"] = pull.commits[-2] if len(pull.commits) > 1 else pull.base_sha
            payload["after"] = pull.head_sha
        if label is not None:
            payload["label"] = self._shapes.label(repository.full_name, label)
        return payload

    def issue_comment(self, repository: Repository, number: int, comment_id: int | None) -> Json:
        """What `issue_comment` and `issues` add."""
        payload: Json = {"issue": self._shapes.issue(self._state.issue(repository.full_name, number))}
        if comment_id is not None:
            payload["comment"] = self._shapes.comment(self._state.comments[comment_id])
        return payload

    def check_run(self, repository: Repository, number: int, identifier: str | None) -> Json:
        """What `check_run` adds; `identifier` is that of the button pressed."""
        check = repository.checks[number]
        shape = self._shapes.check_run(check)
        shape["check_suite"] = self._shapes.check_suite(repository, check.head_sha, check.suite_id)
        payload: Json = {"check_run": shape}
        if identifier is not None:
            payload["requested_action"] = {"identifier": identifier}
        return payload

    def check_suite(self, repository: Repository, sha: str, suite_id: int) -> Json:
        """What `check_suite` adds."""
        return {"check_suite": self._shapes.check_suite(repository, sha, suite_id)}

    def release(self, repository: Repository, tag: str) -> Json:
        """What `release` adds."""
        release = next(one for one in repository.releases if one.tag_name == tag)
        return {"release": self._shapes.release(repository.full_name, release)}

    def push(self, repository: Repository, ref: str, before: str, after: str, pusher: str) -> Json:
        """What `push` adds, which has no action."""
        commit = repository.commits.get(after)
        head = self._pushed(repository, commit) if commit else None
        return {
            "ref": ref,
            "before": before,
            "after": after,
            "base_ref": None,
            "created": before == NO_COMMIT,
            "deleted": after == NO_COMMIT,
            "forced": False,
            "compare": f"{self._shapes.repository(repository)['html_url']}/compare/{before[:12]}...{after[:12]}",
            "commits": [head] if head else [],
            "head_commit": head,
            "pusher": {"name": pusher, "email": f"{pusher}@users.noreply.example.com"},
        }

    def _pushed(self, repository: Repository, commit: Commit) -> Json:
        shape = self._shapes.commit(repository.full_name, commit)
        name = commit.author or "ghost"
        person = {"name": name, "username": name, "email": f"{name}@users.noreply.example.com"}
        parent = repository.commits.get(commit.parents[0]) if commit.parents else None
        before = parent.files if parent else {}
        return {
            "id": commit.sha,
            "tree_id": shape["commit"]["tree"]["sha"],
            "distinct": True,
            "message": commit.message,
            "timestamp": commit.at,
            "url": shape["html_url"],
            "author": person,
            "committer": person,
            "added": sorted(path for path in commit.files if path not in before),
            "removed": sorted(path for path in before if path not in commit.files),
            "modified": sorted(p for p, data in commit.files.items() if p in before and before[p] != data),
        }

    def installation(self, installation: Installation, repositories: list[Repository]) -> Json:
        """What `installation` has."""
        return {
            "installation": self._shapes.installation(installation),
            "repositories": [self._short(one) for one in repositories],
            "requester": None,
        }

    def installation_repositories(
        self, installation: Installation, added: list[Repository], removed: list[Repository]
    ) -> Json:
        """What `installation_repositories` has."""
        return {
            "installation": self._shapes.installation(installation),
            "repository_selection": installation.repository_selection,
            "repositories_added": [self._short(one) for one in added],
            "repositories_removed": [self._short(one) for one in removed],
            "requester": None,
        }

    def _short(self, repository: Repository) -> Json:
        whole = self._shapes.repository(repository)
        return {name: whole[name] for name in ("id", "node_id", "name", "full_name", "private")}
