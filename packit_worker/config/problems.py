"""What is wrong with a configuration, and where: collected, with the place in the file and the nearest known word.

For the readers in this folder; `PackageConfigError` and `Problem` are handed on by `package`.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple, Self

from packit_worker.config.loading import Document, Path
from packit_worker.errors import UserError

MAX_PROBLEMS = 100
_SHOWN = 5  # problems in one line of text


class Problem(NamedTuple):
    """One thing to correct.

    ``dotted`` is like `jobs[1].targets`, empty for the file as a whole; ``line`` and ``column`` count from 1;
    ``nearest`` is the known key or value that was probably meant.
    """

    dotted: str
    message: str
    line: int | None = None
    column: int | None = None
    nearest: str | None = None


class Hint(str):
    """A message about an unknown ``word`` that travels through marshmallow.

    What to do is added only to those that are told: looking for the nearest of the ``known`` words takes time, and a
    file can hold thousands of others.
    """

    word: object
    known: Iterable[str]
    otherwise: str

    def __new__(cls, message: str, word: object, known: Iterable[str], otherwise: str) -> Self:
        """``otherwise`` is said where no known word is near; empty if the message says it all."""
        hint = super().__new__(cls, message)
        hint.word, hint.known, hint.otherwise = word, known, otherwise
        return hint


class PackageConfigError(UserError):
    """The package configuration cannot be used: the first problem as attributes, all of them in ``problems``."""

    def __init__(self, path: str, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        first = self.problems[0]
        self.message = first.message
        self.dotted = first.dotted
        self.line = first.line
        self.column = first.column
        self.nearest = first.nearest
        super().__init__(self._line(), next_step=f"Correct {path} and push again.")

    def _line(self) -> str:
        """Everything in one readable line."""
        shown = [sentence(self.path, problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            shown.append(f"and {len(self.problems) - _SHOWN} more")
        return " ".join("; ".join(shown).split())

    def __reduce__(self) -> tuple[type[PackageConfigError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.path, self.problems)


class Problems:
    """The problems found in one reading of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: dict[tuple[str, str], Problem] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, message: str) -> None:
        """Note a problem at ``path``; the same one twice counts once."""
        key = dotted(path), str(message)
        if key in self._found or len(self._found) >= MAX_PROBLEMS:
            return
        close = None
        if isinstance(message, Hint):
            close = nearest(message.word, message.known)
            if message.otherwise:
                message = f"{message}: {f'did you mean {close}?' if close else message.otherwise}"
        line, column = self._document.locate(path)
        self._found[key] = Problem(key[0], str(message), line, column, close)

    def add_tree(self, base: Path, tree: Any, places: Mapping[Hashable, Path] | None = None) -> None:
        """Note marshmallow's tree of messages for the mapping at ``base``; ``places`` is for keys written elsewhere."""
        if isinstance(tree, dict):
            for key, branch in tree.items():
                here = base if key == "_schema" else (places or {}).get(key, (*base, key))
                self.add_tree(here, branch)
        elif isinstance(tree, list):
            for message in tree:
                self.add_tree(base, message)
        else:
            self.add(base, tree)

    def sorted(self) -> tuple[Problem, ...]:
        """In the order of the file."""
        return tuple(sorted(self._found.values(), key=lambda found: (found.line or 0, found.column or 0)))


def dotted(path: Path) -> str:
    """A path the way people write it: `jobs[1].targets`."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in path)
    return words.removeprefix(".")


def shown(word: object) -> str:
    """A key or value of the file, fit for one line of text: short and without control characters."""
    text = "".join(char if char.isprintable() else "?" for char in str(word))
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that is most like ``word``, or None when none is alike."""
    if not isinstance(word, str):
        return None
    plain = word.lower().replace("-", "_")[:100]
    by_plain = {name.lower().replace("-", "_"): name for name in known}
    close = difflib.get_close_matches(plain, by_plain, n=1, cutoff=0.6)
    return by_plain[close[0]] if close else None


def sentence(path: str | None, problem: Problem) -> str:
    """A problem of the file ``path`` in words, with its place first."""
    place = ":".join(str(part) for part in (path, problem.line, problem.column) if part is not None)
    return ": ".join(part for part in (place, problem.dotted, problem.message) if part)
