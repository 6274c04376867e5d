"""The repositories of the stand-in for Pagure over git's own protocol. Used inside the sandbox only.

``<address>/rpms/hello.git`` and ``<address>/forks/mia/rpms/hello.git``. Anybody may clone; a push needs somebody's API
token as password of HTTP Basic, and is told on the bus.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from packit_worker.sandbox.git_http import is_push, password, refuse, repository_of, serve
from packit_worker.sandbox.git_repository import HEADS
from packit_worker.sandbox.pagure_state import PagureError, PagureProject, PagureState, PagureUser

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Pushed = Callable[[PagureProject, PagureUser, dict[str, str], dict[str, str]], None]
"""Called after a push: project, who, the refs before and after."""


def git_only(state: PagureState, pushed: Pushed) -> "WSGIApplication":
    """An application that answers git clients, and nobody else."""

    def nothing(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/":
            return refuse(start_response, "404 Not Found", "No such repository")
        with state.lock:
            names = "\n".join(f"{name}.git" for name in state.projects)
        start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
        return [names.encode()]

    return with_git(nothing, state, pushed)


def with_git(wsgi: "WSGIApplication", state: PagureState, pushed: Pushed) -> "WSGIApplication":
    """`wsgi`, which then answers git clients too."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = repository_of(environ["PATH_INFO"])
        if asked is None or asked[0].startswith("api/"):
            return wsgi(environ, start_response)
        push = is_push(environ)
        with state.lock:
            user = state.by_token(password(environ))
            try:
                project = state.project(asked[0])
            except PagureError:
                return refuse(start_response, "404 Not Found", "Repository not found")
            if push or project.private:
                if user is None:
                    return refuse(start_response, "401 Unauthorized", "A name and an API token are needed")
                if not state.may_commit(user, project):
                    return refuse(
                        start_response, "403 Forbidden", f"{user.name} may not push to this project"
                    )
            before = project.repository.refs()
        body = serve(
            environ, start_response, project.repository.path, asked[1], user.name if push and user else ""
        )
        if push and user is not None and environ["REQUEST_METHOD"] == "POST":
            with state.lock:
                after = project.repository.refs()
                if before != after:
                    pushed(project, user, before, after)
        return body

    return answer


def branches_changed(
    before: dict[str, str], after: dict[str, str]
) -> dict[str, tuple[str | None, str | None]]:
    """Branch -> its commit before and after a push, of those that are different; None where there was or is none."""
    names = {name for name in (*before, *after) if name.startswith(HEADS)}
    return {
        name.removeprefix(HEADS): (before.get(name), after.get(name))
        for name in sorted(names)
        if before.get(name) != after.get(name)
    }
