"""Repositories, contents, commits, branches, tags and releases of GitHub's REST API.

Used inside the sandbox only.

Source: https://docs.github.com/rest/repos and https://docs.github.com/rest/commits.
"""

import base64
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, jsonify, request

from packit_worker.sandbox.github_commit import Commit
from packit_worker.sandbox.github_gate import body, page_of, readable, writable
from packit_worker.sandbox.github_json import blob_sha
from packit_worker.sandbox.github_state import GitHubError, Release, Repository

if TYPE_CHECKING:
    from packit_worker.sandbox.github import GitHub

LARGEST_FILE = 1024 * 1024
"""Bytes up to which the contents API sends the content."""


def add_routes(app: Flask, github: "GitHub") -> None:
    """Add the routes to `app`."""
    state = github.state
    repo = "/repos/<owner>/<name>"

    @app.get(repo)
    def get_repository(owner: str, name: str) -> Any:
        return jsonify(github.shapes().repository(readable(state, f"{owner}/{name}")))

    @app.get(f"{repo}/forks")
    def list_forks(owner: str, name: str) -> Any:
        origin = readable(state, f"{owner}/{name}").full_name
        forks = [found for found in state.repositories.values() if found.fork_of == origin]
        return jsonify([github.shapes().repository(fork) for fork in page_of(forks)])

    @app.get(f"{repo}/contents")
    @app.get(f"{repo}/contents/")
    @app.get(f"{repo}/contents/<path:path>")
    def get_contents(owner: str, name: str, path: str = "") -> Any:
        repository = readable(state, f"{owner}/{name}")
        ref = request.args.get("ref") or repository.default_branch
        commit = repository.find(ref)
        if commit is None:
            raise GitHubError(404, f"No commit found for the ref {ref}")
        path = path.strip("/")
        if path in commit.files:
            if "raw" in request.headers.get("Accept", ""):
                return Response(commit.files[path], mimetype="application/vnd.github.raw+json")
            return jsonify(entry(repository, ref, path, commit.files[path]) | content(commit.files[path]))
        listing = directory(repository, commit, ref, path)
        if not listing and path:
            raise GitHubError(404, "Not Found")
        return jsonify(listing)

    def entry(repository: Repository, ref: str, path: str, data: bytes | None) -> dict[str, Any]:
        """What the contents API says of a file, or of a directory if `data` is None."""
        root = f"{github.api_url()}/repos/{repository.full_name}"
        here = f"{root}/contents/{path}?ref={ref}"
        kind, word = ("dir", "tree") if data is None else ("file", "blob")
        sha = blob_sha(path.encode() if data is None else data)
        html = f"{github.url}/{repository.full_name}/{word}/{ref}/{path}"
        raw = f"{github.url}/{repository.full_name}/raw/{ref}/{path}"
        return {
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": sha,
            "size": len(data or b""),
            "url": here,
            "html_url": html,
            "git_url": f"{root}/git/{word}s/{sha}",
            "download_url": None if data is None else raw,
            "type": kind,
            "_links": {"self": here, "git": f"{root}/git/{word}s/{sha}", "html": html},
        }

    def directory(repository: Repository, commit: Commit, ref: str, path: str) -> list[dict[str, Any]]:
        prefix = f"{path}/" if path else ""
        entries = {}
        for name in sorted(commit.files):
            if name.startswith(prefix):
                first, _, rest = name.removeprefix(prefix).partition("/")
                entries[first] = entry(repository, ref, prefix + first, None if rest else commit.files[name])
        return list(entries.values())

    @app.get(f"{repo}/branches")
    def list_branches(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        return jsonify([branch_shape(repository, branch) for branch in page_of(sorted(repository.branches))])

    @app.get(f"{repo}/branches/<path:branch>")
    def get_branch(owner: str, name: str, branch: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        if branch not in repository.branches:
            raise GitHubError(404, "Branch not found")
        commit = repository.commits[repository.branches[branch]]
        return jsonify(
            branch_shape(repository, branch)
            | {"commit": github.shapes().commit(repository.full_name, commit)}
        )

    def branch_shape(repository: Repository, branch: str) -> dict[str, Any]:
        sha = repository.branches[branch]
        url = f"{github.api_url()}/repos/{repository.full_name}/commits/{sha}"
        return {"name": branch, "commit": {"sha": sha, "url": url}, "protected": False}

    @app.get(f"{repo}/tags")
    def list_tags(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        url = f"{github.api_url()}/repos/{repository.full_name}"
        tags = [
            {"name": tag, "commit": {"sha": sha, "url": f"{url}/commits/{sha}"}, "node_id": tag}
            | {
                "zipball_url": f"{url}/zipball/refs/tags/{tag}",
                "tarball_url": f"{url}/tarball/refs/tags/{tag}",
            }
            for tag, sha in list(repository.tags.items())[::-1]
        ]
        return jsonify(page_of(tags))

    @app.get(f"{repo}/git/ref/<path:ref>")
    def get_ref(owner: str, name: str, ref: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        commit = repository.find(f"refs/{ref}") if ref.startswith(("tags/", "heads/")) else None
        if commit is None:
            raise GitHubError(404, "Not Found")
        url = f"{github.api_url()}/repos/{repository.full_name}/git"
        target = {"type": "commit", "sha": commit.sha, "url": f"{url}/commits/{commit.sha}"}
        return jsonify(ref=f"refs/{ref}", node_id=ref, url=f"{url}/refs/{ref}", object=target)

    @app.get(f"{repo}/commits")
    def list_commits(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        commit: Commit | None = find_commit(repository, request.args.get("sha") or repository.default_branch)
        found: list[Commit] = []
        while commit is not None:
            found.append(commit)
            commit = repository.commits.get(commit.parents[0]) if commit.parents else None
        return jsonify([github.shapes().commit(repository.full_name, one) for one in page_of(found)])

    @app.get(f"{repo}/commits/<path:ref>")
    def get_commit(owner: str, name: str, ref: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        commit = find_commit(repository, ref)
        shape = github.shapes().commit(repository.full_name, commit)
        changed = changed_files(repository, commit)
        stats = {"total": len(changed), "additions": len(changed), "deletions": 0}
        return jsonify(shape | {"stats": stats, "files": changed})

    @app.get(f"{repo}/releases")
    def list_releases(owner: str, name: str) -> Any:
        repository = readable(state, f"{owner}/{name}")
        shapes = github.shapes()
        return jsonify(
            [shapes.release(repository.full_name, one) for one in page_of(repository.releases[::-1])]
        )

    @app.post(f"{repo}/releases")
    def create_release(owner: str, name: str) -> Any:
        repository = writable(state, f"{owner}/{name}")
        sent = body()
        if not sent.get("tag_name"):
            raise GitHubError(422, "Validation Failed", [_missing("Release", "tag_name")])
        release = github.add_release(
            repository.full_name,
            str(sent["tag_name"]),
            name=str(sent.get("name") or sent["tag_name"]),
            body=str(sent.get("body") or ""),
            author=g.caller.login,
        )
        github.recorder.count("release", repository.full_name, release.tag_name)
        return jsonify(github.shapes().release(repository.full_name, release)), 201

    def one_release(owner: str, name: str, tag: str | None = None, number: int | None = None) -> Any:
        repository = readable(state, f"{owner}/{name}")
        for release in repository.releases[::-1]:
            if _is_wanted(release, tag, number):
                return jsonify(github.shapes().release(repository.full_name, release))
        raise GitHubError(404, "Not Found")

    app.add_url_rule(f"{repo}/releases/latest", "get_latest_release", one_release)
    app.add_url_rule(f"{repo}/releases/tags/<path:tag>", "get_release_by_tag", one_release)
    app.add_url_rule(f"{repo}/releases/<int:number>", "get_release", one_release)


def find_commit(repository: Repository, ref: str) -> Commit:
    """The commit of `ref`. Raises GitHubError 422."""
    commit = repository.find(ref)
    if commit is None:
        raise GitHubError(422, f"No commit found for SHA: {ref}")
    return commit


def changed_files(repository: Repository, commit: Commit) -> list[dict[str, Any]]:
    """The files a commit changed, as the commits and pulls APIs list them."""
    parent = repository.commits.get(commit.parents[0]) if commit.parents else None
    before = parent.files if parent else {}
    changed = []
    for path in sorted({*before, *commit.files}):
        old, new = before.get(path), commit.files.get(path)
        if old != new:
            status = "added" if old is None else "removed" if new is None else "modified"
            numbers = {"additions": 1, "deletions": 0, "changes": 1}
            changed.append(
                {"sha": blob_sha(new or old or b""), "filename": path, "status": status, **numbers}
            )
    return changed


def content(data: bytes) -> dict[str, str]:
    """The content of a file; a large one has none and the encoding ``none``."""
    if len(data) > LARGEST_FILE:
        return {"encoding": "none", "content": ""}
    return {"encoding": "base64", "content": base64.encodebytes(data).decode()}


def _is_wanted(release: Release, tag: str | None, number: int | None) -> bool:
    if number is not None:
        return release.id == number
    if tag is not None:
        return release.tag_name == tag
    return not release.prerelease and not release.draft


def _missing(resource: str, field: str) -> dict[str, str]:
    return {"resource": resource, "field": field, "code": "missing_field"}
