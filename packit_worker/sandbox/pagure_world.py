"""The hand that moves the stand-in for Pagure: what people do on the site. Used inside the sandbox only.

`packit_worker.sandbox.pagure.Pagure` offers all of it to tests, demo and control server.
"""

import uuid
from collections.abc import Mapping, Sequence

from packit_worker.sandbox.git_repository import HEADS
from packit_worker.sandbox.pagure_state import (
    PagureComment,
    PagureError,
    PagureIssue,
    PagureProject,
    PagurePullRequest,
    PagureState,
    PagureUser,
    now,
)

Files = Mapping[str, str | bytes | None]


class PagureWorld:
    """Changes the state as people do. All methods may be called from any thread."""

    state: PagureState

    def add_user(
        self, name: str, token: str | None = None, *, fullname: str | None = None, groups: Sequence[str] = ()
    ) -> PagureUser:
        """Somebody with an account, and with an API token if one is given."""
        with self.state.lock:
            user = self.state.user(name)
            user.token, user.fullname = token or user.token, fullname or user.fullname
            for group in groups:
                self.state.groups.setdefault(group, []).append(name)
            return user

    def add_group(self, name: str, members: Sequence[str]) -> None:
        """A group of users."""
        with self.state.lock:
            self.state.groups[name] = list(members)
            for member in members:
                self.state.user(member)

    def add_project(
        self,
        fullname: str,
        *,
        owner: str = "mia",
        files: Files | None = None,
        branches: Sequence[str] = ("main",),
        description: str = "",
        commit: Sequence[str] = (),
        admin: Sequence[str] = (),
        groups: Mapping[str, str] | None = None,
        private: bool = False,
        issue_tracker: bool = True,
        hook_key: str | None = None,
    ) -> PagureProject:
        """A project, ``hello`` or ``rpms/hello``, with one commit that is on all `branches`; the first is the default.

        `commit` and `admin` are users with that access, `groups` maps groups to one of the two.
        """
        namespace, _, name = fullname.rpartition("/")
        with self.state.lock:
            if fullname in self.state.projects:
                raise PagureError(400, f'It is not possible to create the repo "{fullname}"')
            repository = self.state.store.repository(fullname, branches[0])
            given = files if files is not None else {"README.md": f"# {name}\n"}
            first = repository.commit(branches[0], given, message="Initial commit", author=owner)
            for branch in branches[1:]:
                repository.set_ref(f"{HEADS}{branch}", first)
            project = PagureProject(
                id=self.state.next_id(),
                name=name,
                namespace=namespace or None,
                user=self.state.user(owner),
                repository=repository,
                description=description,
                private=private,
                issue_tracker=issue_tracker,
            )
            project.access_users = {"owner": [owner], "commit": list(commit), "admin": list(admin)}
            for group, level in (groups or {}).items():
                project.access_groups.setdefault(level, []).append(group)
            project.hook_key = hook_key or project.hook_key
            self.state.projects[fullname] = project
            return project

    def fork(self, fullname: str, user: str) -> PagureProject:
        """The fork of somebody, made if there is none."""
        with self.state.lock:
            origin = self.state.project(fullname)
            name = f"forks/{user}/{origin.path}"
            known = self.state.projects.get(name)
            if known is not None:
                return known
            repository = self.state.store.repository(name, origin.repository.default_branch)
            repository.take(origin.repository)
            for branch, sha in origin.repository.branches().items():
                repository.set_ref(f"{HEADS}{branch}", sha)
            fork = PagureProject(
                id=self.state.next_id(),
                name=origin.name,
                namespace=origin.namespace,
                user=self.state.user(user),
                repository=repository,
                description=origin.description,
                parent=origin,
                private=origin.private,
                issue_tracker=False,
            )
            fork.access_users = {"owner": [user]}
            self.state.projects[name] = fork
            return fork

    def push(
        self,
        fullname: str,
        *,
        branch: str | None = None,
        files: Files | None = None,
        author: str = "mia",
        message: str = "Direct change",
    ) -> str:
        """Commit to a branch, made from the default one if it is new; the new SHA. Nobody is told."""
        with self.state.lock:
            project = self.state.project(fullname)
            repository = project.repository
            branch = branch or repository.default_branch
            known = repository.branches()
            parent = known.get(branch) or known.get(repository.default_branch)
            sha = repository.commit(branch, files or {}, message=message, author=author, parent=parent)
            self.follow(project, branch)
            return sha

    def follow(self, project: PagureProject, branch: str) -> list[tuple[PagureProject, PagurePullRequest]]:
        """Let open pull requests from a branch have its commits; those that changed, with where they go."""
        changed = []
        targets = [project, project.parent] if project.parent else [project]
        for target in targets:
            for pull in target.pull_requests.values():
                here = pull.repo_from is project and pull.branch_from == branch and pull.status == "Open"
                if here and self._take_commits(target, pull):
                    changed.append((target, pull))
        return changed

    def _take_commits(self, target: PagureProject, pull: PagurePullRequest) -> bool:
        """Fetch the head of a pull request into its target; whether it is another one."""
        source = pull.repo_from
        head = source.repository.branches().get(pull.branch_from) if source else None
        if source is None or head is None or head == pull.commit_stop:
            return False
        if source is not target:
            target.repository.take(source.repository)
        target.repository.set_ref(f"refs/pull/{pull.id}/head", head)
        base = target.repository.branches().get(pull.branch)
        merged = target.repository.reachable(base) if base else set()
        log = [commit.sha for commit in target.repository.log(head) if commit.sha not in merged]
        pull.commit_start, pull.commit_stop = (log[-1] if log else head), head
        pull.last_updated = now()
        return True

    def open_pull_request(
        self,
        fullname: str,
        *,
        author: str = "bob",
        files: Files | None = None,
        title: str = "Improve things",
        body: str | None = "",
        branch: str | None = None,
        base: str | None = None,
        fork: bool = True,
    ) -> PagurePullRequest:
        """Open a pull request whose commit lays `files` over the base, from the author's fork or the same project."""
        with self.state.lock:
            target = self.state.project(fullname)
            source = self.fork(fullname, author) if fork else target
            base = base or target.repository.default_branch
            name = branch or f"change-{target.next_number()}"
            parent = target.repository.branches().get(base)
            if parent is None:
                raise PagureError(400, f"Branch {base} does not exist")
            source.repository.take(target.repository)
            source.repository.commit(name, files or {}, message=title, author=author, parent=parent)
            return self.request(target, source, name, base, self.state.user(author), title, body)

    def request(
        self,
        target: PagureProject,
        source: PagureProject,
        branch_from: str,
        branch: str,
        user: PagureUser,
        title: str,
        body: str | None,
    ) -> PagurePullRequest:
        """A pull request from a branch that is there."""
        with self.state.lock:
            pull = PagurePullRequest(
                id=target.next_number(),
                uid=uuid.uuid4().hex,
                title=title,
                initial_comment=body,
                user=user,
                branch=branch,
                branch_from=branch_from,
                repo_from=source,
                commit_start=None,
                commit_stop=None,
            )
            self._take_commits(target, pull)
            target.pull_requests[pull.id] = pull
            return pull

    def push_to_pull_request(
        self, fullname: str, number: int, *, files: Files | None = None, message: str = "More of it"
    ) -> PagurePullRequest:
        """Add a commit to a pull request, which then has a new `commit_stop`."""
        with self.state.lock:
            pull = self.state.pull_request(fullname, number)
            if pull.repo_from is None:
                raise PagureError(400, "The fork of this pull request is gone")
            source = pull.repo_from.fullname
            self.push(source, branch=pull.branch_from, files=files, author=pull.user.name, message=message)
            return pull

    def close_pull_request(
        self, fullname: str, number: int, *, merged: bool = False, by: str | None = None
    ) -> PagurePullRequest:
        """Close a pull request; merged, its head becomes the branch's."""
        with self.state.lock:
            project, pull = self.state.project(fullname), self.state.pull_request(fullname, number)
            pull.status, pull.closed_at = ("Merged" if merged else "Closed"), now()
            pull.closed_by, pull.last_updated = self.state.user(by or project.user.name), now()
            if merged and pull.commit_stop:
                project.repository.set_ref(f"{HEADS}{pull.branch}", pull.commit_stop)
            return pull

    def add_issue(
        self, fullname: str, *, title: str, body: str = "", author: str = "mia", private: bool = False
    ) -> PagureIssue:
        """Open an issue."""
        with self.state.lock:
            project = self.state.project(fullname)
            number = project.next_number()
            issue = PagureIssue(
                id=number, title=title, content=body, user=self.state.user(author), private=private
            )
            project.issues[number] = issue
            return issue

    def add_comment(
        self, fullname: str, number: int, text: str, *, author: str = "mia", notification: bool = False
    ) -> PagureComment:
        """Comment on a pull request or an issue."""
        with self.state.lock:
            project = self.state.project(fullname)
            place = project.pull_requests.get(number) or project.issues.get(number)
            if place is None:
                raise PagureError(404, "Pull-Request not found", "ENOREQ")
            comment = PagureComment(self.state.next_id(), text, self.state.user(author), notification)
            place.comments.append(comment)
            place.last_updated = now()
            return comment

    def edit_comment(
        self, fullname: str, number: int, comment_id: int, text: str, *, editor: str | None = None
    ) -> PagureComment:
        """Change a comment of a pull request."""
        with self.state.lock:
            for comment in self.state.pull_request(fullname, number).comments:
                if comment.id == comment_id:
                    comment.comment, comment.edited_on = text, now()
                    comment.editor = self.state.user(editor or comment.user.name)
                    return comment
            raise PagureError(404, "Comment not found", "ENOCOMMENT")
