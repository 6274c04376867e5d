"""Pull requests, issues, comments and reactions, by PyGithub and by ogr."""

from collections.abc import Callable

import github
import pytest
from github.Repository import Repository
from ogr.abstract.status import CommitStatus
from ogr.services.github.check_run import GithubCheckRunResult, GithubCheckRunStatus
from ogr.services.github.project import GithubProject
from ogr.services.github.service import GithubService

from packit_worker.sandbox import Sandbox

from .conftest import content


class _Service(GithubService):
    """ogr with another address than api.github.com."""

    def __init__(self, client: github.Github) -> None:
        super().__init__()
        self._client = client

    def get_pygithub_instance(self, namespace: str, repo: str) -> github.Github:
        return self._client


@pytest.fixture
def project(hello: Repository, as_installation: Callable[[int], github.Github]) -> GithubProject:
    return GithubProject("hello", _Service(as_installation(1001)), "acme")


def test_comment_is_written_edited_and_deleted(sandbox: Sandbox, hello: Repository) -> None:
    sandbox.github.open_pull_request("acme/hello")
    comment = hello.get_pull(1).create_issue_comment("First <b>")
    comment.edit("Second")
    comment.create_reaction("eyes")
    comment.create_reaction("eyes")
    sandbox.github.add_comment("acme/hello", 1, "Mine", author="bob")

    [ours, theirs] = sandbox.github.comments("acme/hello", 1)
    assert (ours["body"], ours["writes"], ours["reacted"]) == ("Second", 2, ["eyes"])
    assert (ours["user"]["login"], ours["user"]["type"]) == ("packit-sandbox[bot]", "Bot")
    assert (theirs["user"]["login"], theirs["performed_via_github_app"]) == ("bob", None)
    assert [one.body for one in hello.get_issue(1).get_comments().reversed] == ["Mine", "Second"]
    hello.get_pull(1).get_issue_comment(comment.id).delete()
    assert len(sandbox.github.comments("acme/hello", 1)) == 1


@pytest.mark.parametrize("body", ["", "   ", "x" * 65537])
def test_refused_comments(sandbox: Sandbox, hello: Repository, body: str) -> None:
    sandbox.github.open_pull_request("acme/hello")
    with pytest.raises(github.GithubException) as refused:
        hello.get_pull(1).create_issue_comment(body)
    assert refused.value.status == 422


def test_pages_of_comments(sandbox: Sandbox, hello: Repository) -> None:
    issue = sandbox.github.add_issue("acme/hello", title="Long")
    for number in range(65):
        sandbox.github.add_comment("acme/hello", issue.number, str(number))
    comments = hello.get_issue(issue.number).get_comments()
    assert [one.body for one in comments] == [str(number) for number in range(65)]
    assert comments.totalCount == 65


def test_issues(sandbox: Sandbox, hello: Repository) -> None:
    sandbox.github.open_pull_request("acme/hello")
    issue = hello.create_issue("Approve", "Please", labels=["approval"], assignees=["alice"])
    issue.add_to_labels("urgent")
    issue.edit(state="closed")

    [seen] = sandbox.github.issues("acme/hello")
    assert (seen["number"], seen["state"], seen["state_reason"]) == (2, "closed", "completed")
    assert [label["name"] for label in seen["labels"]] == ["approval", "urgent"]
    assert [one.number for one in hello.get_issues(state="all")] == [2, 1]
    assert [one.number for one in hello.get_issues(state="closed")] == [2]
    assert hello.get_issue(1).pull_request is not None


def test_disabled_issues(
    sandbox: Sandbox, hello: Repository, as_installation: Callable[[int], github.Github]
) -> None:
    sandbox.github.add_repository("acme/quiet", has_issues=False, installation_id=1001)
    with pytest.raises(github.GithubException) as refused:
        as_installation(1001).get_repo("acme/quiet").create_issue("Hello")
    assert refused.value.status == 410


