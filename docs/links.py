"""A hook of mkdocs: what a page links to outside of ``docs/`` is no part of the site, and is named there instead."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **kwargs: Any) -> str:
    """The page with the links that leave ``docs/`` turned into the paths they lead to, in the source tree."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def named(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[2]))
        if path.startswith("docs/"):
            return link[0]
        text, place = link[1], f"`{path}`"
        return place if path in text else f"{text} ({place})"

    return _LINK.sub(named, markdown)
