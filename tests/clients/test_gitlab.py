"""GitLab's client against the sandbox over HTTP: what it does, in how many calls, and how it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from packit_worker.clients.gitlab import GitLab, GitLabProject
from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError, Unanswered
from packit_worker.ports import CheckState, CheckStatus, Conclusion, Forge, ForgeProject, Permission
from packit_worker.sandbox import Sandbox

from .conftest import SLOW, TIMEOUT, calls

API = "/api/v4/projects/_"
PATH = "acme/tools/hello"
LABELS = ["rpm"]


@pytest.fixture
def sha(sandbox: Sandbox) -> str:
    """The head of a merge request from bob's fork."""
    sandbox.gitlab.add_project(
        PATH,
        members={"alice": 40, "dora": 30, "rudy": 20, "packit": 30},
        files={".packit.yaml": "jobs: []\n", "hello.spec": b"Name: caf\xe9\n", "src/hello.py": "x = 1\n"},
    )
    opened = sandbox.gitlab.open_merge_request(
        PATH, author="bob", files={".packit.yaml": "jobs: [1]\n"}, labels=LABELS
    )
    return opened.sha


def client(sandbox: Sandbox, **settings: str | None) -> GitLab:
    told: dict[str, str | None] = {"token": sandbox.gitlab.token, "login": "packit"} | settings
    return GitLab(url=sandbox.gitlab.url, timeout=TIMEOUT, **told)  # type: ignore[arg-type]


@pytest.fixture
def gitlab(sandbox: Sandbox) -> Iterator[GitLab]:
    made = client(sandbox)
    yield made
    made.close()


@pytest.fixture
def project(sandbox: Sandbox, sha: str, gitlab: GitLab) -> GitLabProject:
    sandbox.recorder.clear()
    return gitlab.project(f"{sandbox.gitlab.url}/{PATH}")


def check(sha: str, **changes: object) -> CheckState:
    state = CheckState(
        commit_sha=sha,
        name="packit/rpm-build:fedora-43",
        marker="check-17",
        status=CheckStatus.QUEUED,
        title="Waiting for a builder",
        url="https://worker.example/runs/17",
    )
    return replace(state, **changes)  # type: ignore[arg-type]


def done(sha: str, conclusion: Conclusion = Conclusion.SUCCESS, title: str = "Built") -> CheckState:
    return check(sha, status=CheckStatus.COMPLETED, conclusion=conclusion, title=title)


def test_keeps_the_contract(sandbox: Sandbox, sha: str, gitlab: GitLab) -> None:
    forge: Forge = gitlab
    project: ForgeProject = forge.project(f"{sandbox.gitlab.url}/{PATH}.git", 17)

    assert project.url == f"{sandbox.gitlab.url}/{PATH}"
    assert project.seen_from(1, is_issue=True).url == project.url


@pytest.mark.parametrize(
    "page",
    ["{url}/hello", "{url}/acme/../hello", "https://elsewhere.example/acme/hello", "{url}/acme/-/tree", "x"],
)
def test_no_page_of_a_project(sandbox: Sandbox, gitlab: GitLab, page: str) -> None:
    with pytest.raises(NotFound):
        gitlab.project(page.format(url=sandbox.gitlab.url))


def test_reads_at_a_commit_of_the_fork(sandbox: Sandbox, sha: str, project: GitLabProject) -> None:
    assert sorted(project.top_files(sha)) == [".packit.yaml", "hello.spec"]
    assert project.file(".packit.yaml", sha) == "jobs: [1]\n"
    assert project.file(".packit.yaml", "main") == "jobs: []\n"
    assert project.file("hello.spec", "main") == "Name: caf�\n"
    assert project.file("src/hello.py", sha) == "x = 1\n"
    assert calls(sandbox, "gitlab")[:2] == [
        "GET /api/v4/projects/acme/tools/hello/repository/tree",
        "GET /api/v4/projects/acme/tools/hello/repository/files/.packit.yaml/raw",
    ]
    assert len(calls(sandbox, "gitlab")) == 5
    for ask in (
        lambda: project.file("nothing", sha),
        lambda: project.file(".packit.yaml", "f" * 40),
        lambda: project.top_files("f" * 40),
    ):
        with pytest.raises(NotFound):
            ask()


