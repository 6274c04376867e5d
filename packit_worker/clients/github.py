"""GitHub behind ``ports.Forge``, built on ogr and, where ogr would make more calls than needed, on PyGithub under it.

Imported by ``services`` only. https://docs.github.com/rest
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from github import Auth, GithubException, UnknownObjectException
from ogr.services.github.project import GithubProject

from packit_worker.clients.github_access import Access, carried_out
from packit_worker.clients.github_app import GitHubApp, InstallationToken
from packit_worker.clients.github_checks import CheckRuns, Checks, CommitStatuses
from packit_worker.clients.http import Http
from packit_worker.clients.sharing import Budgets
from packit_worker.errors import NotFound, Refused
from packit_worker.ports import (
    CheckState,
    Permission,
    Posted,
    PullRequestState,
    PushAccess,
    ReadAccess,
)

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*")


#: As whom git works with a token:
#: https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
GIT_USER = "x-access-token"

#: Installations whose token, budget and connections are kept: those used last.
ACCESSES_KEPT = 500


class GitHub:
    """One GitHub: github.com or an Enterprise server. Safe to use from several threads.

    With ``app_id`` and ``private_key`` (PEM) it works as a GitHub App, else as the account of ``token``, else as
    nobody. ``timeout`` and ``write_interval`` (pause after each write of an installation) are in seconds; GitHub wants
    a second between writes, a stand-in none. ``budgets`` are those of the process.
    """

    def __init__(
        self,
        *,
        api_url: str = "https://api.github.com",
        web_url: str = "https://github.com",
        app_id: str | None = None,
        private_key: str | None = None,
        app_slug: str | None = None,
        token: str | None = None,
        timeout: float = 10.0,
        write_interval: float = 0.0,
        budgets: Budgets | None = None,
    ) -> None:
        self.web_url = web_url.rstrip("/")
        self._api_url = api_url
        self._token = token
        self._timeout = timeout
        self._write_interval = write_interval
        self._budgets = budgets or Budgets(None)
        self._app: GitHubApp | None = None
        if app_id and private_key:
            self._app = GitHubApp(app_id, private_key, Http("GitHub", api_url, timeout=timeout))
        self.checks: Checks = CheckRuns() if self._app else CommitStatuses()
        self._login = f"{app_slug}[bot]" if app_slug and self._app else None
        self._lock = threading.Lock()
        self._accesses: dict[int | None, Access] = {}

    def project(self, project_url: str, installation_id: int | None = None) -> GitHubProject:
        """The project with this web page. No call is made for it. Raises NotFound for a page that is no project's."""
        owner, repository = self._names(project_url)
        return GitHubProject(self, owner, repository, installation_id)

    def access(self, owner: str, repository: str, installation_id: int | None) -> Access:
        """As whom to talk about a repository. One call where the owner's installation is not known yet."""
        if self._app is None:
            return self._access_of(None)
        return self._access_of(installation_id or self._app.installation(owner, repository))

    def login(self, access: Access) -> str:
        """The account our comments are from. One call for each process, if it is not configured."""
        if self._login is None:
            if self._app is not None:
                self._login = f"{self._app.slug()}[bot]"
            else:
                with access.talking() as client:
                    self._login = client.get_user().login
        return self._login

    def reader_token(self, owner: str, repository: str, installation_id: int | None) -> str:
        """A token that reads a repository: of an App one that does nothing else. One call or two. Raises Refused."""
        if self._app is not None:
            number = installation_id or self._app.installation(owner, repository)
            return self._app.mint(number, reads=repository)[0]
        if self._token is None:
            raise Refused("This service has no account at GitHub")
        return self._token

    def is_ours(self, login: str) -> bool:
        """Whether the account is the App's, or the token's where that is known by now."""
        return self._login is not None and self._login.lower() == login.lower()

    def _access_of(self, installation_id: int | None) -> Access:
        with self._lock:
            access = self._accesses.pop(installation_id, None)
            if access is None:
                access = Access(
                    self._auth(installation_id),
                    api_url=self._api_url,
                    timeout=self._timeout,
                    budget=self._budgets.of(
                        "GitHub",
                        urlsplit(self.web_url).netloc,
                        str(installation_id or ""),
                        write_interval=self._write_interval,
                    ),
                )
            self._accesses[installation_id] = access
            if len(self._accesses) > ACCESSES_KEPT:
                del self._accesses[next(iter(self._accesses))]
            return access

    def _auth(self, installation_id: int | None) -> Auth.Auth | None:
        if self._app is not None and installation_id is not None:
            return InstallationToken(self._app, installation_id)
        return Auth.Token(self._token) if self._token else None

    def _names(self, project_url: str) -> tuple[str, str]:
        page, home = urlsplit(project_url), urlsplit(self.web_url)
        parts = page.path.removeprefix(home.path).strip("/").removesuffix(".git").split("/")
        # Without page.port, which raises for one that is none.
        same_host = page.netloc.lower() == home.netloc.lower()
        if not same_host or len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
            raise NotFound(f"{project_url} is no project of {self.web_url}")
        return parts[0], parts[1]


