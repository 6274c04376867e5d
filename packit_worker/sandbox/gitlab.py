"""The stand-in for GitLab: API, git, hooks. Used by tests, demo and control server.

What people do is in `gitlab_world`, the API in `gitlab_api` and `gitlab_work_api`. Nothing is told by itself: `webhook`
makes a hook about the present state, `deliver` sends it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flask import Flask

from packit_worker.sandbox import gitlab_api, gitlab_pages, gitlab_work_api
from packit_worker.sandbox.git_http import is_push, password, refuse, repository_of, serve
from packit_worker.sandbox.github_webhooks import TIMEOUT_SECONDS, Delivery
from packit_worker.sandbox.gitlab_gate import PROJECT
from packit_worker.sandbox.gitlab_hooks import GitLabMessages, delivery
from packit_worker.sandbox.gitlab_json import GitLabShapes, Json
from packit_worker.sandbox.gitlab_state import GitLabError, GitLabProject, GitLabState
from packit_worker.sandbox.gitlab_world import GitLabWorld
from packit_worker.sandbox.outgoing import Answer, post
from packit_worker.sandbox.recorder import Recorder
from packit_worker.sandbox.server import locked

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TOKEN = "sandbox-gitlab-token"
PROJECTS = "/api/v4/projects/"


class GitLab(GitLabWorld):
    """A GitLab. All methods may be called from any thread."""

    username = "packit"
    token = TOKEN

    def __init__(self, recorder: Recorder) -> None:
        self.url = ""
        self.recorder = recorder
        self.state = GitLabState()
        self.hook_url: str | None = None
        app = Flask(__name__)
        app.json.sort_keys = False  # type: ignore[attr-defined]
        for routes in (gitlab_api, gitlab_work_api, gitlab_pages):
            routes.add_routes(app, self)
        self.wsgi: WSGIApplication = self._with_git(_about_projects(locked(app, self.state.lock)))
        self.reset()

    def reset(self) -> None:
        """Empty again; the address and the sandbox's own user stay."""
        with self.state.lock:
            self.state.clear()
            self.add_user(self.username, self.token)

    def close(self) -> None:
        """Remove what is on disk."""
        self.state.store.clear()

    # looking

    def shapes(self) -> GitLabShapes:
        """The writer of JSON."""
        return GitLabShapes(self.url)

    def project(self, path: str) -> GitLabProject:
        """A project. Raises GitLabError."""
        with self.state.lock:
            return self.state.project(path)

    def statuses(self, path: str, sha: str) -> list[Json]:
        """The newest status of each name and ref on a commit, with the `history` of its states."""
        with self.state.lock:
            newest = {(one.ref, one.name): one for one in self.project(path).statuses if one.sha == sha}
            return [{**self.shapes().status(one), "history": list(one.history)} for one in newest.values()]

    def notes(self, path: str, *, merge_request: int | None = None, issue: int | None = None) -> list[Json]:
        """The notes of a merge request or issue, oldest first, with their `emoji`."""
        with self.state.lock:
            place = (
                self.state.merge_request(path, merge_request)
                if merge_request is not None
                else self.state.issue(path, issue or 0)
            )
            return [
                {**self.shapes().note(note), "emoji": [name for name, _ in note.emoji]}
                for note in place.notes
            ]

    def issues(self, path: str) -> list[Json]:
        """The issues of a project, oldest first."""
        with self.state.lock:
            project = self.project(path)
            return [self.shapes().issue(project, issue) for issue in project.issues.values()]

    # telling

    def webhook(
        self,
        event: str,
        *,
        project: str,
        action: str | None = None,
        merge_request: int | None = None,
        issue: int | None = None,
        note: int | str | None = None,
        author: str = "alice",
        ref: str | None = None,
        before: str | None = None,
        after: str | None = None,
        tag: str | None = None,
        extra: Json | None = None,
    ) -> Delivery:
        """A hook about the present state; `event` is what stands in ``X-Gitlab-Event``.

        ``Merge Request Hook`` needs `merge_request` and takes `action`; ``Note Hook`` needs `merge_request` or `issue`,
        and `note` (an id, or a text that `author` says now); ``Push Hook`` takes a full `ref`, `before` and `after`;
        ``Release Hook`` needs `tag`. `extra` is merged into the body.
        """
        with self.state.lock:
            found = self.state.project(project)
            messages = GitLabMessages(self.state, self.shapes())
            if event == "Merge Request Hook":
                body = messages.merge_request(found, merge_request or 0, action or "open")
            elif event in ("Note Hook", "Confidential Note Hook"):
                place: dict[str, Any] = {"merge_request": merge_request, "issue": issue}
                said = self._said(project, note, author, place)
                body = messages.note(found, said, **place, action=action or "create")
            elif event in ("Push Hook", "Tag Push Hook"):
                full = ref or f"refs/heads/{found.repository.default_branch}"
                body = messages.push(found, full, before=before, after=after, by=author)
            elif event == "Release Hook":
                body = messages.release(found, tag or "", action or "create")
            else:
                body = {"object_kind": event.lower(), "project": self.shapes().hook_project(found)}
            return delivery(event, {**body, **(extra or {})}, self.url, found.hook_token)

    def _said(self, path: str, note: int | str | None, author: str, place: dict[str, Any]) -> Any:
        if isinstance(note, str):
            return self.add_note(path, note, author=author, **place)
        where = (
            self.state.merge_request(path, place["merge_request"])
            if place["merge_request"] is not None
            else self.state.issue(path, place["issue"] or 0)
        )
        for one in where.notes:
            if one.id == note:
                return one
        raise GitLabError(404, "404 Note Not Found")

    def deliver(self, hook: Delivery, url: str | None = None) -> Answer:
        """Post a hook to `url`, by default to `hook_url`. Raises ValueError without either."""
        target = url or self.hook_url
        if not target:
            raise ValueError("Where to? Set hook_url or give a url")
        return post(target, timeout=TIMEOUT_SECONDS, data=hook.body, headers=hook.headers)

    def _with_git(self, wsgi: "WSGIApplication") -> "WSGIApplication":
        """`wsgi`, which then lets git clients read too: what is public anybody, the rest with a token."""

        def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            asked = repository_of(environ["PATH_INFO"])
            if asked is None or asked[0].startswith("api/"):
                return wsgi(environ, start_response)
            with self.state.lock:
                project = self.state.projects.get(asked[0])
                user = self.state.by_token(password(environ))
                if project is None or not self.state.may_read(user, project):
                    return refuse(start_response, "401 Unauthorized", "HTTP Basic: Access denied")
                if is_push(environ):
                    return refuse(start_response, "403 Forbidden", "You are not allowed to push")
                path = project.repository.path
            return serve(environ, start_response, path, asked[1], "")

        return answer


def _about_projects(wsgi: "WSGIApplication") -> "WSGIApplication":
    """`wsgi`, where the project in a path (one part, with %2F) is replaced by ``_`` and told in the environment."""

    def serve_it(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        raw = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]
        if raw.startswith(PROJECTS):
            project, slash, rest = raw.removeprefix(PROJECTS).partition("/")
            environ[PROJECT] = unquote(project)
            environ["sandbox.address"] = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{raw}"
            environ["PATH_INFO"] = f"{PROJECTS}_{slash}{unquote(rest)}"
        return wsgi(environ, start_response)

    return serve_it