def test_more_files_than_a_page_holds(sandbox: Sandbox, project: GitLabProject) -> None:
    many = {f"file{number:03}": "" for number in range(230)}
    sandbox.gitlab.push(PATH, files=many)

    assert len(project.top_files("main")) == 232
    assert len(calls(sandbox, "gitlab")) == 3


def test_a_file_that_is_too_large_is_not_read_to_its_end(sandbox: Sandbox, project: GitLabProject) -> None:
    sandbox.gitlab.push(PATH, files={"big": "x" * (1024 * 1024 + 1)})
    with pytest.raises(Refused, match="too large"):
        project.file("big", "main")


@pytest.mark.parametrize(
    ("login", "permission"),
    [
        ("alice", Permission.ADMIN),
        ("Dora", Permission.WRITE),
        ("rudy", Permission.READ),
        ("bob", Permission.NONE),
        ("dor", Permission.NONE),
        ("nobody-knows", Permission.NONE),
    ],
)
def test_permission_by_membership(
    sandbox: Sandbox, project: GitLabProject, login: str, permission: Permission
) -> None:
    assert project.permission(login) is permission
    assert len(calls(sandbox, "gitlab")) == 1


@pytest.mark.parametrize("visibility", ["public", "internal", "private"])
@pytest.mark.parametrize("token", ["sandbox-gitlab-token", None])
def test_what_the_world_cannot_read_is_private(sandbox: Sandbox, visibility: str, token: str | None) -> None:
    sandbox.gitlab.add_project("acme/other", visibility=visibility, members={"packit": 30})
    project = client(sandbox, token=token).project(f"{sandbox.gitlab.url}/acme/other")

    if token is None and visibility != "public":
        with pytest.raises(NotFound):
            project.is_private()
    else:
        assert project.is_private() is (visibility != "public")


def test_commits_of_names(sandbox: Sandbox, project: GitLabProject) -> None:
    head = sandbox.gitlab.project(PATH).repository.branches()["main"]
    side = sandbox.gitlab.push(PATH, branch="rel/1.0")
    tagged = sandbox.gitlab.add_tag(PATH, "v1/beta", "rel/1.0")

    assert project.commit_sha("HEAD") == project.commit_sha("heads/main") == head
    assert project.commit_sha("heads/rel/1.0") == side
    assert project.commit_sha("tags/v1/beta") == tagged
    assert project.default_branch() == "main"
    assert len(calls(sandbox, "gitlab")) == 5
    for ref in ("heads/none", "tags/none", "tags/main"):
        with pytest.raises(NotFound):
            project.commit_sha(ref)


def test_the_newest_release_whose_date_has_come(sandbox: Sandbox, project: GitLabProject) -> None:
    assert project.latest_release() is None
    sandbox.gitlab.add_release(PATH, "1.0")
    sandbox.gitlab.add_release(PATH, "1.1")
    sandbox.gitlab.add_release(PATH, "2.0", upcoming=True)

    assert project.latest_release() == "1.1"


def test_a_merge_request(sandbox: Sandbox, sha: str, project: GitLabProject) -> None:
    found = project.pull_request(1)

    assert (found.head_sha, found.target_branch, found.author) == (sha, "main", "bob")
    assert (found.is_open, found.labels) == (True, ("rpm",))
    assert len(calls(sandbox, "gitlab")) == 1
    sandbox.gitlab.close_merge_request(PATH, 1)
    assert not project.pull_request(1).is_open
    with pytest.raises(NotFound):
        project.pull_request(7)


def test_a_status_goes_to_the_branch_its_commit_comes_from(sandbox: Sandbox, project: GitLabProject) -> None:
    opened = sandbox.gitlab.open_merge_request(PATH, author="alice", fork=False, branch="change", files={})
    posted = project.create_check(check(opened.sha))
    project.update_check(posted.id, check(opened.sha, status=CheckStatus.IN_PROGRESS, title="Building"))
    project.update_check(posted.id, done(opened.sha))

    (status,) = sandbox.gitlab.statuses(PATH, opened.sha)
    assert (status["ref"], status["name"]) == ("change", "packit/rpm-build:fedora-43")
    assert status["history"] == ["pending", "running", "success"]
    assert (status["description"], status["target_url"]) == ("Built", "https://worker.example/runs/17")
    # The place is looked for once.
    assert [call.partition(" ")[0] for call in calls(sandbox, "gitlab")] == ["GET", "POST", "POST", "POST"]


