"""Commands in comments: ``/packit <verb> [options]``, from any text. Pure; anybody in the worker may import it.

A command is a line of its own that begins with ``/packit``; a comment may hold several. Lines inside code blocks,
quotations and hidden HTML comments are none. Words are split as a shell splits them, by a tokenizer that knows quotes
and nothing else: there is no shell, and what a shell would act on is a mistake here.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

PREFIX = "/packit"
#: What a comment may hold. More is a mistake, and so is more of an option that may be repeated.
MOST_COMMANDS = 10
MOST_REPEATS = 20
LONGEST_LINE = 2000


class Verb(StrEnum):
    """What can be asked for."""

    BUILD = "build"
    TEST = "test"
    PRODUCTION_BUILD = "production-build"
    PROPOSE_UPDATE = "propose-update"
    RETEST_FAILED = "retest-failed"
    REBUILD_FAILED = "rebuild-failed"
    VERIFY_FAS = "verify-fas"
    HELP = "help"


#: Words for verbs; several may mean the same.
WORDS: Mapping[str, Verb] = {verb.value: verb for verb in Verb} | {
    "copr-build": Verb.BUILD,
    "propose-downstream": Verb.PROPOSE_UPDATE,
}


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command. Options that were not given are empty; ``argument`` is the account of verify-fas.

    ``targets`` are as written: chroots or aliases. ``env`` is ordered, each name once.
    """

    verb: Verb
    identifier: str | None = None
    targets: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    labels: tuple[str, ...] = ()
    argument: str | None = None


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A line that looks like a command and is none. ``message`` is for its author; ``nearest`` what was meant."""

    line: str
    message: str
    nearest: str | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a comment asks for, in the order of its lines."""

    commands: tuple[Command, ...] = ()
    mistakes: tuple[Mistake, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.commands or self.mistakes)

    def of(self, *verbs: Verb) -> tuple[Command, ...]:
        """The commands with one of these verbs."""
        return tuple(command for command in self.commands if command.verb in verbs)


def parse(text: str) -> Asked:
    """The commands of a comment. Raises nothing, whatever the text."""
    commands: list[Command] = []
    mistakes: list[Mistake] = []
    for line in _spoken(text):
        if len(commands) + len(mistakes) == MOST_COMMANDS:
            mistakes.append(
                Mistake(line="", message=f"a comment may hold {MOST_COMMANDS} commands, and no more")
            )
            break
        try:
            commands.append(_command(line))
        except _Wrong as wrong:
            mistakes.append(Mistake(line=line[:200], message=str(wrong), nearest=wrong.nearest))
    return Asked(commands=tuple(commands), mistakes=tuple(mistakes))


def new_commands(before: str | None, text: str) -> Asked:
    """What an edited comment asks for beyond what it asked for ``before``; everything, where that is unknown."""
    asked = parse(text)
    if before is None:
        return asked
    known = parse(before)
    commands, mistakes = Counter(known.commands), Counter(known.mistakes)
    return Asked(
        commands=tuple(_beyond(asked.commands, commands)), mistakes=tuple(_beyond(asked.mistakes, mistakes))
    )


T = TypeVar("T", Command, Mistake)


def _beyond(items: tuple[T, ...], known: Counter[T]) -> Iterator[T]:
    for item in items:
        if known[item]:
            known[item] -= 1
        else:
            yield item


