"""Releases are proposed in dist-git: a pull request for each branch, by a stand-in for packit in the real jail.

Rows: propose_downstream, ReleaseEvent, IssueCommentEvent, ProposeDownstreamHandler,
GitHubIssueCommentProposeUpdateHandler. With the real packit: ``test_real_packit``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packit_worker.cell import Cell, workspace
from packit_worker.handlers.downstream_branch import Update
from packit_worker.replaying import replay
from packit_worker.sandbox import Sandbox
from packit_worker.sandbox.dist_git import spec
from tests import having

from .test_push import push
from .test_release import publish
from .test_rerun import press
from .world import REPOSITORY, World

CONFIG = """\
specfile_path: hello.spec
downstream_package_name: hello
upstream_tag_template: v{version}
jobs:
- {job: propose_downstream, trigger: release, dist_git_branches: [rawhide, f43]}
"""
RAWHIDE, F43 = "propose-downstream:rawhide", "propose-downstream:f43"
#: Does what cell/packit.py expects of packit: an updated dist-git branch, and archives laid aside.
PACKIT = """\
#!/bin/sh
set -e
while [ $# -gt 0 ]; do
  case "$1" in
    --dist-git-branch) branch=$2; shift;;
    --dist-git-path) place=$2; shift;;
  esac
  last=$1; shift
done
ls hello.spec > /dev/null
# What the spec file in dist-git says is to happen.
if grep -q "^# late" "$place/hello.spec"; then
  echo "Failed to download file from URL https://example.com/hello.tar.gz"; exit 1
