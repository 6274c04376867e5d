"""What a check shows, and what many texts are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import plain


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a check shows, without the check."""

    status: CheckStatus
    conclusion: Conclusion | None = None
    title: str
    summary: str = ""


#: Words that are the same wherever they are shown, or that say how it is done again there (``again``).
Saying = Words | Callable[[str], Words]


def said(saying: Saying, again: str) -> Words:
    """The words for a check that is run again so."""
    return saying if isinstance(saying, Words) else saying(again)


def queued(what: str) -> Words:
    """A run is planned."""
    return Words(status=CheckStatus.QUEUED, title=f"{what} will be started shortly.")


def sentence(text: str) -> str:
    """A stranger's or a check's words as a sentence."""
    shown = plain(text, 600)
    return capital(shown) + ("" if shown.endswith((".", "!", "?")) else ".")


def capital(text: str) -> str:
    """The same with a capital letter, to begin a sentence with."""
    return text[:1].upper() + text[1:]
