"""Orders in Copr: names that Copr takes, and scripts in which the words of strangers stay words."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.base import InvalidFact
from events.families import ProjectEvent
from events.github import PullRequestGHEvent, PushGithubGHEvent, ReleaseEvent
from packit_worker.config.package import load
from packit_worker.orders.copr import default_name, srpm_script
from packit_worker.situation.job import Job

SHA = "a" * 40
EVIL = [
    "$(touch /tmp/pwned)",
    "`id`",
    "'; rm -rf /; '",
    "\n rm -rf /",
    "--upload-pack=/bin/sh",
    "-oProxyCommand=x",
    "a b\tc",
    "ä€😀",
    '"${IFS}"',
    "\\",
    "#",
    "!!",
]


def pull_request(**facts: Any) -> PullRequestGHEvent:
    given = {
        "project_url": "https://github.com/acme/hello",
        "action": "opened",
        "pr_id": 7,
        "commit_sha": SHA,
        "user_login": "alice",
        "base_repo_namespace": "alice",
        "base_repo_name": "hello",
        "base_ref": "fix",
        "target_repo_namespace": "acme",
        "target_repo_name": "hello",
        "target_branch": "main",
    }
    return PullRequestGHEvent(**given | facts)


def push(**facts: Any) -> PushGithubGHEvent:
    given = {
        "project_url": "https://github.com/acme/hello",
        "repo_namespace": "acme",
        "repo_name": "hello",
        "branch": "main",
        "commit_sha": SHA,
    }
    return PushGithubGHEvent(**given | facts)


def release(**facts: Any) -> ReleaseEvent:
    given = {
        "project_url": "https://github.com/acme/hello",
        "repo_namespace": "acme",
        "repo_name": "hello",
        "tag_name": "v1",
    }
    return ReleaseEvent(**given | facts)


def a_job(**keys: Any) -> Job:
    text = (
        "specfile_path: hello.spec\njobs:\n- {job: copr_build, trigger: pull_request, targets: [fedora-43]}\n"
    )
    config = load(text, path=".packit.yaml", repo_name="hello", spec_files=["hello.spec"])
    (view,) = config.views()
    return Job(**{"key": "0:copr_build", "config": view, "identifier": None} | keys)


def words(event: ProjectEvent, job: Job | None = None) -> list[str]:
    """The words of the script as a shell takes it. Fails where the shell does not understand it."""
    script = srpm_script(event, job or a_job(), "copr_build/e")
    subprocess.run(["sh", "-n"], input=script.encode(), check=True)
    # Quoted words may hold line breaks, so it is taken apart as a whole.
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";|&()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_branches(evil: str) -> None:
    for event, ref in (
        (pull_request(target_branch=evil), f"+refs/heads/{evil}:refs/heads/target"),
        (push(branch=evil), f"+refs/heads/{evil}:refs/heads/pushed"),
    ):
        assert ref in words(event), "one word, as it came"


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_tags(evil: str) -> None:
    script = srpm_script(release(tag_name=evil), a_job(), "m")
    subprocess.run(["sh", "-n"], input=script.encode(), check=True)
    assert not any(line.startswith(("rm", " rm")) for line in _outside_of_quotes(script))


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_addresses_and_packages(evil: str) -> None:
    assert f"https://github.com/acme/{evil}.git" in words(
        pull_request(project_url=f"https://github.com/acme/{evil}")
    )
    assert evil in words(pull_request(), job=a_job(package=evil))


@pytest.mark.parametrize("evil", [evil for evil in EVIL if evil != "#"])
def test_hostile_markers_do_not_leave_their_line(evil: str) -> None:
    script = srpm_script(pull_request(), a_job(), evil)
    assert script.splitlines()[1].startswith("# packit_worker order ")
    assert evil not in script.splitlines()[1]


@pytest.mark.parametrize("sha", ["main", "--help", "$(id)", "", "A" * 40, "a" * 6])
def test_what_is_no_commit_is_not_built(sha: str) -> None:
    with pytest.raises((ValueError, InvalidFact)):
        srpm_script(pull_request(commit_sha=sha), a_job(), "m")


@settings(deadline=None, max_examples=30)
@given(
    branch=st.text(
        st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=60
    )
)
def test_any_branch(branch: str) -> None:
    """The shell itself says what it takes for a word."""
    script = srpm_script(push(branch=branch), a_job(), "m")
    fetch = next(part for part in script.split("git fetch --quiet --tags origin ")[1:])
    argument = fetch.rsplit("\ngit checkout", 1)[0]
    told = subprocess.run(["sh", "-c", f"printf %s {argument}"], capture_output=True, check=True).stdout
    assert told.decode() == f"+refs/heads/{branch}:refs/heads/pushed"


def _outside_of_quotes(script: str) -> list[str]:
    return "".join(part for number, part in enumerate(script.split("'")) if number % 2 == 0).splitlines()


def test_names_of_projects() -> None:
    job = a_job()
    assert default_name(pull_request(), job, "prod") == "acme-hello-7"
    assert default_name(pull_request(), job, "stg") == "acme-hello-7-stg"
    assert default_name(push(branch="main"), job, "prod") == "acme-hello-main"
    assert default_name(push(), a_job(identifier="extra"), "prod") == "acme-hello-main-extra"


def test_names_that_differ_stay_different() -> None:
    job = a_job()
    found = {default_name(push(branch=branch), job, "prod") for branch in ("a/b", "a b", "a:b", "a-b")}
    assert len(found) == 4
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in found)
