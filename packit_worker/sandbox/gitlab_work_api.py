"""Merge requests, issues, notes, reactions and commit statuses of GitLab's API. Used inside the sandbox only.

Source: https://docs.gitlab.com/api/rest/. In front of the routes, ``_`` stands for the project (see `GitLab`).
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from packit_worker.sandbox.gitlab_gate import member, paged, project_here, sent, somebody
from packit_worker.sandbox.gitlab_state import (
    DEVELOPER,
    GitLabError,
    GitLabIssue,
    GitLabProject,
    MergeRequest,
    Note,
    Status,
)
from packit_worker.sandbox.recorder import fingerprint

if TYPE_CHECKING:
    from packit_worker.sandbox.gitlab import GitLab

HERE = "/api/v4/projects/_"
STATES = ("pending", "running", "success", "failed", "canceled", "skipped")
UNDER_WAY = ("pending", "running")


def add_routes(app: Flask, gitlab: "GitLab") -> None:
    """Add the routes to `app`."""
    state = gitlab.state

    @app.get(f"{HERE}/merge_requests/<int:iid>")
    def merge_request(iid: int) -> Any:
        project = project_here(gitlab)
        return jsonify(gitlab.shapes().merge_request(project, state.merge_request(project.path, iid)))

    @app.get(f"{HERE}/merge_requests")
    def list_merge_requests() -> Any:
        project, asked = project_here(gitlab), request.args
        found = [
            one
            for one in reversed(project.merge_requests.values())
            if asked.get("state", one.state) == one.state
            and asked.get("source_branch", one.source_branch) == one.source_branch
            and asked.get("target_branch", one.target_branch) == one.target_branch
        ]
        return paged([gitlab.shapes().merge_request(project, one) for one in found])

    @app.post(f"{HERE}/merge_requests")
    def new_merge_request() -> Any:
        project = project_here(gitlab)
        user, told = (
            member(gitlab, project, DEVELOPER),
            sent("source_branch", "target_branch", "title"),
        )
        made = gitlab.request(
            project.path, told["source_branch"], told["target_branch"], user.username, told["title"]
        )
        made.description = told.get("description") or ""
        gitlab.recorder.count("pull_request", project.path, told["target_branch"], told["source_branch"])
        return jsonify(gitlab.shapes().merge_request(project, made)), 201

    @app.get(f"{HERE}/repository/commits/<sha>/merge_requests")
    def merge_requests_of(sha: str) -> Any:
        project = project_here(gitlab)
        if project.repository.find(sha) is None:
            raise GitLabError(404, "404 Commit Not Found")
        found = [
            one for one in project.merge_requests.values() if sha in project.repository.reachable(one.sha)
        ]
        return paged([gitlab.shapes().merge_request(project, one) for one in found])

    @app.post(f"{HERE}/statuses/<sha>")
    def set_status(sha: str) -> Any:
        project = project_here(gitlab)
        user = member(gitlab, project, DEVELOPER)
        told = sent("state")
        if told["state"] not in STATES:
            raise GitLabError(400, "state does not have a valid value", "error")
        if project.repository.find(sha) != sha:
            raise GitLabError(404, "404 Commit Not Found")
        url = told.get("target_url")
        if url and not str(url).startswith(("http://", "https://")):
            raise GitLabError(400, "target_url is blocked: Only allowed schemes are http, https")
        heads = project.repository.branches()
        ref = told.get("ref") or next(
            (name for name, head in heads.items() if project.repository.is_ancestor(sha, head)), None
        )
        if ref is None:
            raise GitLabError(404, "404 References for commit Not Found")
        name = told.get("name") or told.get("context") or "default"
        status = next(
            (
                one
                for one in project.statuses
                if (one.sha, one.ref, one.name) == (sha, ref, name) and one.status in UNDER_WAY
            ),
            None,
        )
        if status is None:
            status = Status(
                id=state.next_id(), sha=sha, ref=ref, name=name, status=told["state"], author=user
            )
            project.statuses.append(status)
            gitlab.recorder.count("gitlab_status", project.path, sha, name, told["state"])
        else:
            _change(status, told["state"])
        status.target_url, status.description = url, told.get("description")
        status.history.append(status.status)
        return jsonify(gitlab.shapes().status(status)), 201

    @app.get(f"{HERE}/repository/commits/<sha>/statuses")
    def statuses(sha: str) -> Any:
        project = project_here(gitlab)
        found = [
            one
            for one in project.statuses
            if one.sha == sha
            and request.args.get("name", one.name) == one.name
            and request.args.get("ref", one.ref) == one.ref
        ]
        if request.args.get("all") not in ("true", "1", "True"):
            found = list({(one.ref, one.name): one for one in found}.values())
        return paged([gitlab.shapes().status(one) for one in reversed(found)])

    @app.get(f"{HERE}/issues")
    def list_issues() -> Any:
        project = project_here(gitlab)
        asked = request.args
        found = [
            one
            for one in reversed(project.issues.values())
            if asked.get("state", one.state) == one.state
            and asked.get("author_username", one.author.username) == one.author.username
        ]
        return paged([gitlab.shapes().issue(project, one) for one in found])

    @app.post(f"{HERE}/issues")
    def new_issue() -> Any:
        project, user, told = project_here(gitlab), somebody(gitlab), sent("title")
        if not project.issues_enabled:
            raise GitLabError(403, "403 Forbidden")
        issue = gitlab.add_issue(
            project.path, title=told["title"], body=told.get("description") or "", author=user.username
        )
        gitlab.recorder.count("gitlab_issue", project.path, issue.title)
        return jsonify(gitlab.shapes().issue(project, issue)), 201

    @app.put(f"{HERE}/issues/<int:iid>")
    def change_issue(iid: int) -> Any:
        project, user, told = project_here(gitlab), somebody(gitlab), sent()
        issue = state.issue(project.path, iid)
        if issue.author is not user and state.level(user, project) < DEVELOPER:
            raise GitLabError(403, "403 Forbidden")
        issue.title = told.get("title", issue.title)
        issue.description = told.get("description", issue.description)
        change = told.get("state_event")
        issue.state = {"close": "closed", "reopen": "opened"}.get(str(change), issue.state)
        return jsonify(gitlab.shapes().issue(project, issue))

    def place(project: GitLabProject, kind: str, iid: int) -> MergeRequest | GitLabIssue:
        if kind == "merge_requests":
            return state.merge_request(project.path, iid)
        if kind == "issues":
            return state.issue(project.path, iid)
        raise GitLabError(404, "404 Not Found", "error")

    def note_of(kind: str, iid: int, number: int) -> Note:
        for note in place(project_here(gitlab), kind, iid).notes:
            if note.id == number:
                return note
        raise GitLabError(404, "404 Note Not Found")

    @app.get(f"{HERE}/<kind>/<int:iid>/notes")
    def list_notes(kind: str, iid: int) -> Any:
        notes = place(project_here(gitlab), kind, iid).notes
        ordered = notes if request.args.get("sort") == "asc" else list(reversed(notes))
        return paged([gitlab.shapes().note(note) for note in ordered])

    @app.post(f"{HERE}/<kind>/<int:iid>/notes")
    def new_note(kind: str, iid: int) -> Any:
        project, user, told = project_here(gitlab), somebody(gitlab), sent("body")
        note = Note(state.next_id(), told["body"], user)
        place(project, kind, iid).notes.append(note)
        gitlab.recorder.count("gitlab_note", project.path, kind, str(iid), fingerprint(note.body))
        return jsonify(gitlab.shapes().note(note)), 201

    @app.put(f"{HERE}/<kind>/<int:iid>/notes/<int:number>")
    def change_note(kind: str, iid: int, number: int) -> Any:
        user, told, note = somebody(gitlab), sent("body"), note_of(kind, iid, number)
        if note.author is not user:
            raise GitLabError(403, "403 Forbidden")
        note.body = told["body"]
        return jsonify(gitlab.shapes().note(note))

    @app.post(f"{HERE}/<kind>/<int:iid>/notes/<int:number>/award_emoji")
    def award(kind: str, iid: int, number: int) -> Any:
        user, told, note = somebody(gitlab), sent("name"), note_of(kind, iid, number)
        given = (told["name"], user.username)
        if given in note.emoji:
            raise GitLabError(404, "404 Award Emoji Name has already been taken Not Found")
        note.emoji.append(given)
        gitlab.recorder.count("gitlab_emoji", str(note.id), *given)
        return jsonify(id=state.next_id(), name=told["name"], user=gitlab.shapes().user(user)), 201


def _change(status: Status, wanted: str) -> None:
    """Move a status that is under way. Raises GitLabError 400 for what GitLab's own states do not allow."""
    if wanted in UNDER_WAY and (wanted == status.status or status.status == "running"):
        event = "enqueue" if wanted == "pending" else "run"
        raise GitLabError(
            400,
            f"Cannot transition status via :{event} from :{status.status} "
            f'(Reason(s): Status cannot transition via "{event}")',
        )
    status.status = wanted
