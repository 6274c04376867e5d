"""Row 10: regular expressions of a configuration that take for ever, in ``re``."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from events.github import PushGithubGHEvent
from packit_worker.checks.jobs import why_not
from packit_worker.config.package import load
from packit_worker.errors import UserError
from packit_worker.releases import why_left_out

EVIL = [
    (r"(v?\d+)+$", "v" + "1" * 5000 + "x"),
    (r"(a+)+b", "a" * 5000),
    (r"(.*a){25}$", "a" * 5000 + "b"),
    (r"(x|x)*y", "x" * 5000),
]


def in_a_branch(pattern: str, text: str) -> None:
    quoted = pattern.replace("'", "''")
    config = load(
        "specfile_path: a.spec\n"
        f"jobs: [{{job: copr_build, trigger: commit, targets: [fedora-43], branch: '{quoted}'}}]\n",
        path=".packit.yaml",
        repo_name="hello",
    )
    push = PushGithubGHEvent(
        project_url="https://github.com/acme/hello",
        project_is_private=False,
        installation_id=None,
        repo_namespace="acme",
        repo_name="hello",
        branch=text,
        commit_sha="c" * 40,
    )
    why_not(config.jobs[0], push, lambda: "main", lambda _: pytest.fail("nobody is asked"))


def in_a_tag_included(pattern: str, text: str) -> None:
    why_left_out(text, pattern, None)


def in_a_tag_excluded(pattern: str, text: str) -> None:
    why_left_out(text, None, pattern)


@pytest.mark.parametrize("where", [in_a_branch, in_a_tag_included, in_a_tag_excluded])
@pytest.mark.parametrize(("pattern", "text"), EVIL)
def test_it_takes_no_time(where: Callable[[str, str], None], pattern: str, text: str) -> None:
    where(pattern, "x")
    begun = time.process_time()
    where(pattern, text)
    assert time.process_time() - begun < 0.1


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a" * 501, "(" * 200, "((a{100}){100}){100}"])
def test_what_is_refused_says_so(pattern: str) -> None:
    for reason in (why_left_out("v1", pattern, None), why_left_out("v1", None, pattern)):
        assert reason
        assert "upstream_tag_" in reason
        assert "no regular expression that RE2 knows" in reason or "longer than 500" in reason
    with pytest.raises(UserError):
        in_a_branch(pattern, "main")
