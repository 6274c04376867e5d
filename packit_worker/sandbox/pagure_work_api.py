"""Pull requests, flags and issues of Pagure's API. Used inside the sandbox only.

Source: https://pagure.io/api/0/. In front of the routes, ``_`` stands for the project (see `Pagure`).
"""

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, jsonify, request

from packit_worker.sandbox.pagure_api import HERE, assignee
from packit_worker.sandbox.pagure_gate import INVALID, committer, form, paged, project_here, somebody
from packit_worker.sandbox.pagure_hooks import changed_files
from packit_worker.sandbox.pagure_state import (
    Flag,
    PagureError,
    PagureIssue,
    PagureProject,
    PagurePullRequest,
    PagureUser,
    now,
)
from packit_worker.sandbox.recorder import fingerprint

if TYPE_CHECKING:
    from packit_worker.sandbox.pagure import Pagure

STATUSES = ("success", "failure", "error", "pending", "canceled")
UID_LENGTH = 32
PR = f"{HERE}/pull-request/<int:number>"
ISSUE = f"{HERE}/issue/<int:number>"


def add_routes(app: Flask, pagure: "Pagure") -> None:
    """Add the routes to `app`."""
    _add_pull_requests(app, pagure)
    _add_flags(app, pagure)
    _add_issues(app, pagure)


def _pull(pagure: "Pagure", number: int) -> tuple[PagureProject, PagurePullRequest]:
    project = project_here(pagure)
    return project, pagure.state.pull_request(project.fullname, number)


def _add_pull_requests(app: Flask, pagure: "Pagure") -> None:
    state = pagure.state

    @app.get(f"{HERE}/pull-requests")
    def list_pull_requests() -> Any:
        project = project_here(pagure)
        status = request.args.get("status", "Open").capitalize()
        wanted = {"All": ("Open", "Merged", "Closed"), "False": ("Closed", "Merged")}.get(status, (status,))
        author = request.args.get("author")
        found = [
            pull
            for pull in reversed(project.pull_requests.values())
            if pull.status in wanted and author in (None, pull.user.name)
        ]
        return paged(found, "requests", lambda pull: pagure.shapes().pull_request(project, pull))

    @app.post(f"{HERE}/pull-request/new")
    def new_pull_request() -> Any:
        project, user = project_here(pagure), somebody(pagure)
        sent = form("title", "branch_to", "branch_from")
        source = project
        if sent.get("repo_from"):
            name = (
                f"{sent['repo_from_namespace']}/{sent['repo_from']}"
                if sent.get("repo_from_namespace")
                else sent["repo_from"]
            )
            source = state.project(
                f"forks/{sent['repo_from_username']}/{name}" if sent.get("repo_from_username") else name
            )
        if not state.may_commit(user, source):
            raise PagureError(
                401, "You do not have permissions to create a pull request from this project", "ENOPR"
            )
        for branch, where in ((sent["branch_to"], project), (sent["branch_from"], source)):
            if branch not in where.repository.branches():
                raise PagureError(400, f"Branch {branch} could not be found in the repo {where.fullname}")
        pull = pagure.request(
            project,
            source,
            sent["branch_from"],
            sent["branch_to"],
            user,
            sent["title"],
            sent.get("initial_comment"),
        )
        pagure.recorder.count("pagure_pr", project.fullname, pull.branch, source.fullname, pull.branch_from)
        pagure.tell_pull_request("pull-request.new", project, pull.id)
        return jsonify(pagure.shapes().pull_request(project, pull))

    @app.get(PR)
    def get_pull_request(number: int) -> Any:
        return jsonify(pagure.shapes().pull_request(*_pull(pagure, number)))

    @app.post(PR)
    def update_pull_request(number: int) -> Any:
        (project, pull), user = _pull(pagure, number), somebody(pagure)
        if user is not pull.user and not state.may_commit(user, project):
            raise PagureError(403, "You are not allowed to edit this pull-request", "ENOTHIGHENOUGH")
        sent = form("title")
        pull.title, pull.initial_comment = sent["title"], sent.get("initial_comment", pull.initial_comment)
        pull.last_updated = now()
        return jsonify(pagure.shapes().pull_request(project, pull))

    @app.post(f"{PR}/comment")
    def comment_pull_request(number: int) -> Any:
        (project, pull), user = _pull(pagure, number), somebody(pagure)
        text = form("comment")["comment"]
        made = pagure.add_comment(project.fullname, pull.id, text, author=user.name)
        pagure.recorder.count("pagure_comment", project.fullname, str(number), fingerprint(text))
        pagure.tell_pull_request("pull-request.comment.added", project, number, comment_id=made.id)
        return _commented(pagure, user)

    @app.post(f"{PR}/<any('close','merge','reopen'):verb>")
    def end_pull_request(number: int, verb: str) -> Any:
        (project, pull), user = _pull(pagure, number), somebody(pagure)
        if not state.may_commit(user, project) and (verb == "merge" or user is not pull.user):
            raise PagureError(
                403, "You are not allowed to merge/close pull-request for this project", "ENOPRCLOSE"
            )
        if (pull.status == "Open") == (verb == "reopen"):
            raise PagureError(400, f"This pull-request is {pull.status.lower()}")
        if verb == "reopen":
            pull.status, pull.closed_by, pull.closed_at, pull.last_updated = "Open", None, None, now()
            pagure.tell_pull_request("pull-request.reopened", project, number)
            return jsonify(message="Pull-request reopened!")
        before = project.repository.branches().get(pull.branch)
        pagure.close_pull_request(project.fullname, number, merged=verb == "merge", by=user.name)
        pagure.tell_pull_request("pull-request.closed", project, number)
        if verb == "merge" and pull.commit_stop:
            pagure.tell_push(project, pull.branch, before, pull.commit_stop, "pagure", number)
        return jsonify(message="Changes merged!" if verb == "merge" else "Pull-request closed!")

    @app.get(f"{PR}/diffstats")
    def diffstats(number: int) -> Any:
        project, pull = _pull(pagure, number)
        base = project.repository.branches().get(pull.branch)
        if base is None or pull.commit_stop is None:
            raise PagureError(400, "No statistics could be computed for this PR", "ENOPRSTATS")
        changed = changed_files(project.repository, base, pull.commit_stop)
        return jsonify(
            {path: {"status": mark, "lines_added": 1, "lines_removed": 0} for path, mark in changed.items()}
        )


