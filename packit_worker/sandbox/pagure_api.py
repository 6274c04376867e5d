"""Users, projects, forks, branches, tags and files of Pagure's API. Used inside the sandbox only.

Source: https://pagure.io/api/0/. In front of the routes, ``_`` stands for the project (see `Pagure`).
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from packit_worker.sandbox import pagure_gate
from packit_worker.sandbox.pagure_gate import committer, form, paged, project_here, somebody
from packit_worker.sandbox.pagure_state import LEVELS, PagureError, PagureProject, PagureUser

if TYPE_CHECKING:
    from packit_worker.sandbox.pagure import Pagure

API = "/api/0"
HERE = f"{API}/_"


def add_routes(app: Flask, pagure: "Pagure") -> None:
    """Add the routes to `app`."""
    state = pagure.state
    pagure_gate.install(app)

    @app.get(f"{API}/version")
    def version() -> Any:
        return jsonify(version="0.31")

    @app.post(f"{API}/-/whoami")
    def whoami() -> Any:
        return jsonify(username=somebody(pagure).name)

    @app.get(f"{API}/user/<name>")
    def get_user(name: str) -> Any:
        user = state.users.get(name)
        if user is None:
            raise PagureError(404, "No such user found", "ENOUSER")
        theirs = [one for one in state.projects.values() if one.user is user]
        shape = pagure.shapes().project
        return jsonify(
            user=pagure.shapes().user(user),
            repos=[shape(one) for one in theirs if one.parent is None],
            forks=[shape(one) for one in theirs if one.parent is not None],
        )

    @app.get(f"{API}/group/<name>")
    def get_group(name: str) -> Any:
        if name not in state.groups:
            raise PagureError(404, "Group not found", "ENOGROUP")
        return jsonify(name=name, display_name=name, group_type="user", members=state.groups[name])

    @app.get(f"{API}/projects")
    def list_projects() -> Any:
        asked = request.args
        fork = {"true": True, "1": True, "false": False, "0": False}.get(asked.get("fork", "").lower())
        found = [
            one
            for one in state.projects.values()
            if (fork is None or fork == (one.parent is not None))
            and asked.get("pattern", one.name).replace("*", "") in one.name
            and asked.get("namespace", one.namespace) == one.namespace
            and asked.get("owner", asked.get("username", one.user.name)) == one.user.name
            and not one.private
        ]
        return paged(found, "projects", pagure.shapes().project)

    @app.post(f"{API}/new")
    def new_project() -> Any:
        user, sent = somebody(pagure), form("name", "description")
        path = f"{sent['namespace']}/{sent['name']}" if sent.get("namespace") else sent["name"]
        pagure.add_project(path, owner=user.name, description=sent["description"])
        pagure.recorder.count("pagure_project", path)
        return jsonify(message=f'Project "{path}" created')

    @app.post(f"{API}/fork")
    def new_fork() -> Any:
        user, sent = somebody(pagure), form("repo")
        path = f"{sent['namespace']}/{sent['repo']}" if sent.get("namespace") else sent["repo"]
        origin = state.project(f"forks/{sent['username']}/{path}" if sent.get("username") else path)
        if f"forks/{user.name}/{path}" in state.projects:
            raise PagureError(
                400, f'The project: "{origin.path}" has already been forked to user "{user.name}"'
            )
        fork = pagure.fork(origin.fullname, user.name)
        pagure.recorder.count("pagure_fork", fork.fullname)
        return jsonify(message=f'Repo "{origin.fullname}" cloned to "{user.name}/{path}"')

    @app.get(HERE)
    @app.get(f"{HERE}/")
    def get_project() -> Any:
        return jsonify(pagure.shapes().project(project_here(pagure)))

    @app.get(f"{HERE}/options")
    def get_options() -> Any:
        project = project_here(pagure)
        somebody(pagure)
        settings = {
            "issue_tracker": project.issue_tracker,
            "pull_requests": project.pull_requests_enabled,
            "Minimum_score_to_merge_pull-request": -1,
            "always_merge": False,
        }
        return jsonify(settings=settings, status="ok")

    @app.get(f"{HERE}/git/urls")
    def git_urls() -> Any:
        name = project_here(pagure).fullname
        host = pagure.url.partition("//")[2]
        urls = {"git": f"{pagure.url}/{name}.git", "ssh": f"ssh://git@{host}/{name}.git"}
        return jsonify(total_urls=len(urls), urls=urls)

    @app.get(f"{HERE}/git/branches")
    def git_branches() -> Any:
        repository = project_here(pagure).repository
        branches = repository.branches()
        shown = branches if request.args.get("with_commits") else sorted(branches)
        return jsonify(branches=shown, total_branches=len(branches), default=repository.default_branch)

    @app.post(f"{HERE}/git/branch")
    def git_new_branch() -> Any:
        project = project_here(pagure)
        committer(pagure, project)
        sent = form("branch")
        start = project.repository.find(sent.get("from_commit") or sent.get("from_branch") or "HEAD")
        if start is None:
            raise PagureError(400, "The specified commit or branch does not exist")
        project.repository.set_ref(f"refs/heads/{sent['branch']}", start)
        return jsonify(message="Project branch was created")

    @app.get(f"{HERE}/git/tags")
    def git_tags() -> Any:
        tags = _tags(project_here(pagure))
        return jsonify(tags=tags if request.args.get("with_commits") else sorted(tags), total_tags=len(tags))

    @app.post(f"{HERE}/git/tags")
    def git_new_tag() -> Any:
        project = project_here(pagure)
        committer(pagure, project)
        sent = form("tagname", "commit_hash")
        commit = project.repository.find(sent["commit_hash"])
        if commit is None or sent["tagname"] in _tags(project):
            raise PagureError(400, "An error occurred during a git operation", "EGITERROR")
        project.repository.set_ref(f"refs/tags/{sent['tagname']}", commit)
        tags = _tags(project)
        return jsonify(tags=sorted(tags), total_tags=len(tags), tag_created=True)

    @app.post(f"{HERE}/git/modifyacls")
    def modify_acls() -> Any:
        project = project_here(pagure)
        committer(pagure, project)
        sent = form("user_type", "name")
        access = project.access_users if sent["user_type"] == "user" else project.access_groups
        for names in access.values():
            if sent["name"] in names:
                names.remove(sent["name"])
        if sent.get("acl") in LEVELS:
            access.setdefault(sent["acl"], []).append(sent["name"])
        return jsonify(pagure.shapes().project(project))

    @app.get(f"{HERE}/tree/<path:ref>")
    def tree(ref: str) -> Any:
        project = project_here(pagure)
        ref, _, inside = ref.partition("/f/")
        if project.repository.find(ref) is None:
            raise PagureError(404, "File not found in the project", "EFILENOTFOUND")
        entries, prefix = project.repository.entries(ref), f"{inside}/" if inside else ""
        content: dict[str, dict[str, str]] = {}
        for path in sorted(entries):
            if path.startswith(prefix):
                first, slash, _ = path.removeprefix(prefix).partition("/")
                kind = "folder" if slash else "file"
                url = f"{pagure.url}/api/0/{project.url_path}/tree/{ref}/f/{prefix}{first}"
                content[first] = {"type": kind, "name": first, "path": prefix + first, "content_url": url}
        return jsonify(type="folder", name=inside.rpartition("/")[2] or None, content=list(content.values()))

    @app.get(f"{HERE}/c/<sha>/info")
    def commit_info(sha: str) -> Any:
        repository = project_here(pagure).repository
        found = repository.find(sha)
        if found is None:
            raise PagureError(404, "Commit not found", "ENOCOMMIT")
        text = repository.commit_text(found)
        return jsonify(
            hash=found,
            author=text.author,
            committer=text.author,
            message=text.message,
            commit_time=text.seconds,
            parent_ids=list(text.parents),
            tree_id=text.tree,
        )


def _tags(project: PagureProject) -> dict[str, str]:
    refs = [name for name in project.repository.refs() if name.startswith("refs/tags/")]
    return {name.removeprefix("refs/tags/"): project.repository.find(name) or "" for name in refs}


def assignee(pagure: "Pagure", name: str) -> PagureUser:
    """The user something is assigned to. Raises PagureError 404."""
    if name not in pagure.state.users:
        raise PagureError(404, "No such user found", "ENOUSER")
    return pagure.state.users[name]
