"""What comments are answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from packit_worker.reporting.markdown import code, plain
from packit_worker.reporting.words import sentence

#: Characters of what a configuration wants said.
FAILURE_LIMIT = 2000


def mistake(line: str, message: str, nearest: str | None) -> str:
    """A line of a comment that looks like a command and is none."""
    where = f"{code(line)}: " if line else ""
    hint = f" Did you mean {code(nearest)}?" if nearest else ""
    return f"{where}{sentence(message)}{hint} {code('/packit help')} lists what may be asked for."


def comment_refused(reason: str, next_step: str | None) -> str:
    """What a comment asks for may not be done."""
    return sentence(reason) + (f" {plain(next_step, 600)}" if next_step else "")


def comment_idle(verb: str, why: str) -> str:
    """What a comment asks for comes to nothing."""
    return f"Nothing is done for {code(f'/packit {verb}')}: {plain(why, 600)}."


def place(family: str) -> str:
    """Where a command can be given, by the family of the event."""
    return {"PullRequestComment": "a pull request", "IssueComment": "an issue"}.get(family, "another place")


def only_there(places: Sequence[str]) -> str:
    """A command in the wrong place."""
    return f"it is for a comment on {' or '.join(places)}"


def help_text(login: str, allowed: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> str:
    """What an account may ask for, and what only others may. Each command is its usage and what it does."""
    parts = [f"{plain(login)} may run here:", *(_listed(allowed))] if allowed else []
    if others:
        who = "Those with write or admin permission in the project may run here:"
        parts += [*([""] if parts else []), who, *_listed(others)]
    return "\n".join([*parts, "", "One command a line; each line begins with `/packit`."])


def failure(message: str, values: Mapping[str, str]) -> str:
    """What a configuration wants said of a failure: its own words, mentions and links are the point of them.

    ``values``: what names in curly brackets stand for; others stay as they are. No comment of HTML can be in it: by
    these we know our own.
    """
    text = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), message[:FAILURE_LIMIT])
    return text.replace("<!--", "&lt;!--").strip()


def _listed(commands: Sequence[tuple[str, str]]) -> list[str]:
    return ["", *(f"* {code(usage)} – {plain(about)}" for usage, about in commands)]


def check_as_comment(name: str, commit_sha: str, title: str, summary: str, url: str | None) -> str:
    """How a check went, where a forge lets us show none. ``title`` and ``summary`` are words of ours."""
    more = f"[Details]({url})" if url else ""
    head = f"{code(name)} at {code(commit_sha[:12])}: {plain(title)}"
    return "\n\n".join(part for part in (head, summary, more) if part)