def _commented(pagure: "Pagure", user: PagureUser) -> Any:
    return jsonify(
        message="Comment added", avatar_url=f"{pagure.url}/avatars/{user.name}", user=user.fullname
    )


def _set_flag(
    flags: dict[str, Flag],
    user: PagureUser,
    *,
    commit_hash: str | None = None,
    pull_request_uid: str | None = None,
) -> tuple[Flag, bool]:
    """Make the flag that was sent, or change the one of its uid; whether it is new. Raises PagureError 400."""
    sent = form("username", "comment", "url")
    status = sent.get("status") or ("pending" if not sent.get("percent") else "success")
    wrong = {}
    if status not in STATUSES:
        wrong["status"] = ["Not a valid choice"]
    if urlsplit(sent["url"]).scheme not in ("http", "https"):
        wrong["url"] = ["Invalid URL."]
    if len(sent.get("uid", "")) > UID_LENGTH:
        wrong["uid"] = ["Field cannot be longer than 32 characters."]
    if wrong:
        raise PagureError(400, INVALID, "EINVALIDREQ", wrong)
    uid = sent.get("uid") or hashlib.sha256(f"{len(flags)}{sent}".encode()).hexdigest()[:UID_LENGTH]
    percent = int(sent["percent"]) if sent.get("percent", "").isdigit() else None
    flag = flags.get(uid)
    if flag is not None:
        flag.username, flag.comment, flag.url = sent["username"], sent["comment"], sent["url"]
        flag.status, flag.percent, flag.date_updated = status, percent, now()
        flag.writes += 1
    else:
        flags[uid] = Flag(
            uid,
            sent["username"],
            sent["comment"],
            sent["url"],
            status,
            percent,
            user,
            commit_hash,
            pull_request_uid,
        )
    flags[uid].history.append(status)
    return flags[uid], flag is None


