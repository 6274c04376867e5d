"""The hand that moves the stand-in for GitLab: what people do on the site. Used inside the sandbox only.

`packit_worker.sandbox.gitlab.GitLab` offers all of it to tests, demo and control server.
"""

from collections.abc import Mapping, Sequence

from packit_worker.sandbox.git_repository import HEADS
from packit_worker.sandbox.gitlab_state import (
    DEVELOPER,
    OWNER,
    GitLabError,
    GitLabIssue,
    GitLabProject,
    GitLabRelease,
    GitLabState,
    GitLabUser,
    MergeRequest,
    Note,
)

Files = Mapping[str, str | bytes | None]


class GitLabWorld:
    """Changes the state as people do. All methods may be called from any thread."""

    state: GitLabState

    def add_user(self, username: str, token: str | None = None) -> GitLabUser:
        """Somebody with an account, and with an access token if one is given."""
        with self.state.lock:
            user = self.state.user(username)
            user.token = token or user.token
            return user

    def add_project(
        self,
        path: str,
        *,
        members: Mapping[str, int] | None = None,
        files: Files | None = None,
        visibility: str = "public",
        issues_enabled: bool = True,
        hook_token: str | None = None,
        default_branch: str = "main",
    ) -> GitLabProject:
        """A project such as ``acme/tools/hello``, with one commit. `members` maps user names to access levels."""
        with self.state.lock:
            if path in self.state.projects or "/" not in path:
                raise GitLabError(400, "Path has already been taken")
            repository = self.state.store.repository(path, default_branch)
            name = path.rpartition("/")[2]
            given = files if files is not None else {"README.md": f"# {name}\n"}
            repository.commit(default_branch, given, message="Initial commit", author="alice")
            project = GitLabProject(
                id=self.state.next_id(),
                path=path,
                repository=repository,
                visibility=visibility,
                issues_enabled=issues_enabled,
                members=dict(members or {}),
            )
            for member in project.members:
                self.state.user(member)
            project.hook_token = hook_token or project.hook_token
            self.state.projects[path] = project
            return project

    def fork(self, path: str, username: str) -> GitLabProject:
        """The fork of somebody, made if there is none."""
        with self.state.lock:
            origin = self.state.project(path)
            place = f"{username}/{origin.name}"
            known = self.state.projects.get(place)
            if known is not None:
                return known
            self.state.user(username)
            repository = self.state.store.repository(place, origin.repository.default_branch)
            repository.take(origin.repository)
            for branch, sha in origin.repository.branches().items():
                repository.set_ref(f"{HEADS}{branch}", sha)
            fork = GitLabProject(
                id=self.state.next_id(),
                path=place,
                repository=repository,
                visibility=origin.visibility,
                forked_from=origin,
                members={username: OWNER},
            )
            self.state.projects[place] = fork
            return fork

    def delete_project(self, path: str) -> None:
        """Delete a project. Merge requests from it stay, without their source."""
        with self.state.lock:
            gone = self.state.project(path)
            del self.state.projects[gone.path]
            for project in self.state.projects.values():
                for merge_request in project.merge_requests.values():
                    if merge_request.source is gone:
                        merge_request.source = None

    def push(
        self,
        path: str,
        *,
        branch: str | None = None,
        files: Files | None = None,
        author: str = "alice",
        message: str = "Direct change",
    ) -> str:
        """Commit to a branch, made from the default one if it is new; the new SHA. Nobody is told."""
        with self.state.lock:
            project = self.state.project(path)
            repository = project.repository
            branch = branch or repository.default_branch
            known = repository.branches()
            parent = known.get(branch) or known.get(repository.default_branch)
            sha = repository.commit(branch, files or {}, message=message, author=author, parent=parent)
            for target in self.state.projects.values():
                for merge_request in target.merge_requests.values():
                    here = merge_request.source is project and merge_request.source_branch == branch
                    if here and merge_request.state == "opened":
                        merge_request.before, merge_request.sha = merge_request.sha, sha
                        self._keep_head(target, merge_request)
            return sha

    def open_merge_request(
        self,
        path: str,
        *,
        author: str = "bob",
        files: Files | None = None,
        title: str = "Improve things",
        branch: str | None = None,
        target_branch: str | None = None,
        fork: bool = True,
        labels: Sequence[str] = (),
    ) -> MergeRequest:
        """Open a merge request whose commit lays `files` over the target, from the author's fork or the project."""
        with self.state.lock:
            target = self.state.project(path)
            source = self.fork(path, author) if fork else target
            into = target_branch or target.repository.default_branch
            parent = target.repository.branches().get(into)
            if parent is None:
                raise GitLabError(400, f"Branch {into} does not exist")
            iid = max([0, *target.merge_requests]) + 1
            name = branch or f"change-{iid}"
            source.repository.take(target.repository)
            sha = source.repository.commit(name, files or {}, message=title, author=author, parent=parent)
            merge_request = MergeRequest(
                id=self.state.next_id(),
                iid=iid,
                title=title,
                description="",
                author=self.state.user(author),
                source=source,
                source_branch=name,
                target_branch=into,
                sha=sha,
                labels=list(labels),
            )
            target.merge_requests[iid] = merge_request
            self._keep_head(target, merge_request)
            return merge_request

    def request(self, path: str, branch: str, into: str, author: str, title: str) -> MergeRequest:
        """A merge request from a branch of the project that is there. Raises GitLabError 409 if there is one."""
        with self.state.lock:
            project = self.state.project(path)
            sha = project.repository.branches().get(branch)
            if sha is None or into not in project.repository.branches():
                raise GitLabError(400, f"Branch {branch} or {into} does not exist")
            for known in project.merge_requests.values():
                same = known.source is project and (known.source_branch, known.target_branch) == (
                    branch,
                    into,
                )
                if same and known.state == "opened":
                    raise GitLabError(409, "Another open merge request already exists for this source branch")
            iid = max([0, *project.merge_requests]) + 1
            made = MergeRequest(
                id=self.state.next_id(),
                iid=iid,
                title=title,
                description="",
                author=self.state.user(author),
                source=project,
                source_branch=branch,
                target_branch=into,
                sha=sha,
            )
            project.merge_requests[iid] = made
            self._keep_head(project, made)
            return made

    def push_to_merge_request(self, path: str, iid: int, *, files: Files | None = None) -> MergeRequest:
        """Add a commit to a merge request."""
        with self.state.lock:
            merge_request = self.state.merge_request(path, iid)
            if merge_request.source is None:
                raise GitLabError(400, "The fork of this merge request is gone")
            self.push(
                merge_request.source.path,
                branch=merge_request.source_branch,
                files=files,
                author=merge_request.author.username,
            )
            return merge_request

    def close_merge_request(self, path: str, iid: int, *, state: str = "closed") -> MergeRequest:
        """Close a merge request, or say that it is ``merged``."""
        with self.state.lock:
            merge_request = self.state.merge_request(path, iid)
            merge_request.state = state
            return merge_request

    def add_issue(
        self, path: str, *, title: str, body: str = "", author: str = "alice", confidential: bool = False
    ) -> GitLabIssue:
        """Open an issue."""
        with self.state.lock:
            project = self.state.project(path)
            iid = max([0, *project.issues]) + 1
            issue = GitLabIssue(
                id=self.state.next_id(),
                iid=iid,
                title=title,
                description=body,
                author=self.state.user(author),
                confidential=confidential,
            )
            project.issues[iid] = issue
            return issue

    def add_note(
        self,
        path: str,
        text: str,
        *,
        merge_request: int | None = None,
        issue: int | None = None,
        author: str = "alice",
        system: bool = False,
    ) -> Note:
        """Comment on a merge request or an issue."""
        with self.state.lock:
            note = Note(self.state.next_id(), text, self.state.user(author), system)
            place = (
                self.state.merge_request(path, merge_request)
                if merge_request is not None
                else self.state.issue(path, issue or 0)
            )
            place.notes.append(note)
            return note

    def add_tag(self, path: str, tag: str, ref: str | None = None) -> str:
        """Tag a commit; its SHA."""
        with self.state.lock:
            repository = self.state.project(path).repository
            sha = repository.find(ref or "HEAD")
            if sha is None:
                raise GitLabError(400, f"Target {ref} is invalid")
            repository.set_ref(f"refs/tags/{tag}", sha)
            return sha

    def add_release(
        self, path: str, tag: str, *, name: str | None = None, ref: str | None = None, upcoming: bool = False
    ) -> GitLabRelease:
        """Release a tag, which is made if there is none."""
        with self.state.lock:
            project = self.state.project(path)
            if f"refs/tags/{tag}" not in project.repository.refs():
                self.add_tag(path, tag, ref)
            release = GitLabRelease(tag, name or tag, upcoming)
            project.releases.append(release)
            return release

    def grant(self, path: str, username: str, level: int = DEVELOPER) -> None:
        """Make somebody a member."""
        with self.state.lock:
            self.state.project(path).members[self.state.user(username).username] = level

    @staticmethod
    def _keep_head(target: GitLabProject, merge_request: MergeRequest) -> None:
        """Fetch the head into the target, as GitLab does, whatever the source."""
        if merge_request.source is not None and merge_request.source is not target:
            target.repository.take(merge_request.source.repository)
        target.repository.set_ref(f"refs/merge-requests/{merge_request.iid}/head", merge_request.sha)