def test_ghosts_and_deleted_forks(sandbox: Sandbox, hello: Repository) -> None:
    sandbox.github.open_pull_request("acme/hello", author=None)
    sandbox.github.open_pull_request("acme/hello", author="bob", deleted_fork=True)
    sandbox.github.open_pull_request("acme/hello", author="alice", fork=False, draft=True)

    ghost, homeless, own = (hello.get_pull(number) for number in (1, 2, 3))
    assert not (ghost.user or ghost.head.repo or ghost.head.user)
    assert homeless.user.login == "bob"
    assert not homeless.head.repo
    assert (own.head.repo.full_name, own.draft) == ("acme/hello", True)


def test_push_to_a_pull_request(sandbox: Sandbox, hello: Repository) -> None:
    first = sandbox.github.open_pull_request("acme/hello", files={"a": "1"}).head_sha
    second = sandbox.github.push_to_pull_request(
        "acme/hello", 1, files={"a": "2", "README.md": None}
    ).head_sha

    assert [one.sha for one in hello.get_pull(1).get_commits()] == [first, second]
    assert content(hello, "a", second) == b"2"
    with pytest.raises(github.UnknownObjectException):
        hello.get_contents("README.md", ref=second)
    assert [one.filename for one in hello.get_pull(1).get_files()] == ["README.md", "a"]


def test_tags_and_releases(sandbox: Sandbox, hello: Repository) -> None:
    sandbox.github.add_release("acme/hello", "v1.0", name="One")
    sandbox.github.push("acme/hello", files={"b": "c"})
    sandbox.github.add_release("acme/hello", "v1.1-rc", prerelease=True)

    assert hello.get_latest_release().tag_name == "v1.0"
    assert [one.tag_name for one in hello.get_releases()] == ["v1.1-rc", "v1.0"]
    assert hello.get_release("v1.0").name == "One"
    assert (
        hello.get_git_ref("tags/v1.0").object.sha
        == {tag.name: tag.commit.sha for tag in hello.get_tags()}["v1.0"]
    )
    assert content(hello, "b", "v1.1-rc") == b"c"


def test_ogr_project(sandbox: Sandbox, project: GithubProject) -> None:
    pull = sandbox.github.open_pull_request("acme/hello", files={"hello.spec": "Name: hello"}, title="Mine")

    assert project.exists()
    assert not project.is_private()
    assert project.get_file_content("hello.spec", ref=pull.head_sha) == "Name: hello"
    with pytest.raises(FileNotFoundError):
        project.get_file_content("nothing", ref=pull.head_sha)
    assert sorted(project.get_files(ref=pull.head_sha, recursive=True)) == ["README.md", "hello.spec"]
    assert project.can_merge_pr("alice")
    assert not project.can_merge_pr("bob")
    assert project.get_sha_from_branch("main") == pull.base_sha
    assert project.get_sha_from_branch("nothing") is None
    found = project.get_pr(1)
    assert (found.title, found.author, found.head_commit) == ("Mine", "alice", pull.head_sha)
    assert found.source_project.full_repo_name == "alice/hello"
    assert [one.id for one in project.get_pr_list()] == [1]


def test_ogr_writes(sandbox: Sandbox, project: GithubProject) -> None:
    sha = sandbox.github.open_pull_request("acme/hello").head_sha
    found = project.get_pr(1)
    found.comment("Hello").add_reaction("+1")
    [comment] = found.get_comments()
    assert comment.body == "Hello"
    comment.body = "Edited"
    check = project.create_check_run("build", sha, url="http://x", external_id="1")
    check.change_status(GithubCheckRunStatus.completed, conclusion=GithubCheckRunResult.success)
    project.set_commit_status(sha, CommitStatus.pending, "http://x", "Waiting", "test")
    issue = project.create_issue("Approve", "Please")
    issue.comment("Done")
    issue.close()

    assert sandbox.github.comments("acme/hello", 1)[0]["reacted"] == ["+1"]
    assert sandbox.github.comments("acme/hello", 1)[0]["body"] == "Edited"
    assert sandbox.github.checks("acme/hello", sha)[0]["conclusion"] == "success"
    assert sandbox.github.statuses("acme/hello", sha)[0]["state"] == "pending"
    assert sandbox.github.issues("acme/hello")[0]["state"] == "closed"
    assert [one.name for one in project.get_check_runs(sha)] == ["build"]
    found.close()
    assert sandbox.github.pull_requests("acme/hello")[0]["state"] == "closed"
