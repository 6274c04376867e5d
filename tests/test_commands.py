"""Commands in comments: what is one, what is none, and what is said about the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packit_worker.commands import (
    MOST_COMMANDS,
    OPTIONS,
    PREFIX,
    WORDS,
    Asked,
    Command,
    Verb,
    new_commands,
    options_of,
    parse,
    usage,
)


def c(verb: Verb, **options: Any) -> Command:
    return Command(verb=verb, **options)


BUILD, TEST = c(Verb.BUILD), c(Verb.TEST)

UNDERSTOOD: list[tuple[str, list[Command]]] = [
    ("/packit build", [BUILD]),
    ("/packit copr-build", [BUILD]),
    ("/packit copr_build", [BUILD]),
    ("/packit BUILD", [BUILD]),
    ("/Packit Build", [BUILD]),
    ("   /packit build   ", [BUILD]),
    ("/packit\tbuild", [BUILD]),
    ("/packit   test", [TEST]),
    ("/packit production-build", [c(Verb.PRODUCTION_BUILD)]),
    ("/packit production_build", [c(Verb.PRODUCTION_BUILD)]),
    ("/packit propose-update", [c(Verb.PROPOSE_UPDATE)]),
    ("/packit propose-downstream", [c(Verb.PROPOSE_UPDATE)]),
    ("/packit propose_downstream", [c(Verb.PROPOSE_UPDATE)]),
    ("/packit retest-failed", [c(Verb.RETEST_FAILED)]),
    ("/packit rebuild_failed", [c(Verb.REBUILD_FAILED)]),
    ("/packit help", [c(Verb.HELP)]),
    ("/packit verify-fas Some-One", [c(Verb.VERIFY_FAS, argument="some-one")]),
    ("please\n/packit build\nthanks", [BUILD]),
    ("please\r\n/packit build\r\nthanks", [BUILD]),
    ("/packit build\r/packit test", [BUILD, TEST]),
    ("/packit build\n/packit test", [BUILD, TEST]),
    ("/packit build\n\n/packit build", [BUILD, BUILD]),
    ("/packit build --identifier one", [c(Verb.BUILD, identifier="one")]),
    ("/packit build --identifier=one", [c(Verb.BUILD, identifier="one")]),
    ("/packit build --identifier 'one two'x --target f", []),
    ("/packit build —identifier one", [c(Verb.BUILD, identifier="one")]),
    ("/packit test --target fedora-43-x86_64", [c(Verb.TEST, targets=("fedora-43-x86_64",))]),
    ("/packit test --target a --target b --target a", [c(Verb.TEST, targets=("a", "b"))]),
    ('/packit test --env "A=b c"', [c(Verb.TEST, env=(("A", "b c"),))]),
    ("/packit test --env A='b c'", [c(Verb.TEST, env=(("A", "b c"),))]),
    ("/packit test --env A=b\\ c", [c(Verb.TEST, env=(("A", "b c"),))]),
    ("/packit test --env A= --env B=c=d", [c(Verb.TEST, env=(("A", ""), ("B", "c=d")))]),
    ("/packit test --env A=1 --env A=2", [c(Verb.TEST, env=(("A", "2"),))]),
    ('/packit test --env "A=$(x); `y` | z"', [c(Verb.TEST, env=(("A", "$(x); `y` | z"),))]),
    ('/packit test --env "A=a\\"b\\\\c\\d"', [c(Verb.TEST, env=(("A", 'a"b\\c\\d'),))]),
    ("/packit test --labels one,two", [c(Verb.TEST, labels=("one", "two"))]),
    ("/packit test --labels 'one, two,'", [c(Verb.TEST, labels=("one", "two"))]),
    ("> /packit build\n\n/packit test", [TEST]),
    ("```\n/packit build\n```\n/packit test", [TEST]),
    ("~~~\n/packit build\n```\n/packit build\n~~~\n/packit test", [TEST]),
    ("````\n```\n/packit build\n````\n/packit test", [TEST]),
    ("```x`y\n/packit build", [BUILD]),
    ("<!-- seen -->\n/packit build", [BUILD]),
    ("<!--\n/packit build\n-->\n/packit test", [TEST]),
]

NOT_COMMANDS = [
    "",
    "/",
    "packit build",
    "build",
    "I think /packit build would do",
    "`/packit build`",
    "* /packit build",
    "- /packit build",
    "> /packit build",
    "  > /packit build",
    ">/packit build",
    "    /packit build",
    "\t/packit build",
    "```\n/packit build\n```",
    "```sh\n/packit build",
    "~~~~\n/packit build\n~~~",
    "<!-- \n/packit build\n",
    "/packit-stg build",
    "/packitbuild",
    "/packit:build",
    "/pack build",
    "//packit build",
    "one\x0b/packit build",
    "one\u2028/packit build",
    "one\x85/packit build",
]

MISTAKES: list[tuple[str, str, str | None]] = [
    ("/packit", "takes a word", "help"),
    ("/packit biuld", "is no command", "build"),
    ("/packit tset", "is no command", "test"),
    ("/packit retest", "is no command", "test"),
    ("/packit propose", "is no command", "propose-update"),
    ("/packit xyzzy", "is no command", None),
    ("/packit build please", "no use for 'please'", None),
    ("/packit build; curl x", "; stands outside of quotes", None),
    ("/packit build && curl x", "& stands outside of quotes", None),
    ("/packit build $(id)", "$ stands outside of quotes", None),
    ("/packit build `id`", "` stands outside of quotes", None),
    ("/packit build --target $(id)", "$ stands outside of quotes", None),
    ("/packit build --target '$(id)'", "cannot be a target", None),
    ("/packit build --target ../../etc", "cannot be a target", None),
    ("/packit build --target --identifier", "cannot be a target", None),
    ("/packit build --target", "takes a value", None),
    ("/packit build --target=", "takes a value", None),
    ("/packit build --targets x", "no option '--targets'", "--target"),
    ("/packit build --env A=1", "no option '--env'", None),
    ("/packit build -x", "no option '-x'", None),
    ("/packit build --", "no option '--'", None),
    ("/packit build --identifier a --identifier b", "too often", None),
    ("/packit test --env A", "is no variable", None),
    ("/packit test --env 1A=x", "is no variable", None),
    ("/packit test --env packit_commit_sha=x", "set by this service", None),
    ("/packit test --env 'A=x", "not closed", None),
    ("/packit test --env A=x\\", "backslash", None),
    ("/packit test --labels ,", "no list of labels", None),
    ("/packit test \x07", "cannot be shown", None),
    ("/packit build\u202e --target x", "cannot be shown", None),
    ("/packit verify-fas", "takes the name of your Fedora account", None),
    ("/packit verify-fas one two", "no use for 'two'", None),
    ("/packit verify-fas ../admin", "cannot be the name of an account", None),
    ("/packit verify-fas a/b?c", "cannot be the name of an account", None),
    ("/packit help me", "no use for 'me'", None),
    ("/packit " + "x" * 3000, "longer than", None),
]


@pytest.mark.parametrize(("text", "commands"), UNDERSTOOD)
def test_understood(text: str, commands: list[Command]) -> None:
    assert list(parse(text).commands) == commands


@pytest.mark.parametrize("text", NOT_COMMANDS)
def test_no_command(text: str) -> None:
    assert not parse(text)


@pytest.mark.parametrize(("text", "words", "nearest"), MISTAKES, ids=[text[:40] for text, _, _ in MISTAKES])
def test_mistakes(text: str, words: str, nearest: str | None) -> None:
    asked = parse(text)
    assert asked.commands == ()
    (mistake,) = asked.mistakes
    assert words in mistake.message
    assert mistake.nearest == nearest


def test_the_table_is_long_enough() -> None:
    assert len(UNDERSTOOD) + len(NOT_COMMANDS) + len(MISTAKES) >= 60


def test_mistakes_do_not_stop_commands() -> None:
    asked = parse("/packit biuld\n/packit test")
    assert asked.commands == (TEST,)
    assert asked.mistakes[0].nearest == "build"


def test_a_comment_holds_so_many() -> None:
    asked = parse("/packit build\n" * (MOST_COMMANDS + 5))
    assert len(asked.commands) == MOST_COMMANDS
    (mistake,) = asked.mistakes
    assert str(MOST_COMMANDS) in mistake.message


EDITS: list[tuple[str | None, str, list[Command]]] = [
    (None, "/packit build", [BUILD]),
    ("/packit build", "/packit build", []),
    ("/packit build", "/packit build\n\nthanks", []),
    ("/packit build", "/packit copr-build", []),
    ("/packit build", "/packit build\n/packit test", [TEST]),
    ("/packit build", "/packit build\n/packit build", [BUILD]),
    ("/packit biuld", "/packit build", [BUILD]),
    ("/packit build\n/packit test", "/packit test", []),
    ("/packit test --env A=1", "/packit test --env A=2", [c(Verb.TEST, env=(("A", "2"),))]),
    ("> /packit build", "/packit build", [BUILD]),
]


@pytest.mark.parametrize(("before", "text", "commands"), EDITS)
def test_edited(before: str | None, text: str, commands: list[Command]) -> None:
    assert list(new_commands(before, text).commands) == commands


def test_an_old_mistake_is_not_told_again() -> None:
    assert new_commands("/packit biuld", "/packit biuld\nhello") == Asked()


def test_usage() -> None:
    for verb in Verb:
        assert usage(verb).startswith(f"{PREFIX} {verb}")
    assert usage(Verb.VERIFY_FAS) == "/packit verify-fas LOGIN"
    assert "--env" in usage(Verb.TEST)


PIECES = st.sampled_from(
    [
        PREFIX,
        *" \n\r\t`>'\"\\=;",
        "```",
        "~~~",
        "--",
        "—",
        "$(",
        "<!--",
        "-->",
        *WORDS,
        *OPTIONS,
        "A=b",
        "a,b",
    ]
)


def _is_of_the_grammar(command: Command) -> None:
    allowed = options_of(command.verb)
    for name, value in (
        ("--identifier", command.identifier),
        ("--target", command.targets),
        ("--env", command.env),
        ("--labels", command.labels),
    ):
        assert not value or name in allowed
    assert (command.argument is not None) == (command.verb == Verb.VERIFY_FAS)
    assert all(not target.startswith("-") and "/" not in target for target in command.targets)
    assert all("=" not in name and "\n" not in name + text for name, text in command.env)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3))).map("".join)))
@example("/packit test --env 'A=\n'")
@example("/packit \ud800")
def test_any_text(text: str) -> None:
    """Nothing raises, and nothing outside of the grammar comes out."""
    asked = parse(text)
    for command in asked.commands:
        _is_of_the_grammar(command)
    for mistake in asked.mistakes:
        assert mistake.message
    assert not new_commands(text, text)


@given(st.lists(st.one_of(PIECES, st.text(max_size=3))).map("".join))
def test_any_line(rest: str) -> None:
    for command in parse(f"{PREFIX} {rest}").commands:
        _is_of_the_grammar(command)
