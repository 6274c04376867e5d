"""GitHub's client against the sandbox over HTTP: what it does, in how many calls, and how it fails."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from packit_worker import urgency
from packit_worker.clients.github import GitHub, GitHubProject
from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError, Unanswered
from packit_worker.ports import CheckState, CheckStatus, Conclusion, Forge, ForgeProject, Permission
from packit_worker.sandbox import Sandbox

from .conftest import SLOW, TIMEOUT, calls

REPOSITORY = "acme/tool"
INSTALLATION = 71


@pytest.fixture
def sha(sandbox: Sandbox) -> str:
    sandbox.github.add_repository(
        REPOSITORY,
        installation_id=INSTALLATION,
        files={".packit.yaml": "jobs: []\n", "tool.spec": b"Name: caf\xe9\n", "src/tool.py": "x = 1\n"},
        permissions={"mia": "maintain", "rob": "read", "packit-sandbox-user": "write"},
    )
    return sandbox.github.open_pull_request(REPOSITORY, author="mia").head_sha


def app(sandbox: Sandbox) -> GitHub:
    return GitHub(
        api_url=f"{sandbox.github.url}/api/v3",
        web_url=sandbox.github.url,
        app_id=str(sandbox.github.app_id),
        private_key=sandbox.github.private_key_pem,
        app_slug=sandbox.github.app_slug,
        timeout=TIMEOUT,
    )


def account(sandbox: Sandbox) -> GitHub:
    return GitHub(
        api_url=sandbox.github.url,
        web_url=sandbox.github.url,
        token=sandbox.github.personal_token,
        timeout=TIMEOUT,
    )


def project_of(github: GitHub, installation_id: int | None = INSTALLATION) -> GitHubProject:
    return github.project(f"{github.web_url}/{REPOSITORY}", installation_id)


@pytest.fixture
def project(sandbox: Sandbox, sha: str) -> GitHubProject:
    """The project seen by an App that has its token already."""
    project = project_of(app(sandbox))
    project.is_private()
    sandbox.recorder.clear()
    return project


def check(sha: str, **changes: object) -> CheckState:
    state = CheckState(
        commit_sha=sha,
        name="build:fedora-rawhide",
        marker="run-17",
        status=CheckStatus.QUEUED,
        title="Waiting for a builder",
        url="https://worker.example/runs/17",
    )
    return replace(state, **changes)  # type: ignore[arg-type]


def test_keeps_the_contract(sandbox: Sandbox, sha: str) -> None:
    forge: Forge = app(sandbox)
    project: ForgeProject = forge.project(f"{sandbox.github.url}/{REPOSITORY}", INSTALLATION)
    assert project.url == f"{sandbox.github.url}/{REPOSITORY}"
    assert not sandbox.calls("github")


def test_reads_in_one_call_each(sandbox: Sandbox, sha: str, project: GitHubProject) -> None:
    assert project.is_private() is False
    assert project.top_files(sha) == (".packit.yaml", "tool.spec")
    assert project.file(".packit.yaml", sha) == "jobs: []\n"
    assert project.file("tool.spec", "main") == "Name: caf\ufffd\n"
    assert project.permission("mia") is Permission.WRITE
    assert project.permission("rob") is Permission.READ
    assert calls(sandbox, "github") == [
        f"GET /repos/{REPOSITORY}",
        f"GET /repos/{REPOSITORY}/contents/",
        f"GET /repos/{REPOSITORY}/contents/.packit.yaml",
        f"GET /repos/{REPOSITORY}/contents/tool.spec",
        f"GET /repos/{REPOSITORY}/collaborators/mia/permission",
        f"GET /repos/{REPOSITORY}/collaborators/rob/permission",
    ]


@pytest.mark.parametrize("path", ["missing.yaml", "src"])
def test_what_is_no_file_is_not_found(sha: str, project: GitHubProject, path: str) -> None:
    with pytest.raises(NotFound):
        project.file(path, sha)


def test_an_unknown_commit_is_not_found(project: GitHubProject) -> None:
    with pytest.raises(NotFound):
        project.top_files("0" * 40)


def test_nobody_has_no_permission(sandbox: Sandbox, project: GitHubProject) -> None:
    sandbox.faults.add("github", kind="status", status=404)
    assert project.permission("ghost") is Permission.NONE


def test_a_check_in_one_call_each(sandbox: Sandbox, sha: str, project: GitHubProject) -> None:
    posted = project.create_check(check(sha))
    project.update_check(
        posted.id, check(sha, status=CheckStatus.COMPLETED, conclusion=Conclusion.TIMED_OUT, summary="Again?")
    )
    found = project.find_check(check(sha))
    assert found == posted
    assert project.find_check(check(sha, marker="run-18")) is None
    assert calls(sandbox, "github") == [
        f"POST /repos/{REPOSITORY}/check-runs",
        f"PATCH /repos/{REPOSITORY}/check-runs/{posted.id}",
        f"GET /repos/{REPOSITORY}/commits/{sha}/check-runs",
        f"GET /repos/{REPOSITORY}/commits/{sha}/check-runs",
    ]
    (shown,) = sandbox.github.checks(REPOSITORY, sha)
    assert (shown["status"], shown["conclusion"], shown["external_id"]) == (
        "completed",
        "timed_out",
        "run-17",
    )
    assert shown["details_url"] == "https://worker.example/runs/17"
    assert shown["output"]["summary"] == "Again?"


def test_a_commit_status_without_an_app(sandbox: Sandbox, sha: str) -> None:
    project = project_of(account(sandbox), None)
    long = check(sha, title="begin " + "x" * 200 + " end")
    posted = project.create_check(long)
    project.update_check(
        posted.id, replace(long, status=CheckStatus.COMPLETED, conclusion=Conclusion.SKIPPED)
    )
    assert calls(sandbox, "github") == [f"POST /repos/{REPOSITORY}/statuses/{sha}"] * 2
    first, second = sandbox.github.statuses(REPOSITORY, sha)
    assert (first["state"], second["state"]) == ("pending", "success")
    assert len(first["description"]) == 140
    assert first["description"].startswith("begin x") and first["description"].endswith("x end")
    assert project.find_check(long) is None, "the newest says something else"
    found = project.find_check(replace(long, status=CheckStatus.COMPLETED, conclusion=Conclusion.SKIPPED))
    assert found is not None and found.id == str(second["id"])


def test_comments_and_issues_of_ours(sandbox: Sandbox, project: GitHubProject) -> None:
    sandbox.github.add_comment(REPOSITORY, 1, "a thief's <!-- key 1 -->", author="rob")
    posted = project.create_comment(1, "Done <!-- key 1 -->")
    project.update_comment(1, posted.id, "Done, again <!-- key 1 -->")
    sandbox.github.add_comment(REPOSITORY, 1, "later <!-- key 1 -->", author=None)
    assert project.find_comment(1, "<!-- key 1 -->") == posted
    assert project.find_comment(1, "<!-- key 2 -->") is None
    sandbox.github.add_issue(REPOSITORY, title="x", body="<!-- key 3 -->", author="rob")
    issue = project.create_issue("Cannot build", "Sorry <!-- key 3 -->")
    assert project.find_issue("<!-- key 3 -->") == issue
    assert project.find_issue("<!-- key 4 -->") is None
    assert len(sandbox.calls("github")) == 7


def test_one_token_for_all_threads_and_calls(sandbox: Sandbox, sha: str) -> None:
    github = app(sandbox)

    def read() -> None:
        for _ in range(10):
            assert project_of(github, None).file(".packit.yaml", sha) == "jobs: []\n"
            assert project_of(github).permission("mia") is Permission.WRITE

    with ThreadPoolExecutor(4) as threads:
        for reading in [threads.submit(read) for _ in range(4)]:
            reading.result()
    made = calls(sandbox, "github")
    assert made.count(f"POST /app/installations/{INSTALLATION}/access_tokens") == 1
    assert made.count(f"GET /repos/{REPOSITORY}/installation") == 1
    assert len(made) == 80 + 2


def test_a_withdrawn_token_is_replaced(sandbox: Sandbox, project: GitHubProject) -> None:
    sandbox.github.expire_tokens()
    with pytest.raises(TemporaryError):
        project.is_private()
    assert project.is_private() is False


def test_without_the_app_nothing_is_taken_for_missing(sandbox: Sandbox, sha: str) -> None:
    github = app(sandbox)
    sandbox.github.uninstall(INSTALLATION)
    for installation_id in (INSTALLATION, None):
        with pytest.raises(Refused, match="GitHub App") as caught:
            project_of(github, installation_id).file(".packit.yaml", sha)
        assert caught.value.status == 404


@pytest.mark.parametrize(
    "page",
    [
        "http://127.0.0.1:1/acme/tool",
        "http://169.254.169.254/acme/tool",
        "http://127.0.0.1:99999/acme/tool",
        "http://me:secret@127.0.0.1/acme/tool",
        "{web}/acme",
        "{web}/acme/tool/pulls",
        "{web}/../tool",
        "{web}/acme/to%2Fol",
        "{web}/acme/..",
    ],
)
def test_only_projects_of_this_host(sandbox: Sandbox, page: str) -> None:
    with pytest.raises(NotFound):
        app(sandbox).project(page.format(web=sandbox.github.url))


def test_a_write_without_an_answer_is_found(sandbox: Sandbox, sha: str, project: GitHubProject) -> None:
    sandbox.faults.add("github", kind="drop_after_commit", method="POST")
    with pytest.raises(Unanswered):
        project.create_check(check(sha))
    assert project.find_check(check(sha)) is not None
    assert len(sandbox.github.checks(REPOSITORY, sha)) == 1


def test_slow_answers(sandbox: Sandbox, sha: str, project: GitHubProject) -> None:
    sandbox.faults.add("github", kind="delay", seconds=SLOW, times=2)
    with pytest.raises(Unanswered, match="timed out"):
        project.create_check(check(sha))
    with pytest.raises(TemporaryError) as caught:
        project.file(".packit.yaml", sha)
    assert not isinstance(caught.value, Unanswered)


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        (400, Refused, Refused),
        (403, Refused, Refused),
        (404, NotFound, NotFound),
        (422, Refused, Refused),
        (429, RateLimited, RateLimited),
        (500, TemporaryError, Unanswered),
        (502, TemporaryError, Unanswered),
        (503, TemporaryError, TemporaryError),
        (504, TemporaryError, Unanswered),
    ],
)
def test_statuses(
    sandbox: Sandbox, sha: str, status: int, reading: type[Exception], writing: type[Exception]
) -> None:
    for act, meaning in (("read", reading), ("write", writing)):
        project = project_of(app(sandbox))
        project.is_private()
        sandbox.faults.add("github", kind="status", status=status)
        with pytest.raises(meaning) as caught:
            if act == "read":
                project.file(".packit.yaml", sha)
            else:
                project.create_comment(1, "x")
        assert type(caught.value) is meaning
        assert str(status) in str(caught.value)


def test_an_unreadable_key_is_told_at_once_and_not_shown() -> None:
    with pytest.raises(ValueError, match="private key") as caught:
        GitHub(
            app_id="1", private_key="-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----"
        )
    assert "canary" not in str(caught.value) and caught.value.__cause__ is None


def test_nobody_there(sha: str) -> None:
    github = GitHub(
        api_url="http://127.0.0.1:9", web_url="http://127.0.0.1:9", token="x" * 40, timeout=TIMEOUT
    )
    with pytest.raises(TemporaryError, match="cannot be reached") as caught:
        github.project("http://127.0.0.1:9/acme/tool").create_comment(1, "x")
    assert type(caught.value) is TemporaryError


def test_limits_are_kept_without_further_calls(sandbox: Sandbox, sha: str, project: GitHubProject) -> None:
    sandbox.faults.add("github", kind="secondary_limit", reset_seconds=30)
    with pytest.raises(RateLimited) as caught:
        project.create_comment(1, "x")
    assert caught.value.retry_after == pytest.approx(30)
    made = len(sandbox.calls("github"))
    with pytest.raises(RateLimited) as caught:
        project.create_check(check(sha))
    assert 28 < (caught.value.retry_after or 0) <= 30
    assert len(sandbox.calls("github")) == made


def test_the_primary_limit_says_when(sandbox: Sandbox, sha: str, project: GitHubProject) -> None:
    sandbox.faults.add("github", kind="rate_limit", reset_seconds=90)
    with pytest.raises(RateLimited) as caught:
        project.file(".packit.yaml", sha)
    assert 88 < (caught.value.retry_after or 0) <= 92


def test_the_last_calls_are_kept_for_first_statuses(
    sandbox: Sandbox, sha: str, project: GitHubProject
) -> None:
    sandbox.github.rate_limit_remaining = 30
    project.is_private()
    made = len(sandbox.calls("github"))
    with pytest.raises(RateLimited):
        project.file(".packit.yaml", sha)
    with pytest.raises(
        RateLimited, match=r"waits until \d\d:\d\d UTC for GitHub's rate limit of installation 71"
    ):
        project.create_check(check(sha))
    assert len(sandbox.calls("github")) == made
    with urgency.first_status():
        project.create_check(check(sha))


def test_no_token_in_texts_or_logs(
    sandbox: Sandbox, sha: str, project: GitHubProject, logged: pytest.LogCaptureFixture
) -> None:
    texts = []
    for kind, status in (("status", 401), ("status", 422), ("drop_before", 0), ("secondary_limit", 0)):
        sandbox.faults.add("github", kind=kind, status=status)
        with pytest.raises((TemporaryError, Refused)) as caught:
            project.create_check(check(sha))
        texts.append(f"{caught.value!r} {caught.value.__cause__!r}")
    account_project = project_of(account(sandbox), None)
    account_project.is_private()
    texts.append(repr(vars(account_project)))
    found = re.findall(r"gh[sp]_\w+|eyJ[\w-]+\.|PRIVATE KEY", "".join(texts) + logged.text)
    assert "check-runs" in logged.text, "nothing was logged at all"
    assert not found


def test_what_commands_need(sandbox: Sandbox, sha: str, project: GitHubProject) -> None:
    before = len(sandbox.calls("github"))
    assert project.default_branch() == "main"
    pull = project.pull_request(1)
    assert (pull.head_sha, pull.target_branch, pull.author, pull.is_open) == (sha, "main", "mia", True)
    assert pull.labels == ()
    assert project.latest_release() is None
    assert len(sandbox.calls("github")) == before + 3
    comment = sandbox.github.add_comment(REPOSITORY, 1, "/packit build", author="mia")
    for _ in range(2):
        project.create_reaction(comment.id, "eyes")
    assert [seen["reacted"] for seen in sandbox.github.comments(REPOSITORY, 1)] == [["eyes"]]
    with pytest.raises(NotFound):
        project.create_reaction(4711, "eyes")


def test_pull_request_with_labels_of_a_deleted_account(sandbox: Sandbox, project: GitHubProject) -> None:
    pull = sandbox.github.open_pull_request(REPOSITORY, author=None)
    sandbox.github.add_label(pull, "ready")
    sandbox.github.close_pull_request(REPOSITORY, pull.number)
    found = project.pull_request(pull.number)
    assert (found.author, found.is_open, found.labels) == (None, False, ("ready",))
    with pytest.raises(NotFound):
        project.pull_request(4711)


def test_commits_and_releases(sandbox: Sandbox, project: GitHubProject) -> None:
    first = sandbox.github.push(REPOSITORY, files={"a": "1"})
    sandbox.github.add_release(REPOSITORY, "v1")
    second = sandbox.github.push(REPOSITORY, files={"a": "2"})
    assert project.latest_release() == "v1"
    assert project.commit_sha("tags/v1") == first
    assert project.commit_sha("heads/main") == second
    assert project.commit_sha("HEAD") == second
    for ref in ("tags/v2", "heads/v1"):
        with pytest.raises(NotFound):
            project.commit_sha(ref)


def test_close_issue(sandbox: Sandbox, project: GitHubProject) -> None:
    number = int(project.create_issue("Hello", "World").id)
    for _ in range(2):
        project.close_issue(number)
    (issue,) = sandbox.github.issues(REPOSITORY)
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")


def test_pull_requests_of_ours(sandbox: Sandbox, project: GitHubProject) -> None:
    assert project.pushed_sha("sync") == ""
    with pytest.raises(Refused, match="422"):
        project.create_pull_request("sync", "main", "Sync", "from afar")
    pushed = sandbox.github.push(REPOSITORY, branch="sync", files={"tool.spec": "new"})
    sandbox.recorder.clear()
    assert project.pushed_sha("sync") == pushed
    assert project.find_pull_request("sync", "main") is None
    posted = project.create_pull_request("sync", "main", "Sync", "from afar")
    assert posted.url == f"{project.url}/pull/{posted.id}"
    assert project.find_pull_request("sync", "main") == posted
    assert project.find_pull_request("sync", "devel") is None
    assert len(calls(sandbox, "github")) == 5
    (pull,) = (one for one in sandbox.github.pull_requests(REPOSITORY) if one["head"]["ref"] == "sync")
    assert (pull["title"], pull["body"], pull["head"]["sha"]) == ("Sync", "from afar", pushed)
    with pytest.raises(Refused, match="already exists"):
        project.create_pull_request("sync", "main", "Sync", "from afar")
    sandbox.github.close_pull_request(REPOSITORY, int(posted.id))
    assert project.find_pull_request("sync", "main") is None


def test_where_git_pushes(sandbox: Sandbox, project: GitHubProject) -> None:
    found = project.push_access()
    assert (found.url, found.user) == (f"{project.url}.git", "x-access-token")
    assert found.token.startswith("ghs_") and found.token not in repr(found)
    assert project_of(account(sandbox), None).push_access().token == sandbox.github.personal_token
    nobody = GitHub(api_url=sandbox.github.url, web_url=sandbox.github.url, timeout=TIMEOUT)
    with pytest.raises(Refused, match="no account"):
        project_of(nobody, None).push_access()
    sandbox.github.uninstall(INSTALLATION)
    with pytest.raises(Refused, match="not installed"):
        project_of(app(sandbox), None).push_access()


def test_as_whom_git_reads(sandbox: Sandbox, project: GitHubProject) -> None:
    """Of the App a token that reads this repository and does nothing else."""
    assert project.read_access() is None
    sandbox.github.add_repository("acme/secret", private=True, installation_id=INSTALLATION)
    secret = app(sandbox).project(f"{sandbox.github.url}/acme/secret")
    found = secret.read_access()
    assert found is not None
    assert found.user == "x-access-token"
    assert found.token != secret.push_access().token
    assert found.token not in repr(found)
    with_it = GitHub(
        api_url=sandbox.github.url, web_url=sandbox.github.url, token=found.token, timeout=TIMEOUT
    )
    assert with_it.project(secret.url).is_private()
    with pytest.raises(Refused):
        with_it.project(secret.url).create_issue("a", "b")
    with pytest.raises(NotFound):
        with_it.project(project.url).default_branch()
    with pytest.raises(NotFound):
        account(sandbox).project(secret.url).read_access()


def test_a_pull_request_without_an_answer(sandbox: Sandbox, project: GitHubProject) -> None:
    sandbox.github.push(REPOSITORY, branch="sync", files={"tool.spec": "new"})
    sandbox.faults.add("github", kind="drop_after_commit", method="POST", path="/pulls")
    with pytest.raises(Unanswered):
        project.create_pull_request("sync", "main", "Sync", "")
    assert project.find_pull_request("sync", "main") is not None