fi
if grep -q "^# broken" "$place/hello.spec"; then echo 'the @patch does not apply'; exit 1; fi
if grep -q "^Version: $last$" "$place/hello.spec"; then exit 0; fi
cd "$place"
sed -i "s/^Version:.*/Version: $last/" hello.spec
mkdir -p /work/archives
echo "the archive of $last" > "/work/archives/hello-$last.tar.gz"
git commit --quiet --all --message "Update to $last upstream release"
git push --quiet origin "HEAD:refs/heads/$branch"
"""


@pytest.fixture(scope="module")
def packit() -> Iterator[str]:
    """The path of a stand-in for the program packit, where it can be run in a jail."""
    having.a_jail()
    if shutil.which("git") is None:
        having.missing("no git here")
    with workspace() as folder:
        folder.chmod(0o755)
        program = folder / "packit"
        program.write_text(PACKIT)
        program.chmod(0o755)
        yield str(program)


@pytest.fixture
def world(make_world: Callable[..., World], sandbox: Sandbox, packit: str) -> World:
    return make(make_world, sandbox, packit={"program": packit})


def make(make_world: Callable[..., World], sandbox: Sandbox, **settings: Any) -> World:
    world = make_world(**settings)
    world.approve()
    sandbox.dist_git.add_package("hello")
    return world


def release(world: World, config: str = CONFIG, *, tag: str = "v1.0") -> str:
    """Alice releases; the workers do what follows. The commit."""
    sha = push(world, config)
    world.sandbox.github.add_tag(REPOSITORY, tag, sha)
    publish(world, tag)
    return sha


def f43_has(world: World, line: str = "", version: str = "0.1") -> None:
    """Mia puts a line into the spec file of the branch f43."""
    world.sandbox.dist_git.commit("hello", "f43", {"hello.spec": spec("hello", version) + line})


def say(world: World, text: str, *, sender: str = "alice", issue: int | None = None) -> int:
    """Somebody comments in an issue; the workers do what follows."""
    number = issue or world.sandbox.github.add_issue(REPOSITORY, title="Please").number
    delivery = world.sandbox.github.webhook(
        "issue_comment", "created", repository=REPOSITORY, issue=number, comment=text, sender=sender
    )
    world.post(delivery)
    world.work()
    return int(number)


def answers(world: World, issue: int) -> list[str]:
    return [
        comment["body"]
        for comment in world.sandbox.github.comments(REPOSITORY, issue)
        if comment["user"]["login"] == "packit-sandbox[bot]"
    ]


def pulls(world: World) -> dict[str, Any]:
    """The pull requests in dist-git by the branch they are for."""
    found = list(world.sandbox.pagure.project("rpms/hello").pull_requests.values())
    assert len({pull.branch for pull in found}) == len(found), "none is doubled"
    return {pull.branch: pull for pull in found}


def release_event(world: World) -> Any:
    (event,) = (event for event in world.events() if event.task == "task.process_release_event")
    return event


def pull_url(world: World, branch: str) -> str:
    return f"{world.sandbox.pagure.url}/rpms/hello/pull-request/{pulls(world)[branch].id}"


def test_a_release_is_proposed_for_each_branch(world: World) -> None:
    """propose_downstream, ReleaseEvent, ProposeDownstreamHandler: one pull request for each branch."""
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    found = pulls(world)
    assert set(found) == {"rawhide", "f43"}
    assert found["f43"].title == "[f43] Update to 1.0"
    assert sha in found["f43"].initial_comment
    assert found["f43"].branch_from == "1.0-f43-update"
    assert world.checks(sha)[F43]["details_url"] == pull_url(world, "f43")
    for branch in ("rawhide", "f43"):
        changed = world.sandbox.dist_git.files("forks/packit/rpms/hello", f"1.0-{branch}-update")
        assert b"Version: 1.0\n" in changed["hello.spec"], "the template's v is no part of the version"
        assert b"Version: 0.1\n" in world.sandbox.dist_git.files("hello", branch)["hello.spec"]
    (archive,) = world.sandbox.lookaside.archives
    assert (archive.package, archive.filename) == ("rpms/hello", "hello-1.0.tar.gz")
    assert world.sandbox.github.issues(REPOSITORY) == []
    assert max(world.sandbox.effects().values()) == 1


def test_the_default_is_rawhide(world: World) -> None:
    sha = release(world, CONFIG.replace(", dist_git_branches: [rawhide, f43]", ""))
    assert world.conclusions(sha) == {RAWHIDE: "success"}


def test_an_archive_that_comes_late(world: World) -> None:
    """ProposeDownstreamHandler: only its branch is tried again, later and later, until it is given up."""
    f43_has(world, "# late\n")
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: None}
    assert "tried again" in world.checks(sha)[F43]["output"]["title"]
    before = world.sandbox.effects()
    for seconds in (16, 31, 61, 121):
        world.time_passes(seconds=seconds / 3)
        world.sweep()
        world.work()
        assert release_event(world).state == "ready", "it is too early"
        world.time_passes(seconds=seconds)
        world.sweep()
        world.work()
    assert release_event(world).attempts == 5
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "failure"}
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    assert "f43" in issue["body"] and "rawhide" not in issue["body"]
    assert "cannot be downloaded" in issue["body"]
    after = world.sandbox.effects()
    proposed = ("pagure_pr", "git_push", "lookaside_upload")
    assert [key for key in after if key[0] in proposed] == [key for key in before if key[0] in proposed]
    assert max(after.values()) == 1


def test_a_failure_without_an_issue(world: World) -> None:
    """notifications.failure_issue.create: false; the check tells it."""
    f43_has(world, "# broken\n")
    sha = release(world, CONFIG + "notifications: {failure_issue: {create: false}}\n")
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "failure"}
    assert world.sandbox.github.issues(REPOSITORY) == []


def test_a_failure_is_told_in_one_issue(world: World) -> None:
    """propose_downstream, ProposeDownstreamHandler: another error is told once."""
    f43_has(world, "# broken\n")
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "failure"}
    assert "the @patch does not apply" in world.checks(sha)[F43]["output"]["summary"]
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    assert issue["title"] == "[packit] Propose update failed for release v1.0"
    assert "| `f43` |" in issue["body"] and "rawhide" not in issue["body"]
    assert "/packit propose-downstream" in issue["body"]


def test_a_comment_has_the_latest_release_proposed_again(world: World) -> None:
    """IssueCommentEvent, GitHubIssueCommentProposeUpdateHandler: a failure leaves the issue open."""
    f43_has(world, "# broken\n")
    sha = release(world)
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    say(world, "/packit propose-downstream", issue=issue["number"])
    (answer,) = answers(world, issue["number"])
    assert pull_url(world, "rawhide") in answer
    assert "| `f43` |" in answer
    assert world.sandbox.github.issues(REPOSITORY)[0]["state"] == "open"
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "failure"}
    # What was wrong is mended: there is nothing to tell any more.
    f43_has(world)
    say(world, "/packit propose-update", issue=issue["number"])
    _, answer = answers(world, issue["number"])
    assert pull_url(world, "f43") in answer
    assert "| `f43` |" not in answer
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    assert issue["state"] == "closed"
    made = [key for key in world.sandbox.effects() if key[0] == "pagure_pr"]
    assert len(made) == 2, "the pull request for rawhide was found again"


def test_a_comment_where_all_is_well(world: World) -> None:
    """GitHubIssueCommentProposeUpdateHandler: a link for each branch, and the issue is closed."""
    release(world)
    issue = say(world, "/packit propose-update")
    (answer,) = answers(world, issue)
    assert pull_url(world, "rawhide") in answer and pull_url(world, "f43") in answer
    (there,) = world.sandbox.github.issues(REPOSITORY)
    assert (there["number"], there["state"]) == (issue, "closed")
    assert len(pulls(world)) == 2


def test_strangers_may_not_ask(world: World) -> None:
    release(world, CONFIG)
    before = world.sandbox.effects()
    issue = say(world, "/packit propose-update", sender="stranger")
    (answer,) = answers(world, issue)
    assert "write permission" in answer
    assert {key[0] for key in world.sandbox.effects() - before} <= {"issue", "comment", "reaction"}


def test_nothing_is_released(world: World) -> None:
    """GitHubIssueCommentProposeUpdateHandler: without a release the comment is told so."""
    sha = push(world, CONFIG)
    issue = say(world, "/packit propose-update")
    (answer,) = answers(world, issue)
    assert "nothing is released here yet" in answer
    assert world.checks(sha) == {}
    assert pulls(world) == {}


def test_a_branch_that_is_not_there(world: World) -> None:
    sha = release(world, CONFIG.replace("f43", "f12"))
    assert world.conclusions(sha) == {RAWHIDE: "success", "propose-downstream:f12": "failure"}


def test_a_branch_that_is_up_to_date(world: World) -> None:
    f43_has(world, version="1.0")
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    assert set(pulls(world)) == {"rawhide"}


def test_a_tag_that_is_no_version(world: World) -> None:
    sha = release(world, tag="1.0")
    assert set(world.conclusions(sha).values()) == {"failure"}
    assert r"upstream\_tag\_template" in world.checks(sha)[RAWHIDE]["output"]["summary"]
    assert len(world.sandbox.github.issues(REPOSITORY)) == 1


def test_an_answer_that_does_not_come(world: World) -> None:
    """The pull request was made, and nobody told us: it is found and not made again."""
    world.sandbox.faults.add("pagure", kind="drop_after_commit", path="pull-request/new")
    sha = release(world)
    for _ in range(3):
        world.time_passes(seconds=60)
        world.sweep()
        world.work()
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    assert max(world.sandbox.effects().values()) == 1


def test_without_packit_nothing_runs(
    make_world: Callable[..., World], sandbox: Sandbox, tmp_path: Path
) -> None:
    world = make(make_world, sandbox, packit={"program": str(tmp_path / "none")})
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "failure", F43: "failure"}
    assert "install packit" in world.checks(sha)[RAWHIDE]["output"]["summary"]
    assert world.sandbox.github.issues(REPOSITORY) == [], "that is the operator's to mend"


def test_without_a_jail_nothing_runs(
    make_world: Callable[..., World], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, canary = tmp_path / "packit", tmp_path / "canary"
    program.write_text(f"#!/bin/sh\ntouch {canary}\n")
    program.chmod(0o755)
    monkeypatch.setattr(Cell, "available", staticmethod(lambda: "the program bwrap is missing"))
    world = make(make_world, sandbox, packit={"program": str(program)})
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "failure", F43: "failure"}
    assert "bubblewrap" in world.checks(sha)[RAWHIDE]["output"]["summary"]
    assert not canary.exists()


def test_without_an_account(make_world: Callable[..., World], sandbox: Sandbox, tmp_path: Path) -> None:
    world = make(make_world, sandbox, dist_git={"login": None, "token": None})
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "failure", F43: "failure"}
    assert r"dist\_git" in world.checks(sha)[RAWHIDE]["output"]["summary"]
    assert world.sandbox.github.issues(REPOSITORY) == []


def test_a_branch_that_failed_is_not_proposed_again_with_another(world: World) -> None:
    """Within one event what is finished is finished, well or not; a replay and the button try again what failed."""
    f43_has(world, "# broken\n")
    world.sandbox.faults.add("pagure", kind="status", status=503, path="pull-request/new")
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: None, F43: "failure"}
    # Were it tried now, it would go well.
    f43_has(world)
    world.time_passes(seconds=600)
    world.sweep()
    world.work()
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "failure"}
    assert set(pulls(world)) == {"rawhide"}
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    assert "| `f43` |" in issue["body"] and "patch" in world.checks(sha)[F43]["output"]["summary"]

    assert replay(world.journal, world.shop.hints, release_event(world).id, dry_run=False)
    world.work()
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    assert set(pulls(world)) == {"rawhide", "f43"}


def test_the_button_proposes_again(world: World) -> None:
    """RerunProposeDownstreamHandler: the branch whose button was pressed, and no other; then the issue is closed."""
    f43_has(world, "# broken\n")
    sha = release(world)
    assert "press Re-run beside this check" in world.checks(sha)[F43]["output"]["summary"]
    number = world.checks(sha)[F43]["id"]
    f43_has(world)
    press(world, sha, F43, sender="stranger")
    world.work()
    assert set(pulls(world)) == {"rawhide"}
    before = world.sandbox.effects()
    press(world, sha, F43)
    world.work()
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    assert world.checks(sha)[F43]["id"] == number
    assert len([key for key in world.sandbox.effects() - before if key[0] == "pagure_pr"]) == 1
    assert len(pulls(world)) == 2
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    assert issue["state"] == "closed"


def test_the_button_after_a_comment(world: World) -> None:
    """The release that the comment was about, though there is no release event behind the check."""
    f43_has(world, "# broken\n")
    sha = release(world)
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    say(world, "/packit propose-downstream", issue=issue["number"])
    f43_has(world)
    press(world, sha)
    world.work()
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    assert set(pulls(world)) == {"rawhide", "f43"}


def test_one_branch_again_leaves_the_others_in_the_issue(world: World) -> None:
    f43_has(world, "# broken\n")
    world.sandbox.dist_git.commit("hello", "rawhide", {"hello.spec": spec("hello") + "# broken\n"})
    sha = release(world)
    f43_has(world)
    press(world, sha, F43)
    world.work()
    assert world.conclusions(sha) == {RAWHIDE: "failure", F43: "success"}
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    assert issue["state"] == "open"
    assert "| `rawhide` |" in issue["body"] and "f43" not in issue["body"]


NO_PR = CONFIG.replace("jobs:", "create_pr: false\njobs:")


def test_without_pull_requests(make_world: Callable[..., World], sandbox: Sandbox, packit: str) -> None:
    """create_pr: false pushes to the branch itself, where the account may."""
    world = make_world(packit={"program": packit})
    world.approve()
    sandbox.dist_git.add_package("hello", commit=["packit"])
    sha = release(world, NO_PR)
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "success"}
    assert pulls(world) == {}
    for branch in ("rawhide", "f43"):
        assert b"Version: 1.0\n" in sandbox.dist_git.files("hello", branch)["hello.spec"]
        newest, *_ = sandbox.dist_git.log("hello", branch)
        check = world.checks(sha)[f"propose-downstream:{branch}"]
        assert check["details_url"] == f"{sandbox.pagure.url}/rpms/hello/c/{newest.sha}"
    say(world, "/packit propose-update")
    assert len(sandbox.dist_git.log("hello", "f43")) == 2, "there is nothing to do a second time"


def test_without_pull_requests_and_without_permission(world: World) -> None:
    sha = release(world, NO_PR)
    assert world.conclusions(sha) == {RAWHIDE: "failure", F43: "failure"}
    assert r"create\_pr" in world.checks(sha)[RAWHIDE]["output"]["summary"]
    assert b"Version: 0.1\n" in world.sandbox.dist_git.files("hello", "rawhide")["hello.spec"]


def test_packages_of_a_monorepo(world: World) -> None:
    """Each package is proposed where it belongs, under a check of its own; of two jobs each does its branches."""
    world.sandbox.dist_git.add_package("other", files={"hello.spec": spec("hello"), "sources": ""})
    config = """\