def test_a_status_in_a_fork_where_we_may(sandbox: Sandbox, sha: str, project: GitLabProject) -> None:
    sandbox.gitlab.grant("bob/hello", "packit")
    project.create_check(check(sha))

    (status,) = sandbox.gitlab.statuses("bob/hello", sha)
    assert status["ref"] == "change-1"
    assert sandbox.gitlab.statuses(PATH, sha) == []


def test_where_the_fork_is_not_ours_a_comment_tells_the_end(
    sandbox: Sandbox, sha: str, project: GitLabProject
) -> None:
    first = project.create_check(check(sha))
    assert sandbox.gitlab.notes(PATH, merge_request=1) == []
    project.update_check(first.id, done(sha, Conclusion.FAILURE, "It does not build"))
    project.update_check(first.id, done(sha, title="It builds"))

    (note,) = sandbox.gitlab.notes(PATH, merge_request=1)
    assert "It builds" in note["body"] and "`packit/rpm-build:fedora-43`" in note["body"]
    assert sha[:12] in note["body"] and "https://worker.example/runs/17" in note["body"]
    assert project.find_check(done(sha, Conclusion.FAILURE, "It does not build")) is None, (
        "it says so no more"
    )
    found = project.find_check(done(sha, title="It builds"))
    assert (
        found is not None and found.url == f"{sandbox.gitlab.url}/{PATH}/-/merge_requests/1#note_{note['id']}"
    )


def test_a_pushed_commit_has_its_status_on_its_branch(sandbox: Sandbox, project: GitLabProject) -> None:
    pushed = sandbox.gitlab.push(PATH, files={"a": "b"})
    project.create_check(done(pushed))

    (status,) = sandbox.gitlab.statuses(PATH, pushed)
    assert (status["ref"], status["status"]) == ("main", "success")


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        (Conclusion.SUCCESS, "success"),
        (Conclusion.NEUTRAL, "success"),
        (Conclusion.SKIPPED, "success"),
        (Conclusion.FAILURE, "failed"),
        (Conclusion.ACTION_REQUIRED, "failed"),
        (Conclusion.TIMED_OUT, "failed"),
        (Conclusion.CANCELLED, "canceled"),
    ],
)
def test_states(sandbox: Sandbox, project: GitLabProject, conclusion: Conclusion, state: str) -> None:
    pushed = sandbox.gitlab.push(PATH, files={"a": "b"})
    project.create_check(replace(done(pushed, conclusion), url=None, title="x" * 400))

    (status,) = sandbox.gitlab.statuses(PATH, pushed)
    assert status["status"] == state
    assert len(status["description"]) == 255
    assert status["target_url"] == project.url


def test_what_is_under_way_stays_as_it_is_and_ends_all_the_same(
    sandbox: Sandbox, project: GitLabProject
) -> None:
    pushed = sandbox.gitlab.push(PATH, files={"a": "b"})
    first = project.create_check(check(pushed))
    again = project.create_check(check(pushed, title="Still waiting"))
    assert again.id == first.id
    project.update_check(first.id, check(pushed, status=CheckStatus.IN_PROGRESS))
    project.update_check(first.id, check(pushed))
    project.update_check(first.id, done(pushed))
    project.update_check(first.id, check(pushed, title="Once more"))

    (status,) = sandbox.gitlab.statuses(PATH, pushed)
    assert (status["status"], status["description"]) == ("pending", "Once more")


def test_a_status_is_found_by_what_it_says(sandbox: Sandbox, project: GitLabProject) -> None:
    pushed = sandbox.gitlab.push(PATH, files={"a": "b"})
    assert project.find_check(check(pushed)) is None
    posted = project.create_check(check(pushed))

    assert project.find_check(check(pushed)) == posted
    assert project.find_check(check(pushed, title="Other words")) is None
    assert project.find_check(check(pushed, name="another")) is None


def test_a_status_without_an_answer_is_there(sandbox: Sandbox, project: GitLabProject) -> None:
    pushed = sandbox.gitlab.push(PATH, files={"a": "b"})
    sandbox.faults.add("gitlab", kind="drop_after_commit", method="POST", path="statuses")
    with pytest.raises(Unanswered):
        project.create_check(check(pushed))
    assert project.find_check(check(pushed)) is not None


