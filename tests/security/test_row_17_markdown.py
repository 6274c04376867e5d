"""Row 17: words of strangers in what we write on a forge: no mention, no link, no HTML."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories.test_comments import answers, say
from stories.world import REPOSITORY, World

from packit_worker.reporting import markdown

EVIL = "@everyone [x](http://evil.example) <img src=x onerror=alert(1)> **![y](//evil.example)** #1 \u202e`"


def harmless(text: str) -> None:
    """Outside of code there is no mention, link or HTML of the stranger's."""
    without_code = re.sub(r"(`+)[^`].*?\1", "", text, flags=re.DOTALL)
    plain = re.sub(r"\\.", "", without_code)
    assert not re.search(r"@\w", plain)
    assert "](http://evil" not in plain
    assert "](//evil" not in plain
    assert "<img" not in plain
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "config",
    [
        f"specfile_path: hello.spec\n{EVIL!r}: 1\njobs: []\n",
        f"specfile_path: hello.spec\njobs: [{{job: copr_build, trigger: pull_request, targets: [{EVIL!r}]}}]\n",
        f"specfile_path: {EVIL!r}\njobs: [{{job: copr_build, trigger: pull_request, targets: [fedora-43]}}]\n",
        f"jobs: [{{job: {EVIL!r}, trigger: {EVIL!r}}}]\n",
        "specfile_path: hello.spec\njobs: [{job: copr_build, trigger: pull_request, targets: [fedora-43], "
        f"identifier: {EVIL!r}}}]\n",
    ],
)
def test_a_configuration_and_a_title(world: World, config: str) -> None:
    github = world.sandbox.github
    github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    pull = github.open_pull_request(
        REPOSITORY, author="alice", files={".packit.yaml": config, "hello.spec": "Name: hello\n"}, title=EVIL
    )
    world.post(world.opened(pull))
    world.work()
    world.finish_builds(succeeded=False)
    world.work()
    checks: list[Any] = list(world.checks(pull.head_sha).values())
    for check in checks:
        # A title is shown as it is.
        assert check["output"]["title"].isprintable()
        harmless(check["output"]["summary"] or "")
    for comment in github.comments(REPOSITORY, pull.number):
        harmless(comment["body"])


def test_a_comment(world: World) -> None:
    pull = world.repository()
    say(world, pull, f"/packit {EVIL}")
    (answer,) = answers(world, pull)
    harmless(answer)


@given(st.text(max_size=400))
def test_any_text(text: str) -> None:
    for made in (markdown.plain(text), markdown.code(text)):
        assert "\n" not in made
        assert not re.search(r"(?<!\\)@\w", re.sub(r"`[^`]*`", "", made))
    assert len(markdown.code(text)) <= 202
    lines = markdown.code_block(text).splitlines()
    assert lines[0] == lines[-1]
    assert lines[0] not in lines[1:-1]