upstream_tag_template: v{version}
packages:
  hello: {downstream_package_name: hello, specfile_path: hello.spec, paths: [.]}
  other: {downstream_package_name: other, specfile_path: hello.spec, paths: [.]}
jobs:
- {job: propose_downstream, trigger: release, packages: [hello, other], dist_git_branches: [rawhide]}
- {job: propose_downstream, trigger: release, packages: [hello], dist_git_branches: [f43]}
"""
    f43_has(world, "# broken\n")
    sha = release(world, config)
    assert world.conclusions(sha) == {
        "propose-downstream:rawhide:hello": "success",
        "propose-downstream:rawhide:other": "success",
        "propose-downstream:f43:hello": "failure",
    }
    assert set(pulls(world)) == {"rawhide"}
    assert len(world.sandbox.pagure.project("rpms/other").pull_requests) == 1
    (issue,) = world.sandbox.github.issues(REPOSITORY)
    assert "| `f43` |" in issue["body"] and "rawhide" not in issue["body"]
    issue = say(world, "/packit propose-update")
    assert world.sandbox.github.issues(REPOSITORY)[-1]["state"] == "open", "another job has failed"
    f43_has(world)
    say(world, "/packit propose-update", issue=issue)
    assert {there["state"] for there in world.sandbox.github.issues(REPOSITORY)} == {"closed"}


def test_what_went_well_stays_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug at one branch is no failure of another that is proposed."""
    propose = Update.propose

    def broken(update: Update, branch: str) -> Any:
        if branch == "f43":
            raise RuntimeError("a bug")
        return propose(update, branch)

    monkeypatch.setattr(Update, "propose", broken)
    sha = release(world)
    assert world.conclusions(sha) == {RAWHIDE: "success", F43: "failure"}
    shown = world.checks(sha)
    assert shown[RAWHIDE]["details_url"] == pull_url(world, "rawhide")
    assert "Something went wrong in this service" in shown[F43]["output"]["title"]
    assert "Press Re-run beside this check" in shown[F43]["output"]["summary"]
