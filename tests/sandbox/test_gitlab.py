"""The stand-in for GitLab, asked by the real client library, by git, and by whoever listens to its hooks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import gitlab
import pytest

from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.client import SandboxClient

PATH = "acme/tools/hello"


@pytest.fixture
def api(sandbox: Sandbox) -> gitlab.Gitlab:
    sandbox.gitlab.add_project(PATH, members={"packit": 30, "alice": 40})
    return gitlab.Gitlab(sandbox.gitlab.url, private_token=sandbox.gitlab.token)


def test_the_library_knows_it(sandbox: Sandbox, api: gitlab.Gitlab) -> None:
    api.auth()
    assert api.user is not None and api.user.username == "packit"
    project = api.projects.get(PATH)
    assert (project.default_branch, project.visibility) == ("main", "public")
    sandbox.gitlab.open_merge_request(PATH, files={"a": "b"})
    (note,) = [project.mergerequests.get(1).notes.create({"body": "Hello"})]
    assert [one.id for one in project.mergerequests.get(1).notes.list(get_all=True)] == [note.id]
    assert sandbox.effects()["gitlab_note", PATH, "merge_requests", "1", "185f8db32271fe25"] == 1


def test_strangers_set_no_status(sandbox: Sandbox, api: gitlab.Gitlab) -> None:
    opened = sandbox.gitlab.open_merge_request(PATH, author="bob", files={"a": "b"})
    fork = api.projects.get("bob/hello")
    with pytest.raises(gitlab.GitlabCreateError, match="403"):
        fork.commits.get(opened.sha, lazy=True).statuses.create({"state": "success"})


def test_a_status_that_is_running_does_not_wait_again(sandbox: Sandbox, api: gitlab.Gitlab) -> None:
    sha = sandbox.gitlab.push(PATH, files={"a": "b"})
    statuses = api.projects.get(PATH).commits.get(sha, lazy=True).statuses
    statuses.create({"state": "running"})
    for state in ("pending", "running"):
        with pytest.raises(gitlab.GitlabCreateError, match="Cannot transition"):
            statuses.create({"state": state})
    statuses.create({"state": "failed"})
    statuses.create({"state": "pending"})
    assert [one["status"] for one in sandbox.gitlab.statuses(PATH, sha)] == ["pending"]


def test_a_hook_carries_its_token_and_its_own_key(sandbox: Sandbox, api: gitlab.Gitlab) -> None:
    opened = sandbox.gitlab.open_merge_request(PATH, author="bob", files={"a": "b"})
    hook = sandbox.gitlab.webhook("Merge Request Hook", project=PATH, merge_request=opened.iid)

    assert hook.headers["X-Gitlab-Event"] == "Merge Request Hook"
    assert hook.headers["X-Gitlab-Token"] == sandbox.gitlab.project(PATH).hook_token
    assert hook.headers["Idempotency-Key"] == hook.id != hook.headers["X-Gitlab-Event-UUID"]
    told = hook.json()["object_attributes"]
    assert (told["iid"], told["action"], told["last_commit"]["id"]) == (1, "open", opened.sha)
    assert told["source"]["path_with_namespace"] == "bob/hello" and "oldrev" not in told
    before = opened.sha
    sandbox.gitlab.push_to_merge_request(PATH, 1, files={"c": "d"})
    update = sandbox.gitlab.webhook("Merge Request Hook", project=PATH, merge_request=1, action="update")
    assert update.json()["object_attributes"]["oldrev"] == before


def test_a_fork_that_is_deleted_leaves_its_merge_request(sandbox: Sandbox, api: gitlab.Gitlab) -> None:
    sandbox.gitlab.open_merge_request(PATH, author="bob", files={"a": "b"})
    sandbox.gitlab.delete_project("bob/hello")
    hook = sandbox.gitlab.webhook("Note Hook", project=PATH, merge_request=1, note="/packit build")
    assert hook.json()["merge_request"]["source"] is None
    assert hook.json()["merge_request"]["last_commit"]["id"]


def test_git_reads_what_is_public(sandbox: Sandbox, api: gitlab.Gitlab, tmp_path: Path) -> None:
    opened = sandbox.gitlab.open_merge_request(PATH, author="bob", files={"a": "b"})
    sandbox.gitlab.add_project("acme/secret", visibility="private")

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "-c", "credential.helper=", *arguments],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert git("clone", "-q", f"{sandbox.gitlab.url}/{PATH}.git", "here").returncode == 0
    listed = git("ls-remote", f"{sandbox.gitlab.url}/{PATH}.git", "refs/merge-requests/1/head").stdout
    assert listed.startswith(opened.sha)
    assert git("ls-remote", f"{sandbox.gitlab.url}/acme/secret.git").returncode != 0
    assert git("-C", "here", "push", "origin", "HEAD:refs/heads/x").returncode != 0


def test_from_another_process(sandbox: Sandbox) -> None:
    with SandboxClient(sandbox.control_url) as client:
        client.gitlab.add_project(PATH, members={"packit": 30})
        opened = client.gitlab.open_merge_request(PATH, author="bob", files={"a": "b"})
        assert (opened.iid, opened.source, opened.author) == (1, "bob/hello", "bob")
        hook = client.gitlab.webhook("Merge Request Hook", project=PATH, merge_request=1)
        assert hook.headers["X-Gitlab-Token"] == client.gitlab.project(PATH).hook_token
        assert client.credentials().gitlab.token == sandbox.gitlab.token
