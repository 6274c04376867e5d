"""The stand-in for GitHub: a repository host with an App, and the hand that moves it.

Used by tests, demo and control server.

What people do is in `github_world`, the REST API in the other modules ``github_*``.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Flask, has_request_context, request

from packit_worker.sandbox import (
    github_app,
    github_checks,
    github_issues,
    github_pages,
    github_pulls,
    github_repositories,
)
from packit_worker.sandbox.github_gate import Caller, Gate
from packit_worker.sandbox.github_git import GitSide
from packit_worker.sandbox.github_json import Json
from packit_worker.sandbox.github_looking import Looking
from packit_worker.sandbox.github_state import (
    ROLES,
    Account,
    GitHubError,
    GitHubState,
    Repository,
)
from packit_worker.sandbox.github_webhooks import NO_COMMIT, TIMEOUT_SECONDS, Delivery, Payloads, Sent, signed
from packit_worker.sandbox.github_work_json import Shapes
from packit_worker.sandbox.github_world import World
from packit_worker.sandbox.outgoing import Answer, post
from packit_worker.sandbox.recorder import Recorder
from packit_worker.sandbox.scheduler import Scheduler
from packit_worker.sandbox.server import locked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

APP_ID = 4242
CLIENT_ID = "Iv1.5a4d1b0f00000000"
PERSONAL_TOKEN = "ghp_sandboxPersonalToken0000000000000000"
WEBHOOK_SECRET = "sandbox-webhook-secret"


class GitHub(World, Looking):
    """A GitHub with one App. All methods may be called from any thread."""

    app_id = APP_ID
    client_id = CLIENT_ID
    personal_token = PERSONAL_TOKEN

    def __init__(
        self,
        recorder: Recorder,
        scheduler: Scheduler,
        *,
        webhook_secret: str = WEBHOOK_SECRET,
        app_slug: str = "packit-sandbox",
        rate_limit: int = 15_000,
    ) -> None:
        self.url = ""
        self.recorder = recorder
        self.webhook_secret = webhook_secret
        self.app_slug = app_slug
        self.state = GitHubState()
        self.gate = Gate(self.state, APP_ID, CLIENT_ID, app_slug, rate_limit)
        self.private_key_pem, self.gate.public_key_pem = github_app.key_pair()
        self._scheduler = scheduler
        self.hook_url: str | None = None
        self._suites: dict[tuple[str, str], int] = {}
        self._sent_lock = threading.Lock()
        self.sent: list[Sent] = []
        app = Flask(__name__)
        app.json.sort_keys = False  # type: ignore[attr-defined]
        self.gate.install(app)
        for routes in (
            github_app,
            github_repositories,
            github_issues,
            github_pulls,
            github_checks,
            github_pages,
        ):
            routes.add_routes(app, self)
        self._git = GitSide(self.state, self.gate, self._pushed)
        self.wsgi: WSGIApplication = self._git.in_front_of(locked(self._by_number(app), self.state.lock))
        self.reset()

    def reset(self) -> None:
        """Empty again; address, secrets and keys stay."""
        with self.state.lock:
            self.state.clear()
            self.gate.clear()
            self.gate.users[PERSONAL_TOKEN] = f"{self.app_slug}-user"
            self._suites.clear()
            self._git.clear()
        with self._sent_lock:
            self.sent = []

    def close(self) -> None:
        """Remove what is on disk."""
        self._git.clear()

    def _pushed(self, repository: Repository, before: dict[str, str]) -> None:
        for branch, sha in repository.branches.items():
            if before.get(branch) != sha:
                self.recorder.count("git_push", repository.full_name, branch, sha)
        self.follow_branches(repository)

    def _by_number(self, wsgi: "WSGIApplication") -> "WSGIApplication":
        """`wsgi`, which then knows paths that begin ``/repositories/<id>`` too."""

        def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
            parts = environ["PATH_INFO"].split("/")
            if len(parts) > 2 and parts[1] == "repositories" and parts[2].isdigit():
                for repository in self.state.repositories.values():
                    if repository.id == int(parts[2]):
                        environ["PATH_INFO"] = "/".join(["", "repos", repository.full_name, *parts[3:]])
            return wsgi(environ, start_response)

        return serve

    @property
    def rate_limit_remaining(self) -> int:
        """Calls left until the budget's next reset; may be set."""
        return self.gate.remaining

    @rate_limit_remaining.setter
    def rate_limit_remaining(self, remaining: int) -> None:
        with self.state.lock:
            self.gate.remaining = remaining

    def add_personal_token(self, login: str, token: str) -> None:
        """Let `token` act as the user `login`."""
        with self.state.lock:
            self.gate.users[token] = self.state.account(login).login

    def expire_tokens(self) -> None:
        """Make all installation tokens given out so far useless."""
        with self.state.lock:
            self.gate.expire_tokens()

    # what the REST modules need

    def api_url(self) -> str:
        """Where the REST API is: under the prefix of the current request, if there is one."""
        return self.url + (request.script_root if has_request_context() else "")

    def shapes(self) -> Shapes:
        """The writer of JSON for the current request."""
        app = {"id": APP_ID, "client_id": CLIENT_ID, "slug": self.app_slug, "node_id": "A_sandbox"}
        return Shapes(self.state, app | {"name": self.app_slug, "description": ""}, self.url, self.api_url())

    def author_of(self, caller: Caller) -> tuple[Account, bool]:
        """The account that writes for `caller`, and whether it is the App's bot."""
        if caller.kind == "installation":
            return self.state.account(caller.login, "Bot"), True
        return self.state.account(caller.login), False

    def suite_id(self, repository: Repository, sha: str) -> int:
        """The id of the App's check suite of a commit."""
        key = (repository.full_name, sha)
        if key not in self._suites:
            self._suites[key] = self.state.next_id()
        return self._suites[key]

    def permission_shape(self, repository: Repository, login: str) -> Json:
        """What the collaborators API says of a user."""
        role = repository.permission(login)
        user = self.shapes().user(self.state.account(login)) or {}
        return {"permission": ROLES[role], "user": user | {"role_name": role}, "role_name": role}

    # webhooks

    def webhook(
        self,
        event: str,
        action: str | None = None,
        *,
        repository: str | None = None,
        pull_request: int | None = None,
        issue: int | None = None,
        comment: int | str | None = None,
        check_run: int | None = None,
        identifier: str | None = None,
        sha: str | None = None,
        tag: str | None = None,
        branch: str | None = None,
        before: str | None = None,
        after: str | None = None,
        label: str | None = None,
        sender: str | None = None,
        account: str | None = None,
        account_type: str = "User",
        repositories: Sequence[str] = (),
        removed: Sequence[str] = (),
        delivery_id: str | None = None,
        extra: Json | None = None,
    ) -> Delivery:
        """A signed webhook about the present state. `extra` is merged into the payload at its top level.

        ``pull_request`` needs `pull_request`; ``issue_comment`` that or `issue`, and `comment` (an id, or a text the
        sender says now); ``check_run`` needs `check_run` (and `identifier` for requested_action); ``check_suite``
        `sha`; ``release`` `tag`; ``push`` `branch` or `tag`, with `before` and `after` to choose them;
        ``installation`` and ``installation_repositories`` `account` and `repositories`.
        Other events get the frame only.
        """
        with self.state.lock:
            found = self.state.repository(repository) if repository else None
            number = pull_request if pull_request is not None else issue
            sender = sender or self._usual_sender(found, number, account)
            payloads = Payloads(self.state, self.shapes())
            if isinstance(comment, str) and found is not None and number is not None:
                comment = self.add_comment(found.full_name, number, comment, author=sender).id
            payload = payloads.frame(action, found, sender)
            if event in ("installation", "installation_repositories"):
                payload |= self._installation_payload(
                    payloads, event, action, account or "", account_type, repositories, removed
                )
            elif found is None:
                payload |= {"zen": "Keep it logically awesome.", "hook_id": 1} if event == "ping" else {}
            elif event == "pull_request" and number is not None:
                payload |= payloads.pull_request(found, number, action, label)
            elif event in ("issue_comment", "issues") and number is not None:
                payload |= payloads.issue_comment(
                    found, number, comment if isinstance(comment, int) else None
                )
            elif event == "check_run" and check_run is not None:
                payload |= payloads.check_run(found, check_run, identifier)
            elif event == "check_suite":
                sha = sha or found.branches[found.default_branch]
                payload |= payloads.check_suite(found, sha, self.suite_id(found, sha))
            elif event == "release" and tag is not None:
                payload |= payloads.release(found, tag)
            elif event == "push":
                payload |= self._push_payload(payloads, found, branch, tag, before, after, sender)
            return signed(event, payload | (extra or {}), self.webhook_secret, APP_ID, delivery_id)

    def _usual_sender(self, repository: Repository | None, number: int | None, account: str | None) -> str:
        if repository is None:
            return account or "octocat"
        issue = repository.issues.get(number or 0)
        return (
            issue.author.login if issue is not None and issue.author is not None else repository.owner.login
        )

    def _push_payload(
        self,
        payloads: Payloads,
        repository: Repository,
        branch: str | None,
        tag: str | None,
        before: str | None,
        after: str | None,
        pusher: str,
    ) -> Json:
        if tag is not None:
            ref, now, was = f"refs/tags/{tag}", repository.tags.get(tag, NO_COMMIT), NO_COMMIT
        else:
            branch = branch or repository.default_branch
            ref, now = f"refs/heads/{branch}", repository.branches.get(branch, NO_COMMIT)
            parents = repository.commits[now].parents if now in repository.commits else ()
            was = parents[0] if parents else NO_COMMIT
        return payloads.push(repository, ref, before or was, after or now, pusher)

    def _installation_payload(
        self,
        payloads: Payloads,
        event: str,
        action: str | None,
        account: str,
        account_type: str,
        repositories: Sequence[str],
        removed: Sequence[str],
    ) -> Json:
        owner = self.state.account(account, account_type)
        known = [one.id for one in self.state.installations.values() if one.account is owner]
        installation = self.install(account, known[0] if known else None)
        added = [self._installed(name, installation.id) for name in repositories]
        if event == "installation_repositories":
            return payloads.installation_repositories(
                installation, added, [self._installed(name, None) for name in removed]
            )
        payload = payloads.installation(installation, added)
        if action == "deleted":
            self.uninstall(installation.id)
        elif action in ("suspend", "unsuspend"):
            self.suspend(installation.id, action == "suspend")
        return payload

    def _installed(self, name: str, installation_id: int | None) -> Repository:
        """The repository, made if there is none, with the App installed on it or removed from it."""
        known = self.state.repositories.get(name.lower())
        repository = known or self.add_repository(name, owner_type="User")
        repository.installation_id = installation_id
        return repository

    def deliver(self, delivery: Delivery, url: str | None = None, *, redelivery: bool = False) -> Answer:
        """POST a webhook to `url` (`hook_url` if None) and list it among the App's deliveries."""
        target = url or self.hook_url
        if target is None:
            raise ValueError("Say where to deliver to, or set hook_url")
        answer = post(target, data=delivery.body, headers=delivery.headers, timeout=TIMEOUT_SECONDS)
        with self._sent_lock:
            number = 10_000_001 + len(self.sent)
            self.sent.append(Sent(number, delivery, target, answer, redelivery))
        return answer

    def sent_delivery(self, number: int) -> Sent:
        """One listed delivery. Raises GitHubError 404."""
        with self._sent_lock:
            for sent in self.sent:
                if sent.number == number:
                    return sent
        raise GitHubError(404, "Not Found")

    def redeliver(self, number: int) -> None:
        """Send a listed delivery once more, in the background, with the same GUID."""
        sent = self.sent_delivery(number)
        self._scheduler.spawn(lambda: self._redeliver(sent))

    def _redeliver(self, sent: Sent) -> None:
        self.deliver(sent.delivery, sent.url, redelivery=True)
