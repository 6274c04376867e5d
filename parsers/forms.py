"""What a value must look like before it becomes a fact. Standard library only; used by the parsers.

A form takes a value of a payload and returns the fact, or raises ``ValueError`` saying what is wrong. It never repeats
the value: that is somebody else's text, of any length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

#: SHA-1 or SHA-256, or the beginning of one.
_SHA = re.compile(r"[0-9a-fA-F]{4,64}")
_NAME = re.compile(r"[\w.+-]+", re.ASCII)
_NAMESPACE = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*", re.ASCII)
_LOGIN = re.compile(r"[^\s/\\]+")
_KEY = re.compile(r"[\w.-]{1,128}", re.ASCII)
#: No user and password, no query, no fragment: what is left names a page, and nothing else.
_PAGE = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[\w.~%+-]+)+", re.ASCII)
_SITE = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[\w.~%+-]+)*", re.ASCII)
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:[/?#][!-~]*)?", re.ASCII)
#: What git-check-ref-format(1) forbids, and a dash in front, which programs take for an option.
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$|/\.")
_ZEROS = re.compile(r"0+")
_LONGEST = 1024


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[Any], str]:
    def form(value: Any) -> str:
        text = _text(value)
        if not pattern.fullmatch(text) or not {".", ".."}.isdisjoint(text.split("/")):
            raise ValueError(f"is no {what}")
        return text

    return form


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"is {kind_of(value)}, not str")
    if not value:
        raise ValueError("is empty")
    if len(value) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    return value


#: Name of a repository.
name = _matching(_NAME, "name of a repository")
#: Owner of a repository; GitLab and Pagure may nest them.
namespace = _matching(_NAMESPACE, "namespace")
#: Name of an account; bots and accounts of other systems have brackets and colons in theirs.
login = _matching(_LOGIN, "name of an account")
#: Somebody's identifier, fit to be put into a URL.
key = _matching(_KEY, "identifier")
sha = _matching(_SHA, "SHA of a commit")
#: Any address that may be shown as a link.
link = _matching(_LINK, "web address")
_page = _matching(_PAGE, "address of a project's page")
_site = _matching(_SITE, "address of a forge")


def page(value: Any) -> str:
    """The web page of a project, without a trailing slash and without ``.git``."""
    return _page(_text(value).rstrip("/").removesuffix(".git"))


def site(value: Any) -> str:
    """The address of a forge, without a trailing slash."""
    return _site(_text(value).rstrip("/"))


def ref(value: Any) -> str:
    """The name of a branch or tag."""
    text = _text(value)
    if _NO_REF.search(text):
        raise ValueError("is no name of a branch or tag")
    return text


def branch(value: Any) -> str:
    """The name of a branch, which comes with or without ``refs/heads/``."""
    return ref(_text(value).removeprefix("refs/heads/"))


def number(value: Any) -> int:
    """The number of something that a service counts: a pull request, a build."""
    if type(value) is not int:
        raise ValueError(f"is {kind_of(value)}, not int")
    if not 0 < value < 2**63:
        raise ValueError("is no number of anything: it must be positive and fit into 64 bits")
    return value


def moment(value: Any) -> str | None:
    """A point in time as ISO text in UTC; None for text that tells no time.

    Services write seconds since the epoch (Pagure as text) and ISO times with a zone; Koji used to leave out the zone.
    No event is lost because of a time that nobody can read.
    """
    if type(value) not in (int, float, str):
        raise ValueError(f"is {kind_of(value)}, no point in time")
    try:
        if isinstance(value, str) and not re.fullmatch(r"\d{1,12}", value, re.ASCII):
            read = datetime.fromisoformat(value)
        else:
            read = datetime.fromtimestamp(float(value), UTC)
        read = read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return read.isoformat().replace("+00:00", "Z")


def is_zeros(commit: str) -> bool:
    """Whether this is the SHA of no commit: what comes before the first push, and after a deletion."""
    return _ZEROS.fullmatch(commit) is not None


def kind_of(value: Any) -> str:
    """The type of a value, in the words of JSON's readers."""
    return "null" if value is None else type(value).__name__