def test_an_unknown_commit_has_no_status(project: GitLabProject) -> None:
    with pytest.raises(NotFound):
        project.create_check(check("f" * 40))


@pytest.mark.parametrize("is_issue", [False, True])
def test_a_comment_is_on_the_kind_of_thing_it_is_seen_from(
    sandbox: Sandbox, project: GitLabProject, is_issue: bool
) -> None:
    sandbox.gitlab.add_issue(PATH, title="It does not work")
    here: dict[str, int] = {"issue": 1} if is_issue else {"merge_request": 1}
    there: dict[str, int] = {"merge_request": 1} if is_issue else {"issue": 1}
    said = sandbox.gitlab.add_note(PATH, "/packit build", author="alice", **here)
    seen = project.seen_from(1, is_issue=is_issue)

    posted = seen.create_comment(1, "Hello <!-- one -->")
    assert seen.find_comment(1, "<!-- one -->") == posted
    assert seen.find_comment(1, "/packit build") is None  # somebody else's
    seen.update_comment(1, posted.id, "Hello again <!-- one -->")
    seen.create_reaction(said.id, "eyes")
    seen.create_reaction(said.id, "eyes")
    seen.create_reaction(said.id, "+1")

    notes = sandbox.gitlab.notes(PATH, **here)
    assert [note["body"] for note in notes] == ["/packit build", "Hello again <!-- one -->"]
    assert notes[0]["emoji"] == ["eyes", "thumbsup"]
    assert sandbox.gitlab.notes(PATH, **there) == []
    kind = "issues" if is_issue else "merge_requests"
    assert posted.url == f"{project.url}/-/{kind}/1#note_{posted.id}"


def test_the_newest_comment_is_found_among_many(sandbox: Sandbox, project: GitLabProject) -> None:
    project.create_comment(1, "old <!-- m -->")
    newest = project.create_comment(1, "new <!-- m -->")
    for number in range(120):
        sandbox.gitlab.add_note(PATH, f"talk {number} <!-- m -->", merge_request=1)

    assert project.find_comment(1, "<!-- m -->") == newest


@pytest.mark.parametrize("text", ["/approve", "Look:\n/close\n\n  /merge now", "\t/assign @mallory"])
def test_no_text_of_ours_is_a_quick_action(sandbox: Sandbox, project: GitLabProject, text: str) -> None:
    project.create_comment(1, text)
    project.create_issue("A title", text)

    written = [
        sandbox.gitlab.notes(PATH, merge_request=1)[0]["body"],
        sandbox.gitlab.issues(PATH)[0]["description"],
    ]
    for body in written:
        assert not any(line.strip().startswith("/") for line in body.splitlines())
        assert body.replace("\\/", "/") == text


def test_reacting_to_what_is_gone(project: GitLabProject) -> None:
    with pytest.raises(NotFound):
        project.seen_from(1, is_issue=False).create_reaction(12345, "eyes")


def test_issues(sandbox: Sandbox, project: GitLabProject) -> None:
    assert project.find_issue("<!-- it -->") is None
    posted = project.create_issue("Release 1.0", "It failed <!-- it -->")
    assert posted.url == f"{project.url}/-/issues/1"
    assert project.find_issue("<!-- it -->") == posted
    project.update_issue(1, "Release 1.0", "It failed again <!-- it -->")
    project.close_issue(1)
    project.close_issue(1)
    assert project.find_issue("<!-- it -->") is None
    assert sandbox.gitlab.issues(PATH)[0]["state"] == "closed"
    project.update_issue(1, "Release 1.0", "And again <!-- it -->")
    assert sandbox.gitlab.issues(PATH)[0]["state"] == "opened"


def test_a_project_without_issues(sandbox: Sandbox, gitlab: GitLab) -> None:
    sandbox.gitlab.add_project("acme/silent", issues_enabled=False, members={"packit": 30})
    with pytest.raises(Refused):
        gitlab.project(f"{sandbox.gitlab.url}/acme/silent").create_issue("Hello", "there")


def test_who_we_are_is_asked_once(sandbox: Sandbox, sha: str) -> None:
    made = client(sandbox, login=None)
    sandbox.recorder.clear()

    assert [made.login(), made.login()] == ["packit", "packit"]
    assert calls(sandbox, "gitlab") == ["GET /api/v4/user"]


