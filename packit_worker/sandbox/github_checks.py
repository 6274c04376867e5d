"""Check runs and commit statuses of GitHub's REST API, with its validation. Used inside the sandbox only.

Source: https://docs.github.com/rest/checks/runs and https://docs.github.com/rest/commits/statuses.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, g, jsonify, request

from packit_worker.sandbox.clock import iso_now
from packit_worker.sandbox.github_gate import body, page_of, readable, writable
from packit_worker.sandbox.github_repositories import find_commit
from packit_worker.sandbox.github_state import (
    CheckRun,
    CommitStatus,
    GitHubError,
    Repository,
)

if TYPE_CHECKING:
    from packit_worker.sandbox.github import GitHub

STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
"""What an App may set; ``stale`` is GitHub's own."""
STATES = ("error", "failure", "pending", "success")
LONGEST_OUTPUT = 65535
LONGEST_DESCRIPTION = 140
MOST_ANNOTATIONS = 50
MOST_ACTIONS = 3
ACTION_LENGTHS = {"label": 20, "identifier": 20, "description": 40}


def add_routes(app: Flask, github: "GitHub") -> None:
    """Add the routes to `app`."""
    state = github.state
    repo = "/repos/<owner>/<name>"

    def check_of(repository: Repository, number: int) -> CheckRun:
        if number not in repository.checks:
            raise GitHubError(404, "Not Found")
        return repository.checks[number]

    def writable_by_app(owner: str, name: str) -> Repository:
        if g.caller.kind != "installation":
            raise GitHubError(403, "You must authenticate via a GitHub App.")
        return writable(state, f"{owner}/{name}")

    @app.post(f"{repo}/check-runs")
    def create_check(owner: str, name: str) -> Any:
        repository = writable_by_app(owner, name)
        sent = body()
        if not isinstance(sent.get("name"), str) or not sent["name"].strip():
            raise invalid("name", "is required")
        sha = sent.get("head_sha")
        if not isinstance(sha, str) or sha not in repository.commits:
            raise GitHubError(422, f"No commit found for SHA: {sha}")
        validate(sent)
        check = CheckRun(
            id=state.next_id(),
            suite_id=github.suite_id(repository, sha),
            repository=repository.full_name,
            name=sent["name"],
            head_sha=sha,
            started_at=iso_now(),
        )
        apply(check, sent)
        repository.checks[check.id] = check
        github.recorder.count("check_run", repository.full_name, sha, check.name, check.external_id)
        return jsonify(github.shapes().check_run(check)), 201

    @app.patch(f"{repo}/check-runs/<int:number>")
    def edit_check(owner: str, name: str, number: int) -> Any:
        check = check_of(writable_by_app(owner, name), number)
        sent = body()
        validate(sent)
        apply(check, sent)
        return jsonify(github.shapes().check_run(check))

    @app.get(f"{repo}/check-runs/<int:number>")
    def get_check(owner: str, name: str, number: int) -> Any:
        return jsonify(github.shapes().check_run(check_of(readable(state, f"{owner}/{name}"), number)))

    @app.get(f"{repo}/check-runs/<int:number>/annotations")
    def list_annotations(owner: str, name: str, number: int) -> Any:
        check = check_of(readable(state, f"{owner}/{name}"), number)
        return jsonify(page_of(check.output.get("annotations") or []))

    @app.get(f"{repo}/commits/<path:ref>/check-runs")
    def list_checks(owner: str, name: str, ref: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        found = selected(repository, find_commit(repository, ref).sha)
        shapes = github.shapes()
        return jsonify(total_count=len(found), check_runs=[shapes.check_run(one) for one in page_of(found)])

    @app.get(f"{repo}/commits/<path:ref>/check-suites")
    def list_suites(owner: str, name: str, ref: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        sha = find_commit(repository, ref).sha
        suites = [github.shapes().check_suite(repository, sha, github.suite_id(repository, sha))]
        return jsonify(total_count=1, check_suites=page_of(suites))

    def selected(repository: Repository, sha: str) -> list[CheckRun]:
        """The check runs of a commit the query asks for, newest first."""
        found = sorted(
            (one for one in repository.checks.values() if one.head_sha == sha), key=lambda one: -one.id
        )
        wanted = request.args
        if wanted.get("filter", "latest") == "latest":
            newest: dict[str, CheckRun] = {}
            for check in found:
                newest.setdefault(check.name, check)
            found = list(newest.values())
        return [
            check
            for check in found
            if wanted.get("check_name") in (None, check.name)
            and wanted.get("status") in (None, check.status)
            and wanted.get("app_id", type=int) in (None, github.app_id)
        ]

    @app.post(f"{repo}/statuses/<sha>")
    def create_status(owner: str, name: str, sha: str) -> Any:
        repository = writable(state, f"{owner}/{name}")
        if sha not in repository.commits:
            raise GitHubError(422, f"No commit found for SHA: {sha}")
        sent = body()
        if sent.get("state") not in STATES:
            raise invalid("state", "is not included in the list")
        if len(sent.get("description") or "") > LONGEST_DESCRIPTION:
            raise invalid("description", f"is too long (maximum is {LONGEST_DESCRIPTION} characters)")
        _check_link(sent, "target_url")
        creator, _ = github.author_of(g.caller)
        context = sent.get("context") or "default"
        status = CommitStatus(
            state.next_id(), sent["state"], context, sent.get("description"), sent.get("target_url"), creator
        )
        repository.statuses.setdefault(sha, []).append(status)
        github.recorder.count("status", repository.full_name, sha, context, status.state)
        return jsonify(github.shapes().status(repository.full_name, sha, status)), 201

    @app.get(f"{repo}/statuses/<path:ref>")
    @app.get(f"{repo}/commits/<path:ref>/statuses")
    def list_statuses(owner: str, name: str, ref: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        sha = find_commit(repository, ref).sha
        found = repository.statuses.get(sha, [])[::-1]
        return jsonify([github.shapes().status(repository.full_name, sha, one) for one in page_of(found)])

    @app.get(f"{repo}/commits/<path:ref>/status")
    def combined_status(owner: str, name: str, ref: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        sha = find_commit(repository, ref).sha
        newest = {status.context: status for status in repository.statuses.get(sha, [])}
        states = {status.state for status in newest.values()}
        overall = (
            "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
        )
        shapes = github.shapes()
        listed = [shapes.status(repository.full_name, sha, one) for one in newest.values()]
        return jsonify(state=overall, sha=sha, total_count=len(listed), statuses=page_of(listed))


def validate(sent: dict[str, Any]) -> None:
    """Refuse what GitHub refuses in the body of a check run. Raises GitHubError 422."""
    status, conclusion = sent.get("status"), sent.get("conclusion")
    if status is not None and status not in STATUSES:
        raise invalid("status", f"{status} is not a member of {list(STATUSES)}")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid("conclusion", f"{conclusion} is not a member of {list(CONCLUSIONS)}")
    if conclusion is None and (status == "completed" or sent.get("completed_at")):
        raise invalid("conclusion", "is required when the check run is completed")
    _check_link(sent, "details_url")
    output = sent.get("output")
    if output is not None:
        _validate_output(output)
    actions = sent.get("actions") or []
    if len(actions) > MOST_ACTIONS:
        raise invalid(
            "actions", f"No more than {MOST_ACTIONS} items are allowed; {len(actions)} were supplied."
        )
    for action in actions:
        for name, length in ACTION_LENGTHS.items():
            if not action.get(name):
                raise invalid(f"actions/{name}", "is required")
            if len(action[name]) > length:
                raise invalid(f"actions/{name}", f"is too long (maximum is {length} characters)")


def _validate_output(output: dict[str, Any]) -> None:
    for name in ("title", "summary"):
        if not output.get(name):
            raise invalid(f"output/{name}", "wasn't supplied.")
    for name in ("title", "summary", "text"):
        if len(output.get(name) or "") > LONGEST_OUTPUT:
            raise invalid(f"output/{name}", f"is too long (maximum is {LONGEST_OUTPUT} characters)")
    if len(output.get("annotations") or []) > MOST_ANNOTATIONS:
        raise invalid("output/annotations", f"No more than {MOST_ANNOTATIONS} items are allowed.")


def apply(check: CheckRun, sent: dict[str, Any]) -> None:
    """Write the validated body `sent` into `check`."""
    for name in ("name", "details_url", "external_id", "started_at"):
        if sent.get(name) is not None:
            setattr(check, name, sent[name])
    if sent.get("conclusion") is not None:
        check.status, check.conclusion = "completed", sent["conclusion"]
        check.completed_at = sent.get("completed_at") or iso_now()
    elif sent.get("status") is not None:
        check.status, check.conclusion, check.completed_at = sent["status"], None, None
    if sent.get("output") is not None:
        known = check.output.get("annotations") or []
        check.output = {**sent["output"], "annotations": known + (sent["output"].get("annotations") or [])}
    if sent.get("actions") is not None:
        check.actions = sent["actions"]
    check.writes += 1
    check.history.append(
        {
            "status": check.status,
            "conclusion": check.conclusion,
            "title": check.output.get("title"),
            "details_url": check.details_url,
            "at": iso_now(),
        }
    )


def invalid(field: str, message: str) -> GitHubError:
    """The refusal of one field."""
    return GitHubError(
        422,
        f"Invalid request.\n\n{field}: {message}",
        [{"field": field, "code": "invalid", "message": message}],
    )


def _check_link(sent: dict[str, Any], name: str) -> None:
    link = sent.get(name)
    if link and not str(link).startswith(("http://", "https://")):
        raise invalid(name, f"{name} must use http or https scheme")
