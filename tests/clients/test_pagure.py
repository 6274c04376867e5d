"""Pagure's client against the sandbox over HTTP: what it does, in how many calls, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from clients.statuses import STATUSES
from packit_worker.clients.pagure import Pagure, PagureProject
from packit_worker.errors import NotFound, Refused, TemporaryError, Unanswered
from packit_worker.ports import CheckState, CheckStatus, Conclusion, Forge, ForgeProject, Permission
from packit_worker.sandbox import Sandbox

from .conftest import SLOW, TIMEOUT, calls

API = "/api/0/_"
NAME = "rpms/tool"


@pytest.fixture
def sha(sandbox: Sandbox) -> str:
    sandbox.pagure.add_project(
        NAME,
        owner="mia",
        branches=["rawhide", "f43"],
        files={".packit.yaml": "jobs: []\n", "tool.spec": b"Name: caf\xe9\n", "src/tool.py": "x = 1\n"},
        commit=["packit"],
        admin=["ann"],
        groups={"packagers": "commit"},
    )
    sandbox.pagure.add_group("packagers", ["zoe"])
    opened = sandbox.pagure.open_pull_request(NAME, author="bob", files={".packit.yaml": "jobs: [1]\n"})
    assert opened.commit_stop is not None
    return opened.commit_stop


def client(sandbox: Sandbox, **settings: str) -> Pagure:
    told = {"token": sandbox.pagure.token, "login": "packit"} | settings
    return Pagure(url=sandbox.pagure.url, timeout=TIMEOUT, **told)


@pytest.fixture
def pagure(sandbox: Sandbox) -> Iterator[Pagure]:
    made = client(sandbox)
    yield made
    made.close()


@pytest.fixture
def project(sandbox: Sandbox, sha: str, pagure: Pagure) -> PagureProject:
    sandbox.recorder.clear()
    return pagure.project(f"{sandbox.pagure.url}/{NAME}")


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


def test_keeps_the_contract(sandbox: Sandbox, sha: str, pagure: Pagure) -> None:
    forge: Forge = pagure
    project: ForgeProject = forge.project(f"{sandbox.pagure.url}/{NAME}.git", 17)
    assert project.url == f"{sandbox.pagure.url}/{NAME}"
    assert not sandbox.calls("pagure")


@pytest.mark.parametrize(
    "path",
    ["", "a/b/c", "rpms/../x", "fork/bob/a/b/c", "a b", "rpms/x?y=1#z", "user/mia/a/b"],
)
def test_what_is_no_project(sandbox: Sandbox, pagure: Pagure, path: str) -> None:
    if path == "rpms/x?y=1#z":
        assert pagure.project(f"{sandbox.pagure.url}/{path}").url.endswith("/rpms/x")
        return
    with pytest.raises(NotFound):
        pagure.project(f"{sandbox.pagure.url}/{path}")
    with pytest.raises(NotFound):
        pagure.project(f"https://elsewhere.example/{NAME}")


def test_reads_in_one_call_each(sandbox: Sandbox, sha: str, project: PagureProject) -> None:
    assert project.is_private() is False
    assert project.top_files("rawhide") == (".packit.yaml", "tool.spec")
    assert project.file(".packit.yaml", "f43") == "jobs: []\n"
    assert project.file(".packit.yaml", sha) == "jobs: [1]\n"
    assert project.file("tool.spec", "rawhide") == "Name: caf\ufffd\n"
    assert project.permission("mia") is project.permission("ann") is Permission.ADMIN
    assert project.permission("packit") is Permission.WRITE
    assert project.default_branch() == "rawhide"
    assert len(sandbox.calls("pagure")) == 9
    assert project.permission("zoe") is Permission.WRITE
    assert project.permission("bob") is Permission.NONE
    assert len(sandbox.calls("pagure")) == 9 + 2 * 2


def test_what_is_not_there(project: PagureProject, pagure: Pagure) -> None:
    for path, ref in (("missing", "f43"), ("src", "f43"), (".packit.yaml", "0" * 40)):
        with pytest.raises(NotFound):
            project.file(path, ref)
    for ask in (lambda: project.top_files("0" * 40), lambda: project.pull_request(99)):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound):
        pagure.project(f"{pagure.url}/rpms/none").top_files("main")


def test_forks_are_projects_too(sandbox: Sandbox, sha: str, pagure: Pagure) -> None:
    fork = pagure.project(f"{sandbox.pagure.url}/fork/bob/{NAME}")
    assert fork.url == f"{sandbox.pagure.url}/fork/bob/{NAME}"
    assert fork.file(".packit.yaml", sha) == "jobs: [1]\n"
    assert fork.commit_sha("heads/change-1") == sha
    assert fork.permission("bob") is Permission.ADMIN
    sandbox.pagure.add_project("plain")
    assert pagure.project(f"{sandbox.pagure.url}/plain").default_branch() == "main"


def test_strange_branches(sandbox: Sandbox, project: PagureProject) -> None:
    branch = "user/stable/#3.1"
    sha = sandbox.pagure.push(NAME, branch=branch, files={"x%20#y": "here"})
    assert project.commit_sha(f"heads/{branch}") == sha
    assert "x%20#y" in project.top_files(branch)
    assert project.file("x%20#y", branch) == "here"


def test_private_projects(sandbox: Sandbox, pagure: Pagure) -> None:
    sandbox.pagure.add_project("secret", owner="packit", private=True)
    sandbox.pagure.add_project("others", owner="mia", private=True)
    assert pagure.project(f"{pagure.url}/secret").is_private() is True
    with pytest.raises(NotFound):
        pagure.project(f"{pagure.url}/others").is_private()
    assert (
        Pagure(url="https://src.fedoraproject.org")
        .project("https://src.fedoraproject.org/rpms/x")
        .is_private()
        is False
    )


def test_refs_and_releases(sandbox: Sandbox, sha: str, project: PagureProject) -> None:
    found = sandbox.pagure.project(NAME).repository
    head = found.branches()["rawhide"]
    assert project.latest_release() is None
    for tag in ("v0.9", "v0.10", "tool-0.2", "v1.0rc1", "nonsense"):
        found.set_ref(f"refs/tags/{tag}", head)
    assert project.latest_release() == "v0.10"
    assert project.commit_sha("tags/v0.9") == project.commit_sha("HEAD") == head
    for ref in ("tags/none", "heads/none"):
        with pytest.raises(NotFound):
            project.commit_sha(ref)


def test_pull_request(sandbox: Sandbox, sha: str, project: PagureProject) -> None:
    sandbox.pagure.state.pull_request(NAME, 1).tags.append("ready")
    found = project.pull_request(1)
    assert (found.head_sha, found.target_branch, found.author, found.is_open) == (sha, "rawhide", "bob", True)
    assert found.labels == ("ready",)
    sandbox.pagure.close_pull_request(NAME, 1)
    assert project.pull_request(1).is_open is False
    sandbox.pagure.state.pull_request(NAME, 1).commit_stop = None
    with pytest.raises(TemporaryError, match="not tell yet"):
        project.pull_request(1)


def test_a_check_is_two_flags(sandbox: Sandbox, sha: str, project: PagureProject) -> None:
    posted = project.create_check(check(sha))
    assert calls(sandbox, "pagure") == [
        f"GET /api/0/{NAME}/pull-requests",
        f"POST /api/0/{NAME}/pull-request/1/flag",
        f"POST /api/0/{NAME}/c/{sha}/flag",
    ]
    assert project.find_check(check(sha)) == posted
    assert project.find_check(check(sha, name="other")) is None
    project.create_check(check(sha))
    done = check(
        sha, status=CheckStatus.COMPLETED, conclusion=Conclusion.TIMED_OUT, url=None, title="x" * 200
    )
    project.update_check(posted.id, done)
    assert project.find_check(check(sha)) is None
    for place in (1, sha):
        (flag,) = sandbox.pagure.flags(NAME, place)
        assert (flag["username"], flag["history"]) == (
            "build:fedora-rawhide",
            ["pending", "pending", "error"],
        )
        assert (flag["url"], len(flag["comment"])) == (project.url, 140), "Pagure takes no empty link"
    project.create_check(check(sha, marker="run-18"))
    assert len(sandbox.pagure.flags(NAME, 1)) == 2
    assert sum(call.path.endswith("/pull-requests") for call in sandbox.calls("pagure")) == 1


def test_checks_of_pushes_and_unknown_commits(sandbox: Sandbox, project: PagureProject) -> None:
    sha = sandbox.pagure.push(NAME, files={"a": "b"})
    sandbox.recorder.clear()
    for _ in range(2):
        project.create_check(check(sha))
    assert len(sandbox.calls("pagure")) == 4, "looked for among the open ones and among all, once"
    assert sandbox.pagure.flags(NAME, 1) == []
    with pytest.raises(NotFound):
        project.create_check(check("0" * 40))
    assert project.find_check(check("0" * 40)) is None


def test_comments(sandbox: Sandbox, sha: str, project: PagureProject) -> None:
    sandbox.pagure.add_comment(NAME, 1, "<!-- m --> not ours", author="bob")
    posted = project.create_comment(1, "Hello\nthere <!-- m -->")
    assert posted.url == f"{project.url}/pull-request/1#comment-{posted.id}"
    assert len(sandbox.calls("pagure")) == 2
    assert project.find_comment(1, "<!-- m -->") == posted
    assert project.find_comment(1, "<!-- n -->") is None
    for _ in range(2):
        project.update_comment(1, posted.id, "Hello again <!-- m -->")
    said = [one["comment"] for one in sandbox.pagure.comments(NAME, 1)]
    assert said[1:] == ["Hello\nthere <!-- m -->", "Hello again <!-- m -->"]
    assert project.find_comment(1, "<!-- m -->") != posted
    project.create_reaction(int(posted.id), "eyes")


def test_a_comment_whose_id_is_not_told(sandbox: Sandbox, sha: str, project: PagureProject) -> None:
    sandbox.faults.add("pagure", kind="status", status=500, method="GET", path="/pull-request/1$")
    posted = project.create_comment(1, "Hello")
    assert (posted.id, posted.url) == ("", f"{project.url}/pull-request/1")


def test_issues(sandbox: Sandbox, project: PagureProject) -> None:
    sandbox.pagure.add_issue(NAME, title="Theirs", body="<!-- m -->", author="bob")
    assert project.find_issue("<!-- m -->") is None
    posted = project.create_issue("Broken", "It is <!-- m -->")
    assert (posted.id, posted.url) == ("3", f"{project.url}/issue/3")
    assert project.find_issue("<!-- m -->") == posted
    comment = project.create_comment(3, "Still")
    assert comment.url is not None and comment.url.startswith(f"{project.url}/issue/3#comment-")
    for _ in range(2):
        project.close_issue(3)
    assert project.find_issue("<!-- m -->") is None
    sandbox.pagure.project(NAME).issue_tracker = False
    with pytest.raises(Refused, match="racker"):
        project.create_issue("Broken", "It is")
    assert project.find_issue("x") is None


def test_who_we_are_is_asked_once(sandbox: Sandbox, sha: str) -> None:
    pagure = Pagure(url=sandbox.pagure.url, token=sandbox.pagure.token, timeout=TIMEOUT)
    assert pagure.login() == pagure.login() == "packit"
    assert calls(sandbox, "pagure") == ["POST /api/0/-/whoami"]
    pagure.close()


@pytest.mark.parametrize(("status", "reading", "writing"), [*STATUSES, (302, Refused, Refused)])
def test_statuses(
    sandbox: Sandbox,
    project: PagureProject,
    status: int,
    reading: type[Exception],
    writing: type[Exception],
) -> None:
    sandbox.faults.add("pagure", kind="status", status=status, times=3)
    with pytest.raises(reading) as caught:
        project.default_branch()
    assert type(caught.value) is reading and str(status) in str(caught.value)
    with pytest.raises(writing) as caught:
        project.create_comment(1, "Hello")
    assert type(caught.value) is writing
    assert ("Pagure's rate limit" if status == 429 else str(status)) in str(caught.value)
    if status == 429:
        assert len(sandbox.calls("pagure")) == 1, "after a limit nothing is asked"


@pytest.mark.parametrize("kind", ["drop_after_commit", "status_after"])
def test_lost_answers(sandbox: Sandbox, sha: str, project: PagureProject, kind: str) -> None:
    sandbox.faults.add("pagure", kind=kind, status=502, method="POST", path="/c/")
    with pytest.raises(Unanswered):
        project.create_check(check(sha))
    assert project.find_check(check(sha)) is not None
    sandbox.faults.add("pagure", kind=kind, status=502, method="POST")
    with pytest.raises(Unanswered):
        project.create_comment(1, "Hello <!-- m -->")
    assert project.find_comment(1, "<!-- m -->") is not None


def test_slow_answers_and_nobody_there(sandbox: Sandbox, project: PagureProject) -> None:
    sandbox.faults.add("pagure", kind="delay", seconds=SLOW, times=2)
    with pytest.raises(Unanswered, match="timed out"):
        project.create_comment(1, "Hello")
    with pytest.raises(TemporaryError, match="timed out") as caught:
        project.default_branch()
    assert type(caught.value) is TemporaryError
    nobody = Pagure(url="http://127.0.0.1:9", timeout=TIMEOUT).project("http://127.0.0.1:9/x")
    with pytest.raises(TemporaryError, match="cannot be reached"):
        nobody.create_comment(1, "Hello")


def test_wrong_token_in_no_text_and_no_log(
    sandbox: Sandbox, sha: str, logged: pytest.LogCaptureFixture
) -> None:
    pagure = client(sandbox, token="t-canary-canary")
    with pytest.raises(Refused, match="Invalid or expired token") as caught:
        pagure.project(f"{pagure.url}/{NAME}").create_comment(1, "Hello")
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r} {logged.text}"
    pagure.close()


@pytest.mark.parametrize("name", [NAME, "plain"])
def test_pull_requests_of_ours(sandbox: Sandbox, sha: str, pagure: Pagure, name: str) -> None:
    """They come from a fork, which is made once; also of a project without a namespace."""
    if name != NAME:
        sandbox.pagure.add_project(name, branches=["rawhide"])
    project = pagure.project(f"{sandbox.pagure.url}/{name}")
    found = project.push_access()
    assert found == project.push_access()
    assert (found.url, found.user) == (f"{sandbox.pagure.url}/forks/packit/{name}.git", "packit")
    assert found.token == sandbox.pagure.token and found.token not in repr(found)
    assert sandbox.effects()["pagure_fork", f"forks/packit/{name}"] == 1
    assert project.pushed_sha("sync") == ""
    pushed = sandbox.pagure.push(f"forks/packit/{name}", branch="sync", files={"tool.spec": "new"})
    assert project.pushed_sha("sync") == pushed
    assert project.find_pull_request("sync", "rawhide") is None
    posted = project.create_pull_request("sync", "rawhide", "Sync", "from afar")
    assert posted.url == f"{project.url}/pull-request/{posted.id}"
    assert project.find_pull_request("sync", "rawhide") == posted
    assert project.find_pull_request("sync", "f43") is None
    pull = sandbox.pagure.pull_requests(name)[-1]
    assert (pull["title"], pull["initial_comment"], pull["commit_stop"]) == ("Sync", "from afar", pushed)


def test_as_whom_git_reads(sandbox: Sandbox, pagure: Pagure) -> None:
    sandbox.pagure.add_project("open")
    assert pagure.project(f"{sandbox.pagure.url}/open").read_access() is None
    sandbox.pagure.add_project("secret", private=True, commit=["packit"])
    found = pagure.project(f"{sandbox.pagure.url}/secret").read_access()
    assert found is not None
    assert (found.user, found.token) == ("packit", sandbox.pagure.token)
    assert found.token not in repr(found)
    sandbox.pagure.add_project("secret-of-others", private=True)
    with pytest.raises(NotFound):
        pagure.project(f"{sandbox.pagure.url}/secret-of-others").read_access()


def test_nobody_pushes(sandbox: Sandbox, sha: str) -> None:
    nobody = Pagure(url=sandbox.pagure.url, timeout=TIMEOUT)
    with pytest.raises(Refused, match="no account"):
        nobody.project(f"{sandbox.pagure.url}/{NAME}").push_access()
