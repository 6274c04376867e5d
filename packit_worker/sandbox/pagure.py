"""The stand-in for Pagure, and so for src.fedoraproject.org: API, pages, git, hooks, messages.

Used by tests, demo and control server.

What people do is in `pagure_world`, the API in `pagure_api` and `pagure_work_api`. Whatever is done over the API or
pushed with git is told on the bus, as the real one does; what is done by hand is told when `webhook` is called.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from packit_worker.sandbox import pagure_api, pagure_pages, pagure_work_api
from packit_worker.sandbox.bus import Bus
from packit_worker.sandbox.github_webhooks import TIMEOUT_SECONDS, Delivery
from packit_worker.sandbox.outgoing import Answer, post
from packit_worker.sandbox.pagure_git import branches_changed, git_only, with_git
from packit_worker.sandbox.pagure_hooks import PagureMessages, signed
from packit_worker.sandbox.pagure_json import Json, PagureShapes
from packit_worker.sandbox.pagure_state import PagureProject, PagureState, PagureUser
from packit_worker.sandbox.pagure_world import PagureWorld
from packit_worker.sandbox.recorder import Recorder
from packit_worker.sandbox.server import locked

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TOKEN = "sandbox-pagure-token"
TOPIC_PREFIX = "org.fedoraproject.prod.pagure"
API = "/api/0"
NOT_PROJECTS = ("-", "version", "user", "users", "group", "groups", "new", "projects", "error_codes")
PROJECT = "sandbox.project"
"""Where the name of the project a request is about stands in its environment."""


class Pagure(PagureWorld):
    """A Pagure. All methods may be called from any thread."""

    username = "packit"
    token = TOKEN

    def __init__(self, recorder: Recorder, bus: Bus) -> None:
        self.url = ""
        self.recorder = recorder
        self.state = PagureState()
        self.topic_prefix = TOPIC_PREFIX
        self.hook_url: str | None = None
        self.sent: list[tuple[Delivery, Answer]] = []
        self._told = 0
        self._bus = bus
        app = Flask(__name__)
        app.json.sort_keys = False  # type: ignore[attr-defined]
        for routes in (pagure_api, pagure_work_api, pagure_pages):
            routes.add_routes(app, self)
        inner = self._about_projects(locked(app, self.state.lock))
        self.wsgi: WSGIApplication = with_git(inner, self.state, self._pushed)
        self.git_wsgi: WSGIApplication = git_only(self.state, self._pushed)
        self.reset()

    def reset(self) -> None:
        """Empty again; the address and the sandbox's own user stay."""
        with self.state.lock:
            self.state.clear()
            self.sent.clear()
            self.add_user(self.username, self.token, fullname="Packit")

    def close(self) -> None:
        """Remove what is on disk."""
        self.state.store.clear()

    def _about_projects(self, wsgi: "WSGIApplication") -> "WSGIApplication":
        """`wsgi`, where the project a path begins with is replaced by ``_`` and told in the environment."""

        def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            root = API if path.startswith(f"{API}/") else ""
            parts = path.removeprefix(root).strip("/").split("/")
            with self.state.lock:
                taken, fullname = self._project_in(parts)
            if fullname:
                environ[PROJECT] = fullname
                environ["PATH_INFO"] = "/".join([root, "_", *parts[taken:]])
            elif root and parts[0] not in NOT_PROJECTS and parts != ["fork"]:
                environ["PATH_INFO"] = f"{root}/_"
            return wsgi(environ, start_response)

        return serve

    def _project_in(self, parts: list[str]) -> tuple[int, str]:
        """How many parts of a path name a project, and which."""
        first = 2 if parts[0] == "fork" else 0
        for taken in (first + 2, first + 1):
            name = "/".join(["forks", *parts[1:taken]] if first else parts[:taken])
            if len(parts) >= taken and name in self.state.projects:
                return taken, name
        return 0, ""

    # looking

    def shapes(self) -> PagureShapes:
        """The writer of JSON."""
        return PagureShapes(self.url)

    def project(self, fullname: str) -> PagureProject:
        """A project. Raises PagureError."""
        with self.state.lock:
            return self.state.project(fullname)

    def pull_requests(self, fullname: str) -> list[Json]:
        """The pull requests to a project, oldest first, in the API's shape."""
        with self.state.lock:
            project = self.state.project(fullname)
            return [self.shapes().pull_request(project, pull) for pull in project.pull_requests.values()]

    def issues(self, fullname: str) -> list[Json]:
        """The issues of a project, oldest first, in the API's shape."""
        with self.state.lock:
            project = self.state.project(fullname)
            return [self.shapes().issue(project, issue) for issue in project.issues.values()]

    def comments(self, fullname: str, number: int) -> list[Json]:
        """The comments of a pull request or an issue, oldest first."""
        with self.state.lock:
            project = self.state.project(fullname)
            place = project.pull_requests.get(number) or self.state.issue(fullname, number)
            return [self.shapes().comment(comment) for comment in place.comments]

    def flags(self, fullname: str, number_or_sha: int | str) -> list[Json]:
        """The flags of a pull request or a commit, with `uid`, `writes` and the `history` of its states added."""
        with self.state.lock:
            if isinstance(number_or_sha, int):
                found = self.state.pull_request(fullname, number_or_sha).flags
            else:
                found = self.state.project(fullname).commit_flags.get(number_or_sha, {})
            return [
                self.shapes().flag(flag)
                | {"uid": flag.uid, "writes": flag.writes, "history": list(flag.history)}
                for flag in found.values()
            ]

    # telling

    def webhook(
        self,
        topic: str,
        *,
        project: str,
        pull_request: int | None = None,
        issue: int | None = None,
        comment: int | str | None = None,
        branch: str | None = None,
        before: str | None = None,
        after: str | None = None,
        agent: str | None = None,
        on_bus: bool = True,
        extra: Json | None = None,
    ) -> Delivery:
        """A signed hook about the present state; the same is put on the bus under another id, unless not `on_bus`.

        ``pull-request.*`` needs `pull_request`, ``pull-request.comment.*`` also `comment` (an id, or a text the agent
        says now), ``issue.*`` needs `issue`; ``git.receive`` takes `branch`, `before` and `after`. `extra` is merged
        into the message.
        """
        with self.state.lock:
            found = self.state.project(project)
            number = pull_request if pull_request is not None else issue
            if isinstance(comment, str) and number is not None:
                comment = self.add_comment(project, number, comment, author=agent or found.user.name).id
            message = self._messages().about(
                topic,
                found,
                pull_request=pull_request,
                issue=issue,
                comment_id=comment if isinstance(comment, int) else None,
                branch=branch,
                agent=agent,
                before=before,
                after=after,
            )
            message |= extra or {}
            if on_bus:
                self.publish(topic, message)
            self._told += 1
            return signed(topic, message, found, self.url, self._told)

    def deliver(self, delivery: Delivery, url: str | None = None) -> Answer:
        """POST a hook to `url` (`hook_url` if None). Pagure tries once and keeps no list; `sent` does."""
        target = url or self.hook_url
        if target is None:
            raise ValueError("Say where to deliver to, or set hook_url")
        answer = post(target, data=delivery.body, headers=delivery.headers, timeout=TIMEOUT_SECONDS)
        with self.state.lock:
            self.sent.append((delivery, answer))
        return answer

    def publish(self, topic: str, message: Json) -> None:
        """Put a message on the bus."""
        self._bus.publish(f"{self.topic_prefix}.{topic}", message)

    def tell_pull_request(self, topic: str, project: PagureProject, number: int, **about: Any) -> None:
        """Put what happened to a pull request on the bus."""
        self.publish(topic, self._messages().pull_request(topic, project, number, **about))

    def tell_issue(self, topic: str, project: PagureProject, number: int) -> None:
        """Put what happened to an issue on the bus."""
        self.publish(topic, self._messages().issue(project, number))

    def tell_commit_flag(self, topic: str, project: PagureProject, **about: Any) -> None:
        """Put what happened to a flag of a commit on the bus."""
        self.publish(topic, self._messages().commit_flag(project, **about))

    def tell_push(
        self,
        project: PagureProject,
        branch: str,
        before: str | None,
        after: str,
        agent: str,
        pull_request_id: int | None = None,
    ) -> None:
        """Put a push on the bus, and what it did to pull requests. Call it before `before` is forgotten."""
        told = self._messages().receive(
            project, branch, before=before, after=after, agent=agent, pull_request_id=pull_request_id
        )
        self.publish("git.receive", told)
        for target, pull in self.follow(project, branch):
            self.recorder.count("pagure_push", target.fullname, str(pull.id), after)
            topic = "pull-request.rebased" if told["forced"] else "pull-request.updated"
            text = "rebased onto " + after if told["forced"] else "1 new commit added"
            self.add_comment(target.fullname, pull.id, text, author=agent, notification=True)
            self.tell_pull_request(topic, target, pull.id)

    def _messages(self) -> PagureMessages:
        return PagureMessages(self.state, self.shapes())

    def _pushed(
        self, project: PagureProject, user: PagureUser, before: dict[str, str], after: dict[str, str]
    ) -> None:
        for branch, (old, new) in branches_changed(before, after).items():
            if new is None:
                shape = self.shapes().project(project)
                self.publish(
                    "git.branch.deletion", {"repo": shape, "branch": branch, "rev": old, "agent": user.name}
                )
            else:
                self.recorder.count("git_push", project.fullname, branch, new)
                self.tell_push(project, branch, old, new, user.name)