def _add_flags(app: Flask, pagure: "Pagure") -> None:
    def answer(flag: Flag, new: bool, user: PagureUser) -> Any:
        return jsonify(
            flag=pagure.shapes().flag(flag),
            uid=flag.uid,
            message="Flag added" if new else "Flag updated",
            avatar_url=f"{pagure.url}/avatars/{user.name}",
            user=user.fullname,
        )

    @app.get(f"{PR}/flag")
    def list_flags(number: int) -> Any:
        _, pull = _pull(pagure, number)
        return jsonify(flags=[pagure.shapes().flag(flag) for flag in reversed(pull.flags.values())])

    @app.post(f"{PR}/flag")
    def flag_pull_request(number: int) -> Any:
        (project, pull), user = _pull(pagure, number), somebody(pagure)
        flag, new = _set_flag(pull.flags, user, pull_request_uid=pull.uid)
        if new:
            pagure.recorder.count("pagure_pr_flag", project.fullname, str(number), flag.username, flag.uid)
        topic = "pull-request.flag.added" if new else "pull-request.flag.updated"
        pagure.tell_pull_request(topic, project, number, flag=flag)
        return answer(flag, new, user)

    @app.route(f"{HERE}/c/<sha>/flag", methods=["GET", "POST"])
    def commit_flags(sha: str) -> Any:
        project = project_here(pagure)
        commit = project.repository.find(sha) if len(sha) >= 7 else None
        if commit is None:
            raise PagureError(404, "No such commit found in this repository", "ENOCOMMIT")
        flags = project.commit_flags.setdefault(commit, {})
        if request.method == "GET":
            listed = [pagure.shapes().flag(flag) for flag in reversed(flags.values())]
            return jsonify(flags=listed, total_flags=len(listed))
        user = somebody(pagure)
        flag, new = _set_flag(flags, user, commit_hash=commit)
        if new:
            pagure.recorder.count("pagure_commit_flag", project.fullname, commit, flag.username, flag.uid)
        pagure.tell_commit_flag("commit.flag.added" if new else "commit.flag.updated", project, flag=flag)
        return answer(flag, new, user)


def _add_issues(app: Flask, pagure: "Pagure") -> None:
    state = pagure.state

    def issue_here(number: int) -> tuple[PagureProject, PagureIssue]:
        project = project_here(pagure)
        return project, state.issue(project.fullname, number)

    @app.post(f"{HERE}/new_issue")
    def new_issue() -> Any:
        project, user = project_here(pagure), somebody(pagure)
        if not project.issue_tracker:
            raise PagureError(404, "Issue tracker disabled", "ETRACKERDISABLED")
        sent = form("title", "issue_content")
        issue = pagure.add_issue(
            project.fullname, title=sent["title"], body=sent["issue_content"], author=user.name
        )
        issue.tags = [tag for tag in sent.get("tag", "").split(",") if tag]
        pagure.recorder.count("pagure_issue", project.fullname, sent["title"])
        pagure.tell_issue("issue.new", project, issue.id)
        return jsonify(message="Issue created", issue=pagure.shapes().issue(project, issue))

    @app.get(f"{HERE}/issues")
    def list_issues() -> Any:
        project = project_here(pagure)
        if not project.issue_tracker:
            raise PagureError(404, "Issue tracker disabled", "ETRACKERDISABLED")
        status, author = request.args.get("status", "Open"), request.args.get("author")
        found = [
            issue
            for issue in reversed(project.issues.values())
            if status.lower() in ("all", issue.status.lower()) and author in (None, issue.user.name)
        ]
        return paged(found, "issues", lambda issue: pagure.shapes().issue(project, issue))

    @app.get(ISSUE)
    def get_issue(number: int) -> Any:
        return jsonify(pagure.shapes().issue(*issue_here(number)))

    @app.post(ISSUE)
    def update_issue(number: int) -> Any:
        (project, issue), sent = issue_here(number), form("title", "issue_content")
        if somebody(pagure) is not issue.user:
            committer(pagure, project)
        issue.title, issue.content, issue.last_updated = sent["title"], sent["issue_content"], now()
        return jsonify(message="Issue edited", issue=pagure.shapes().issue(project, issue))

    @app.post(f"{ISSUE}/comment")
    def comment_issue(number: int) -> Any:
        (project, issue), user = issue_here(number), somebody(pagure)
        text = form("comment")["comment"]
        pagure.add_comment(project.fullname, issue.id, text, author=user.name)
        pagure.recorder.count("pagure_comment", project.fullname, str(number), fingerprint(text))
        pagure.tell_issue("issue.comment.added", project, number)
        return _commented(pagure, user)

    @app.post(f"{ISSUE}/status")
    def issue_status(number: int) -> Any:
        (project, issue), user = issue_here(number), somebody(pagure)
        if user is not issue.user:
            committer(pagure, project)
        sent = form("status")
        issue.status, issue.close_status = sent["status"], sent.get("close_status")
        issue.closed_at = None if issue.status == "Open" else now()
        return jsonify(message=[f"Issue status updated to: {issue.status}"])

    @app.post(f"{ISSUE}/assign")
    def issue_assign(number: int) -> Any:
        (project, issue), name = issue_here(number), form("assignee")["assignee"]
        committer(pagure, project)
        issue.assignee = assignee(pagure, name)
        return jsonify(message="Issue assigned")
