"""Pull requests of GitHub's REST API. Used inside the sandbox only.

Source: https://docs.github.com/rest/pulls.
"""

from typing import TYPE_CHECKING, Any, NoReturn

from flask import Flask, g, jsonify, request

from packit_worker.sandbox.github_gate import body, page_of, readable, writable
from packit_worker.sandbox.github_issues import check_body, edit, invalid, selected
from packit_worker.sandbox.github_repositories import changed_files
from packit_worker.sandbox.github_state import GitHubError, PullRequest

if TYPE_CHECKING:
    from packit_worker.sandbox.github import GitHub


def add_routes(app: Flask, github: "GitHub") -> None:
    """Add the routes to `app`."""
    state = github.state
    repo = "/repos/<owner>/<name>"

    def pull_of(owner: str, name: str, number: int) -> PullRequest:
        return state.pull(readable(state, f"{owner}/{name}").full_name, number)

    @app.get(f"{repo}/pulls")
    def list_pulls(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        found = [one for one in selected(repository) if isinstance(one, PullRequest)]
        head = request.args.get("head")
        if head:
            found = [one for one in found if head in (f"{one.head_owner}:{one.head_branch}", one.head_branch)]
        base = request.args.get("base")
        if base:
            found = [one for one in found if one.base_branch == base]
        shapes = github.shapes()
        return jsonify([shapes.pull(one, whole=False) for one in page_of(found)])

    @app.post(f"{repo}/pulls")
    def create_pull(owner: str, name: str) -> Any:
        repository, sent = writable(state, f"{owner}/{name}"), body()
        for field in ("head", "base", "title"):
            if not isinstance(sent.get(field), str) or not sent[field]:
                raise GitHubError(422, "Validation Failed", [invalid("PullRequest", field, "missing_field")])
        check_body(sent, "PullRequest")
        for field in ("head", "base"):
            if sent[field] not in repository.branches:
                raise GitHubError(422, "Validation Failed", [invalid("PullRequest", field, "invalid")])
        if repository.branches[sent["head"]] == repository.branches[sent["base"]]:
            _refuse_pull(f"No commits between {sent['base']} and {sent['head']}")
        if github.open_pulls_from(repository, sent["head"], sent["base"]):
            _refuse_pull(f"A pull request already exists for {owner}:{sent['head']}.")
        account, via_app = github.author_of(g.caller)
        pull = github.request_pull(
            repository, sent["head"], sent["base"], account, sent["title"], sent.get("body"), via_app=via_app
        )
        github.recorder.count("pull_request", repository.full_name, sent["base"], sent["head"])
        return jsonify(github.shapes().pull(pull)), 201

    @app.get(f"{repo}/pulls/<int:number>")
    def get_pull(owner: str, name: str, number: int) -> Any:
        return jsonify(github.shapes().pull(pull_of(owner, name, number)))

    @app.patch(f"{repo}/pulls/<int:number>")
    def edit_pull(owner: str, name: str, number: int) -> Any:
        writable(state, f"{owner}/{name}")
        pull = pull_of(owner, name, number)
        edit(pull, body())
        return jsonify(github.shapes().pull(pull))

    @app.get(f"{repo}/pulls/<int:number>/commits")
    def list_pull_commits(owner: str, name: str, number: int) -> Any:
        pull = pull_of(owner, name, number)
        commits = state.repository(pull.repository).commits
        return jsonify(
            [github.shapes().commit(pull.repository, commits[sha]) for sha in page_of(pull.commits)]
        )

    @app.get(f"{repo}/pulls/<int:number>/files")
    def list_pull_files(owner: str, name: str, number: int) -> Any:
        pull = pull_of(owner, name, number)
        repository = state.repository(pull.repository)
        return jsonify(page_of(changed_files(repository, repository.commits[pull.head_sha])))

    @app.get(f"{repo}/pulls/<int:number>/merge")
    def is_merged(owner: str, name: str, number: int) -> Any:
        if not pull_of(owner, name, number).merged:
            raise GitHubError(404, "Not Found")
        return "", 204


def _refuse_pull(message: str) -> NoReturn:
    wrong = {"resource": "PullRequest", "code": "custom", "message": message}
    raise GitHubError(422, "Validation Failed", [wrong])
