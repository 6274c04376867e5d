"""Text of strangers made harmless in Markdown: no mention, no link, no HTML, no end of a code block."""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~&@])")
#: A zero-width space behind an at-sign: the forge sees no account name, people see no difference.
_NO_MENTION = "@\u200b"


def plain(text: str, limit: int = 300) -> str:
    """One line of text in which nothing has a meaning in Markdown, cut at ``limit`` characters."""
    line = " ".join(_printable(text).split())
    if len(line) > limit:
        line = line[: limit - 1] + "…"
    return _SPECIAL.sub(r"\\\1", line).replace("\\@", _NO_MENTION)


def code(text: str, limit: int = 200) -> str:
    """One line of text as code within a line, cut at ``limit`` characters."""
    line = " ".join(_printable(text).split()).replace("`", "'")
    return f"`{line if len(line) <= limit else line[: limit - 1] + '…'}`"


def code_block(text: str, limit: int = 4000) -> str:
    """A block of preformatted text, cut at ``limit`` characters; its fence is longer than any inside."""
    body = _printable(text, keep="\n\t")
    if len(body) > limit:
        body = body[: limit - 1] + "…"
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{body}\n{fence}"


def _printable(text: str, keep: str = "") -> str:
    """Without control characters and those that turn the direction of text."""
    return "".join(
        character if character in keep or unicodedata.category(character) not in ("Cc", "Cf", "Cs") else " "
        for character in text
    )