class GitHubProject:
    """A repository on GitHub. Each method says how many calls it makes, not counting a new token (one an hour)."""

    def __init__(self, github: GitHub, owner: str, repository: str, installation_id: int | None) -> None:
        self.url = f"{github.web_url}/{owner}/{repository}"
        self._github = github
        self._owner = owner
        self._repository = repository
        self._installation_id = installation_id

    def seen_from(self, number: int, *, is_issue: bool) -> GitHubProject:
        """The same project: GitHub counts pull requests and issues together."""
        return self

    def is_private(self) -> bool:
        """Whether the world cannot read it. One call."""
        with self._talking() as project:
            return self._read(project, "", _repository)[0]

    def top_files(self, ref: str) -> Sequence[str]:
        """Names of the files in the top directory at a commit, branch or tag. One call. Raises NotFound."""
        with self._talking() as project:
            return tuple(project.get_files(ref=ref))

    def file(self, path: str, ref: str) -> str:
        """A file's text (undecodable bytes replaced). One call. Raises NotFound, Refused for one above 1 MB."""
        with self._talking() as project:
            found = project.github_repo.get_contents(path, ref=ref)
            if isinstance(found, list) or found.type != "file":
                raise NotFound(f"{path} is no file at {ref}")
            # https://docs.github.com/rest/repos/contents: above 1 MB the content is left out
            if found.encoding != "base64":
                raise Refused(f"{path} is too large to be read ({found.size} bytes)")
            return base64.b64decode(found.content).decode(errors="replace")

    def permission(self, login: str) -> Permission:
        """What the account may do here. One call; an account nobody knows has none."""
        try:
            with self._talking() as project:
                path = f"/collaborators/{quote(login, safe='')}/permission"
                return self._read(project, path, lambda found: Permission(found["permission"]))
        except NotFound:
            return Permission.NONE

    def default_branch(self) -> str:
        """Its name. One call."""
        with self._talking() as project:
            return self._read(project, "", _repository)[1]

    def commit_sha(self, ref: str) -> str:
        """The commit of ``heads/<branch>``, ``tags/<tag>`` or ``HEAD``. One call. Raises NotFound."""
        with self._talking() as project:
            try:
                # The raw data: of what is not fetched, PyGithub takes the ref for the SHA.
                return str(project.github_repo.get_commit(ref).raw_data["sha"])
            except UnknownObjectException:
                raise
            except GithubException as error:
                # https://docs.github.com/rest/commits/commits#get-a-commit: 422 for a ref that is none
                if error.status == 422:
                    raise NotFound(f"there is no commit {ref}") from error
                raise

    def latest_release(self) -> str | None:
        """The tag of the newest release that is neither a draft nor a pre-release; None without any. One call."""
        try:
            with self._talking() as project:
                return str(project.github_repo.get_latest_release().tag_name)
        except NotFound:
            return None

    def pull_request(self, number: int) -> PullRequestState:
        """A pull request as it stands. One call. Raises NotFound."""
        with self._talking() as project:
            return self._read(project, f"/pulls/{number}", _pull_request)

    def create_check(self, check: CheckState) -> Posted:
        """Show a check for the first time. One call. Without an App, a commit status."""
        with self._talking(write=True) as project:
            return self._github.checks.create(project, check)

    def update_check(self, check_id: str, check: CheckState) -> None:
        """Change a check that was created before. One call."""
        with self._talking(write=True) as project:
            self._github.checks.update(project, check_id, check)

    def find_check(self, check: CheckState) -> Posted | None:
        """The check with this commit, name and marker, if it is there. One call."""
        with self._talking() as project:
            return self._github.checks.find(project, check)

    def create_comment(self, number: int, body: str) -> Posted:
        """Comment on a pull request or issue. One call."""
        with self._talking(write=True) as project:
            made = carried_out(project.github_repo.get_issue(number).create_comment(body).raw_data)
            return Posted(id=str(made["id"]), url=made["html_url"])

    def update_comment(self, number: int, comment_id: str, body: str) -> None:
        """Change a comment of ours. One call."""
        with self._talking(write=True) as project:
            # By hand: PyGithub's edit does not show what was answered.
            _, changed = project.github_repo.requester.requestJsonAndCheck(
                "PATCH", f"{project.github_repo.url}/issues/comments/{int(comment_id)}", input={"body": body}
            )
            carried_out(changed)

    def find_comment(self, number: int, marker: str) -> Posted | None:
        """The newest comment of ours whose text holds the marker. One call per hundred comments."""
        login = self._github.login(self._access())
        with self._talking() as project:
            newest = None
            for comment in project.github_repo.get_issue(number).get_comments():
                if comment.user and comment.user.login == login and marker in (comment.body or ""):
                    newest = comment
            return Posted(id=str(newest.id), url=newest.html_url) if newest else None

    def create_reaction(self, comment_id: int, content: str) -> None:
        """React to a comment. One call; GitHub keeps one of each kind per account. Raises NotFound."""
        with self._talking(write=True) as project:
            project.github_repo.requester.requestJsonAndCheck(
                "POST",
                f"{project.github_repo.url}/issues/comments/{int(comment_id)}/reactions",
                input={"content": content},
            )

    def close_issue(self, number: int) -> None:
        """Close an issue, as done. One call."""
        with self._talking(write=True) as project:
            project.github_repo.requester.requestJsonAndCheck(
                "PATCH",
                f"{project.github_repo.url}/issues/{int(number)}",
                input={"state": "closed", "state_reason": "completed"},
            )

    def update_issue(self, number: int, title: str, body: str) -> None:
        """Say anew what an issue is about, and open it again. One call."""
        with self._talking(write=True) as project:
            project.github_repo.requester.requestJsonAndCheck(
                "PATCH",
                f"{project.github_repo.url}/issues/{int(number)}",
                input={"title": title, "body": body, "state": "open"},
            )

    def create_issue(self, title: str, body: str) -> Posted:
        """Open an issue; its id is its number. One call. Raises Refused where issues are off."""
        with self._talking(write=True) as project:
            made = carried_out(project.github_repo.create_issue(title=title, body=body).raw_data)
            return Posted(id=str(made["number"]), url=made["html_url"])

    def find_issue(self, marker: str) -> Posted | None:
        """The newest open issue of ours whose text holds the marker. One call; among our newest hundred."""
        login = self._github.login(self._access())
        with self._talking() as project:
            # By hand: PyGithub wants the creator as an object, which costs another call.
            _, found = project.github_repo.requester.requestJsonAndCheck(
                "GET",
                f"{project.github_repo.url}/issues",
                parameters={
                    "creator": login,
                    "state": "open",
                    "sort": "created",
                    "direction": "desc",
                    "per_page": 100,
                },
            )
            for issue in found:
                ours = "pull_request" not in issue and issue["user"]["login"] == login
                if ours and marker in (issue.get("body") or ""):
                    return Posted(id=str(issue["number"]), url=issue["html_url"])
            return None

    def read_access(self) -> ReadAccess | None:
        """A token for a private repository, made for this; None for a public one. One call, three at most."""
        if not self.is_private():
            return None
        token = self._github.reader_token(self._owner, self._repository, self._installation_id)
        return ReadAccess(user=GIT_USER, token=token)

    def push_access(self) -> PushAccess:
        """The repository itself: of an App's installation it takes the permission to write contents.

        No call, or one for a new token. Raises Refused where the App is not installed, or there is no token.
        """
        auth = self._access().auth
        if auth is None:
            raise Refused("This service has no account at GitHub")
        return PushAccess(url=f"{self.url}.git", user=GIT_USER, token=auth.token)

    def pushed_sha(self, head: str) -> str:
        """The commit of a branch of the repository; "" where there is none. One call."""
        try:
            return self.commit_sha(f"heads/{head}")
        except NotFound:
            return ""

    def find_pull_request(self, head: str, branch: str) -> Posted | None:
        """The open pull request from the repository's own branch ``head`` for ``branch``. One call."""
        asked = {"state": "open", "head": f"{self._owner}:{head}", "base": branch}
        with self._talking() as project:
            # By hand: PyGithub's lazy list would ask again for what it has.
            _, found = project.github_repo.requester.requestJsonAndCheck(
                "GET", f"{project.github_repo.url}/pulls", parameters=asked
            )
            for pull in found:
                return Posted(id=str(pull["number"]), url=pull["html_url"])
            return None

    def create_pull_request(self, head: str, branch: str, title: str, body: str) -> Posted:
        """Ask for the repository's own branch ``head`` to be merged into ``branch``. One call. Raises Refused."""
        sent = {"title": title, "body": body, "head": head, "base": branch}
        with self._talking(write=True) as project:
            _, made = project.github_repo.requester.requestJsonAndCheck(
                "POST", f"{project.github_repo.url}/pulls", input=sent
            )
            carried_out(made)
            return Posted(id=str(made["number"]), url=made["html_url"])

    def _read(self, project: GithubProject, path: str, understand: Callable[[Any], T]) -> T:
        """What is to be read below the repository's address, and may have changed since it was read last."""
        # By hand: PyGithub's objects ask anew each time.
        repository = project.github_repo
        return self._access().answers.read(repository.requester, f"{repository.url}{path}", understand)

    def _access(self) -> Access:
        return self._github.access(self._owner, self._repository, self._installation_id)

    @contextmanager
    def _talking(self, *, write: bool = False) -> Iterator[GithubProject]:
        access = self._access()
        with access.talking(write=write):
            yield access.project(self._owner, self._repository)


def _repository(found: Any) -> tuple[bool, str]:
    """Whether it is private, and the name of its default branch."""
    return bool(found["private"]), str(found["default_branch"])


def _pull_request(found: Any) -> PullRequestState:
    return PullRequestState(
        head_sha=found["head"]["sha"],
        target_branch=found["base"]["ref"],
        author=found["user"]["login"] if found["user"] else None,
        is_open=found["state"] == "open",
        labels=tuple(label["name"] for label in found["labels"]),
    )
