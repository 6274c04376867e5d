"""Row 12: comments that would like a shell. ``tests/test_commands.py`` throws any text at the grammar."""

from __future__ import annotations

import pytest
from stories.test_comments import answers, say
from stories.world import ONE_BUILD, World

from packit_worker.commands import parse

REJECTED = [
    "/packit build; curl x",
    "/packit build && id",
    "/packit build | sh",
    "/packit build $(id)",
    "/packit build `id`",
    "/packit build --target $(id)",
    "/packit build > /etc/passwd",
    "/packit $(id)",
    "/packit test --env A=$(id);id",
    "/packit build --upload-pack=x",
    "/packit build ../../etc",
]
NO_COMMANDS = [
    "> /packit build",
    "```\n/packit build\n```",
    "~~~\n/packit build\n~~~",
    "    /packit build",
    "<!--\n/packit build\n-->",
    "hello /packit build",
    "`/packit build`",
    "/packitbuild",
    "\u2028/packit\u2028build",
]


@pytest.mark.parametrize("text", REJECTED)
def test_what_is_no_command_is_a_mistake_with_words(text: str) -> None:
    asked = parse(text)
    assert asked.commands == ()
    assert [bool(mistake.message) for mistake in asked.mistakes] == [True]


@pytest.mark.parametrize("text", NO_COMMANDS)
def test_what_is_quoted_is_nothing(text: str) -> None:
    assert parse(text).commands == ()


def test_it_is_answered_with_help_and_nothing_runs(world: World) -> None:
    pull = world.repository(ONE_BUILD)
    say(world, pull, "/packit build; curl x\n/packit build $(id)")
    assert world.sandbox.copr.builds == []
    (answer,) = answers(world, pull)
    assert "/packit help" in answer