@pytest.mark.parametrize(
    ("fault", "read", "write"),
    [
        ({"kind": "drop_before"}, TemporaryError, Unanswered),
        ({"kind": "drop_after_commit"}, TemporaryError, Unanswered),
        ({"kind": "delay", "seconds": SLOW}, TemporaryError, Unanswered),
        ({"kind": "status", "status": 502}, TemporaryError, Unanswered),
        ({"kind": "status", "status": 503}, TemporaryError, TemporaryError),
        ({"kind": "status", "status": 301}, Refused, Refused),
        ({"kind": "status", "status": 401}, Refused, Refused),
        ({"kind": "status", "status": 404}, NotFound, NotFound),
        ({"kind": "secondary_limit", "status": 429, "reset_seconds": 30}, RateLimited, RateLimited),
    ],
)
def test_what_goes_wrong_says_what_to_do_next(
    sandbox: Sandbox,
    sha: str,
    fault: dict[str, object],
    read: type[Exception],
    write: type[Exception],
) -> None:
    for wanted, ask in (
        (read, lambda project: project.pull_request(1)),
        (write, lambda project: project.create_comment(1, "Hello")),
    ):
        project = client(sandbox).project(f"{sandbox.gitlab.url}/{PATH}")
        sandbox.recorder.clear()
        sandbox.faults.clear()
        sandbox.faults.add("gitlab", **fault)  # type: ignore[arg-type]
        with pytest.raises(wanted) as caught:
            ask(project)
        assert type(caught.value) is wanted
        deadline = time.monotonic() + 10
        while not calls(sandbox, "gitlab") and time.monotonic() < deadline:
            time.sleep(0.05)  # what is delayed is recorded when it is over
        assert len(calls(sandbox, "gitlab")) == 1, "nothing is sent twice"


def test_after_too_much_nothing_is_asked(sandbox: Sandbox, project: GitLabProject) -> None:
    sandbox.faults.add("gitlab", kind="secondary_limit", status=429, reset_seconds=30)
    with pytest.raises(RateLimited) as caught:
        project.pull_request(1)
    assert caught.value.retry_after == pytest.approx(30)
    with pytest.raises(RateLimited):
        project.pull_request(1)
    assert len(calls(sandbox, "gitlab")) == 1


def test_the_token_is_in_no_error(sandbox: Sandbox, sha: str, caplog: pytest.LogCaptureFixture) -> None:
    project = client(sandbox, token="glpat-somebody-elses").project(f"{sandbox.gitlab.url}/{PATH}")
    with pytest.raises(Refused) as caught:
        project.create_comment(1, "Hello")
    assert "glpat" not in str(caught.value) and "glpat" not in caplog.text


def test_a_branch_of_ours_is_proposed(sandbox: Sandbox, project: GitLabProject) -> None:
    access = project.push_access()
    assert (access.url, access.user, access.token) == (f"{project.url}.git", "packit", sandbox.gitlab.token)
    assert project.pushed_sha("sync") == ""
    sha = sandbox.gitlab.push(PATH, branch="sync", files={"a": "b"})
    assert project.pushed_sha("sync") == sha
    assert project.find_pull_request("sync", "main") is None
    made = project.create_pull_request("sync", "main", "Sync", "/merge\n\nWhat it is about")
    assert made.url == f"{project.url}/-/merge_requests/{made.id}"
    assert project.find_pull_request("sync", "main") == made
    assert not sandbox.gitlab.state.merge_request(PATH, int(made.id)).description.startswith("/")
    with pytest.raises(Refused):
        project.create_pull_request("sync", "main", "Sync", "again")


def test_as_whom_git_reads(sandbox: Sandbox, project: GitLabProject) -> None:
    assert project.read_access() is None
    for visibility in ("private", "internal"):
        sandbox.gitlab.add_project(f"acme/{visibility}", visibility=visibility, members={"packit": 30})
        found = client(sandbox).project(f"{sandbox.gitlab.url}/acme/{visibility}").read_access()
        assert found is not None
        assert (found.user, found.token) == ("packit", sandbox.gitlab.token)
        assert found.token not in repr(found)


def test_without_an_account_nothing_is_pushed(sandbox: Sandbox, sha: str) -> None:
    with pytest.raises(Refused):
        client(sandbox, token=None).project(f"{sandbox.gitlab.url}/{PATH}").push_access()
