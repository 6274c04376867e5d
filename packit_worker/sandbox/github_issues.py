"""Issues, comments, reactions and labels of GitHub's REST API. Used inside the sandbox only.

Source: https://docs.github.com/rest/issues, https://docs.github.com/rest/reactions.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, g, jsonify, request

from packit_worker.sandbox.clock import iso_now
from packit_worker.sandbox.github_gate import body, page_of, readable, writable
from packit_worker.sandbox.github_state import (
    Comment,
    GitHubError,
    Issue,
    Reaction,
    Repository,
)
from packit_worker.sandbox.github_work_json import REACTIONS
from packit_worker.sandbox.recorder import fingerprint

if TYPE_CHECKING:
    from packit_worker.sandbox.github import GitHub

LONGEST_BODY = 65536
"""Characters of an issue or a comment."""


def add_routes(app: Flask, github: "GitHub") -> None:
    """Add the routes to `app`."""
    state = github.state
    repo = "/repos/<owner>/<name>"

    def issue_of(owner: str, name: str, number: int) -> Issue:
        return state.issue(readable(state, f"{owner}/{name}").full_name, number)

    def comment_of(repository: Repository, number: int) -> Comment:
        comment = state.comments.get(number)
        if comment is None or comment.repository != repository.full_name:
            raise GitHubError(404, "Not Found")
        return comment

    @app.get(f"{repo}/issues")
    def list_issues(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        _check_enabled(repository)
        shapes = github.shapes()
        return jsonify([shapes.issue(one) for one in page_of(selected(repository))])

    @app.post(f"{repo}/issues")
    def create_issue(owner: str, name: str) -> Any:
        repository = writable(state, f"{owner}/{name}")
        _check_enabled(repository)
        sent = body()
        check_body(sent, "Issue")
        if not isinstance(sent.get("title"), str) or not sent["title"].strip():
            raise GitHubError(422, "Validation Failed", [invalid("Issue", "title", "missing_field")])
        issue = github.add_issue(
            repository.full_name,
            title=sent["title"],
            body=sent.get("body"),
            author=g.caller.login,
            labels=[_label_name(label) for label in sent.get("labels") or []],
            via_app=g.caller.kind == "installation",
        )
        issue.assignees = [str(login) for login in sent.get("assignees") or []]
        github.recorder.count("issue", repository.full_name, issue.title)
        return jsonify(github.shapes().issue(issue)), 201

    @app.get(f"{repo}/issues/<int:number>")
    def get_issue(owner: str, name: str, number: int) -> Any:
        return jsonify(github.shapes().issue(issue_of(owner, name, number)))

    @app.patch(f"{repo}/issues/<int:number>")
    def edit_issue(owner: str, name: str, number: int) -> Any:
        writable(state, f"{owner}/{name}")
        issue = issue_of(owner, name, number)
        edit(issue, body())
        return jsonify(github.shapes().issue(issue))

    @app.get(f"{repo}/issues/<int:number>/comments")
    def list_comments(owner: str, name: str, number: int) -> Any:
        since = request.args.get("since", "")
        found = [one for one in issue_of(owner, name, number).comments if one.updated_at >= since]
        return jsonify([github.shapes().comment(one) for one in page_of(found)])

    @app.post(f"{repo}/issues/<int:number>/comments")
    def create_comment(owner: str, name: str, number: int) -> Any:
        writable(state, f"{owner}/{name}")
        issue = issue_of(owner, name, number)
        text = _comment_text()
        account, via_app = github.author_of(g.caller)
        comment = state.add_comment(issue, text, account, via_app=via_app)
        github.recorder.count("comment", issue.repository, str(number), fingerprint(text))
        return jsonify(github.shapes().comment(comment)), 201

    @app.get(f"{repo}/issues/comments/<int:number>")
    def get_comment(owner: str, name: str, number: int) -> Any:
        return jsonify(github.shapes().comment(comment_of(readable(state, f"{owner}/{name}"), number)))

    @app.patch(f"{repo}/issues/comments/<int:number>")
    def edit_comment(owner: str, name: str, number: int) -> Any:
        comment = comment_of(writable(state, f"{owner}/{name}"), number)
        comment.body = _comment_text()
        comment.updated_at = iso_now()
        comment.writes += 1
        return jsonify(github.shapes().comment(comment))

    @app.delete(f"{repo}/issues/comments/<int:number>")
    def delete_comment(owner: str, name: str, number: int) -> Any:
        comment = comment_of(writable(state, f"{owner}/{name}"), number)
        state.issue(comment.repository, comment.number).comments.remove(comment)
        del state.comments[number]
        return "", 204

    def reactions_of(owner: str, name: str, kind: str, number: int) -> list[Reaction]:
        repository = readable(state, f"{owner}/{name}")
        thing = comment_of(repository, number) if kind == "issues/comments" else issue_of(owner, name, number)
        return thing.reactions

    def list_reactions(owner: str, name: str, number: int, kind: str) -> Any:
        found = reactions_of(owner, name, kind, number)
        wanted = request.args.get("content")
        return jsonify(
            [
                github.shapes().reaction(one)
                for one in page_of([r for r in found if wanted in (None, r.content)])
            ]
        )

    def create_reaction(owner: str, name: str, number: int, kind: str) -> Any:
        writable(state, f"{owner}/{name}")
        content = body().get("content")
        if content not in REACTIONS:
            raise GitHubError(422, "Validation Failed", [invalid("Reaction", "content", "invalid")])
        reactions = reactions_of(owner, name, kind, number)
        user, _ = github.author_of(g.caller)
        for known in reactions:
            if known.content == content and known.user is user:
                return jsonify(github.shapes().reaction(known)), 200
        reactions.append(Reaction(state.next_id(), content, user))
        github.recorder.count("reaction", f"{owner}/{name}", str(number), content)
        return jsonify(github.shapes().reaction(reactions[-1])), 201

    def delete_reaction(owner: str, name: str, number: int, reaction: int, kind: str) -> Any:
        writable(state, f"{owner}/{name}")
        reactions = reactions_of(owner, name, kind, number)
        reactions[:] = [known for known in reactions if known.id != reaction]
        return "", 204

    for kind in ("issues", "issues/comments"):
        rule, end = f"{repo}/{kind}/<int:number>/reactions", kind.replace("/", "_")
        given = {"kind": kind}
        app.add_url_rule(rule, f"list_{end}_reactions", list_reactions, defaults=given)
        app.add_url_rule(rule, f"create_{end}_reaction", create_reaction, defaults=given, methods=["POST"])
        app.add_url_rule(
            f"{rule}/<int:reaction>",
            f"delete_{end}_reaction",
            delete_reaction,
            defaults=given,
            methods=["DELETE"],
        )

    @app.get(f"{repo}/labels")
    def list_labels(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        return jsonify(
            [github.shapes().label(repository.full_name, one) for one in page_of([*repository.labels])]
        )

    @app.post(f"{repo}/labels")
    def create_label(owner: str, name: str) -> Any:
        repository = writable(state, f"{owner}/{name}")
        label = body()
        repository.labels[str(label.get("name"))] = str(label.get("color") or "ededed")
        return jsonify(github.shapes().label(repository.full_name, str(label.get("name")))), 201

    @app.get(f"{repo}/labels/<label>")
    def get_label(owner: str, name: str, label: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        if label not in repository.labels:
            raise GitHubError(404, "Not Found")
        return jsonify(github.shapes().label(repository.full_name, label))

    @app.get(f"{repo}/issues/<int:number>/labels")
    def list_issue_labels(owner: str, name: str, number: int) -> Any:
        issue = issue_of(owner, name, number)
        return jsonify([github.shapes().label(issue.repository, label) for label in page_of(issue.labels)])

    @app.post(f"{repo}/issues/<int:number>/labels")
    def add_issue_labels(owner: str, name: str, number: int) -> Any:
        writable(state, f"{owner}/{name}")
        issue = issue_of(owner, name, number)
        sent = request.get_json(force=True)
        for label in sent if isinstance(sent, list) else sent.get("labels", []):
            github.add_label(issue, _label_name(label))
        return jsonify([github.shapes().label(issue.repository, label) for label in issue.labels])

    @app.delete(f"{repo}/issues/<int:number>/labels/<label>")
    def remove_issue_label(owner: str, name: str, number: int, label: str) -> Any:
        writable(state, f"{owner}/{name}")
        issue = issue_of(owner, name, number)
        if label not in issue.labels:
            raise GitHubError(404, "Label does not exist")
        issue.labels.remove(label)
        return jsonify([github.shapes().label(issue.repository, left) for left in issue.labels])


def selected(repository: Repository) -> list[Issue]:
    """The issues the query asks for, newest first unless it says otherwise."""
    wanted = request.args.get("state", "open")
    creator = request.args.get("creator")
    labels = [label for label in request.args.get("labels", "").split(",") if label]
    since = request.args.get("since", "")
    found = [
        issue
        for issue in repository.issues.values()
        if wanted in ("all", issue.state)
        and (creator is None or (issue.author is not None and issue.author.login == creator))
        and all(label in issue.labels for label in labels)
        and issue.updated_at >= since
    ]
    by_update = request.args.get("sort") == "updated"
    found.sort(
        key=lambda issue: (issue.updated_at if by_update else "", issue.number),
        reverse=request.args.get("direction", "desc") == "desc",
    )
    return found


def edit(issue: Issue, sent: dict[str, Any]) -> None:
    """Change an issue or pull request as was sent. Raises GitHubError 422."""
    check_body(sent, "Issue")
    if "state" in sent:
        if sent["state"] not in ("open", "closed"):
            raise GitHubError(422, "Validation Failed", [invalid("Issue", "state", "invalid")])
        issue.state = sent["state"]
        issue.closed_at = iso_now() if issue.state == "closed" else None
        issue.state_reason = sent.get("state_reason") or (
            "completed" if issue.state == "closed" else "reopened"
        )
    issue.title = sent.get("title") or issue.title
    issue.body = sent.get("body", issue.body)
    if sent.get("labels") is not None:
        issue.labels = [_label_name(label) for label in sent["labels"]]
    if sent.get("assignees") is not None:
        issue.assignees = [str(login) for login in sent["assignees"]]
    issue.updated_at = iso_now()


def _comment_text() -> str:
    sent = body()
    text = sent.get("body")
    if not isinstance(text, str) or not text.strip():
        raise GitHubError(422, "Validation Failed", [invalid("IssueComment", "body", "missing_field")])
    check_body(sent, "IssueComment")
    return text


def check_body(sent: dict[str, Any], resource: str) -> None:
    """Raise GitHubError 422 for a body that is too long."""
    if len(sent.get("body") or "") > LONGEST_BODY:
        message = f"body is too long (maximum is {LONGEST_BODY} characters)"
        raise GitHubError(
            422, "Validation Failed", [{"resource": resource, "code": "custom", "message": message}]
        )


def _check_enabled(repository: Repository) -> None:
    if not repository.has_issues:
        raise GitHubError(410, "Issues has been disabled in this repository.")


def invalid(resource: str, field: str, code: str) -> dict[str, str]:
    """What is wrong with a field, in an answer 422."""
    return {"resource": resource, "field": field, "code": code}


def _label_name(label: Any) -> str:
    return str(label["name"]) if isinstance(label, dict) else str(label)