class _Wrong(Exception):
    """The line is no command; the text says what is wrong with it."""

    def __init__(self, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.nearest = nearest


# From the text to the lines that are meant.

#: Not str.splitlines: that takes characters for ends of lines which no forge shows as such.
_ENDS = re.compile(r"\r\n|\n|\r")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_PREFIXED = re.compile(rf" {{0,3}}{re.escape(PREFIX)}(?=\s|$)", re.IGNORECASE)


def _spoken(text: str) -> Iterator[str]:
    """The lines that begin with the prefix, outside of everything that quotes, shows or hides."""
    fence: str | None = None
    hidden = False
    for line in _ENDS.split(text):
        if fence is not None:
            if _closes(line, fence):
                fence = None
            continue
        if hidden:
            hidden = "-->" not in line
            continue
        opened = _FENCE.fullmatch(line)
        if opened and not (opened[1][0] == "`" and "`" in opened[2]):
            fence = opened[1]
        elif _PREFIXED.match(line):
            yield line.strip()
        else:
            hidden = line.rfind("<!--") > line.rfind("-->")


def _closes(line: str, fence: str) -> bool:
    match = _FENCE.fullmatch(line)
    return match is not None and match[1].startswith(fence) and not match[2].strip()


# From a line to its words.

_QUOTES = "\"'"
#: What a shell would act on.
_SHELL = frozenset(";&|<>()$`")
_SPACE = frozenset(" \t")


def _words(line: str) -> list[str]:
    """The words of a line: split at blanks, quotes and backslashes keep together as in a shell. Raises _Wrong."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    characters = iter(line)
    for character in characters:
        if not (character.isprintable() or character in _SPACE):
            raise _Wrong("it holds a character that cannot be shown")
        if character == "\\" and quote != "'":
            following = next(characters, None)
            if following is None:
                raise _Wrong("there is nothing behind the last backslash")
            # In double quotes a backslash is one, unless it protects a quote or itself.
            kept = "\\" if quote and following not in '"\\' else ""
            word = (word or "") + kept + following
        elif quote:
            if character == quote:
                quote = ""
            else:
                word = (word or "") + character
        elif character in _QUOTES:
            quote, word = character, word or ""
        elif character in _SPACE:
            if word is not None:
                words.append(word)
            word = None
        elif character in _SHELL:
            raise _Wrong(f"{character} stands outside of quotes; this is no shell")
        else:
            word = (word or "") + character
    if quote:
        raise _Wrong(f"a quotation mark is not closed: {quote}")
    return words if word is None else [*words, word]


# From words to a command.


def _command(line: str) -> Command:
    if len(line) > LONGEST_LINE:
        raise _Wrong(f"the line is longer than {LONGEST_LINE} characters")
    words = _words(line)[1:]
    if not words:
        raise _Wrong(f"it takes a word behind {PREFIX}", Verb.HELP)
    verb = _verb(words[0])
    command = Command(verb=verb)
    rest = iter(words[1:])
    given: Counter[str] = Counter()
    for word in rest:
        if word.startswith(("—", "–")):
            # Telephones make one dash of two hyphens.
            word = f"--{word[1:]}"
        if not word.startswith("-"):
            command = _with_argument(command, word)
            continue
        name, equals, value = word.partition("=")
        option = _option(verb, name)
        if not equals:
            value = next(rest, "")
        if not value:
            raise _Wrong(f"{name} takes a value")
        given[name] += 1
        if given[name] > (MOST_REPEATS if option.repeats else 1):
            raise _Wrong(f"{name} is given too often")
        command = option.set(command, value)
    if verb in _ARGUMENTS and command.argument is None:
        raise _Wrong(f"{verb} takes {_ARGUMENTS[verb]}")
    return command


def _verb(word: str) -> Verb:
    plain = word.lower().replace("_", "-")
    if plain in WORDS:
        return WORDS[plain]
    nearest = difflib.get_close_matches(plain[:40], WORDS, n=1, cutoff=0.6)
    raise _Wrong(f"{_shown(word)} is no command", nearest[0] if nearest else None)


#: Verbs with a word behind them, and what it is.
_ARGUMENTS: Mapping[Verb, str] = {Verb.VERIFY_FAS: "the name of your Fedora account"}
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def _with_argument(command: Command, word: str) -> Command:
    if command.verb not in _ARGUMENTS or command.argument is not None:
        raise _Wrong(f"{command.verb} has no use for {_shown(word)}")
    if not _ACCOUNT.fullmatch(word.lower()):
        raise _Wrong(f"{_shown(word)} cannot be the name of an account")
    return replace(command, argument=word.lower())


@dataclass(frozen=True, kw_only=True)
class _Option:
    """An option: the verbs that have it, and how its value goes into a command (raises _Wrong)."""

    verbs: frozenset[Verb]
    set: Callable[[Command, str], Command]
    repeats: bool = False


_IDENTIFIER = re.compile(r"[^\s-]\S{0,99}")
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LONGEST_VALUE = 1000


def _set_identifier(command: Command, value: str) -> Command:
    if not _IDENTIFIER.fullmatch(value):
        raise _Wrong(f"{_shown(value)} cannot be the identifier of a job")
    return replace(command, identifier=value)


def _add_target(command: Command, value: str) -> Command:
    if not _TARGET.fullmatch(value):
        raise _Wrong(f"{_shown(value)} cannot be a target, such as fedora-43-x86_64")
    return replace(command, targets=tuple(dict.fromkeys((*command.targets, value))))


def _add_variable(command: Command, value: str) -> Command:
    name, equals, text = value.partition("=")
    if not equals or not _VARIABLE.fullmatch(name):
        raise _Wrong(f"{_shown(value)} is no variable: write --env NAME=value")
    if name.upper().startswith("PACKIT_"):
        raise _Wrong(f"{_shown(name)} is set by this service")
    if len(text) > _LONGEST_VALUE:
        raise _Wrong(f"the value of {_shown(name)} is longer than {_LONGEST_VALUE} characters")
    return replace(command, env=tuple({**dict(command.env), name: text}.items()))


def _set_labels(command: Command, value: str) -> Command:
    labels = tuple(dict.fromkeys(label.strip() for label in value.split(",") if label.strip()))
    if not labels or len(labels) > MOST_REPEATS or any(len(label) > 100 for label in labels):
        raise _Wrong(f"{_shown(value)} is no list of labels, such as fast,important")
    return replace(command, labels=labels)


_OF_JOBS = frozenset({Verb.BUILD, Verb.TEST, Verb.PRODUCTION_BUILD, Verb.RETEST_FAILED, Verb.REBUILD_FAILED})
OPTIONS: Mapping[str, _Option] = {
    "--identifier": _Option(verbs=_OF_JOBS, set=_set_identifier),
    "--target": _Option(verbs=_OF_JOBS, set=_add_target, repeats=True),
    "--env": _Option(verbs=frozenset({Verb.TEST, Verb.RETEST_FAILED}), set=_add_variable, repeats=True),
    "--labels": _Option(verbs=frozenset({Verb.TEST, Verb.BUILD}), set=_set_labels),
}


def options_of(verb: Verb) -> tuple[str, ...]:
    """The names of a verb's options."""
    return tuple(name for name, option in OPTIONS.items() if verb in option.verbs)


def usage(verb: Verb) -> str:
    """How a command with this verb is written, for the help."""
    samples = {"--identifier": "ID", "--target": "CHROOT", "--env": "NAME=value", "--labels": "one,two"}
    parts = [PREFIX, str(verb), *(["LOGIN"] if verb in _ARGUMENTS else [])]
    return " ".join([*parts, *(f"[{name} {samples[name]}]" for name in options_of(verb))])


def _option(verb: Verb, name: str) -> _Option:
    option = OPTIONS.get(name)
    if option is not None and verb in option.verbs:
        return option
    nearest = difflib.get_close_matches(name[:40], options_of(verb), n=1, cutoff=0.5)
    raise _Wrong(f"{verb} has no option {_shown(name)}", nearest[0] if nearest else None)


def _shown(word: str) -> str:
    return repr(word if len(word) <= 60 else word[:59] + "…")
