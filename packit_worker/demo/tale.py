"""What a tale of the demo is: something happens, and these steps have to be in its story."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import requests

from packit_worker.demo.narrator import Narrator
from packit_worker.demo.stage import Stage
from packit_worker.journal import accounts, story
from packit_worker.journal.accounts import Approval
from packit_worker.journal.story import Entry

#: How often the journal is read, in seconds.
INTERVAL = 0.15

REPOSITORY = "acme/hello"
CHROOTS = ("fedora-43-x86_64", "fedora-44-x86_64")
SPEC = "Name: hello\nVersion: 1.0\nRelease: 1\nSummary: Says hello\nLicense: MIT\n%description\nSays hello.\n"

#: Does something with the stage; returns the ids of the deliveries whose stories are told.
Beginning = Callable[[Stage], list[str]]
#: What is missing outside, in words; empty when all is as it should be.
Outside = Callable[[Stage], list[str]]


@dataclass(frozen=True)
class Step:
    """Something that has to be in the story: ``found`` says whether an entry tells it; it takes ``times`` of them."""

    name: str
    found: Callable[[Entry], bool]
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Tale:
    """A tale: its name on the command line, a line about it, how it begins, and what it must come to.

    ``needs`` says what this machine would have to have for it.
    """

    name: str
    about: str
    begin: Beginning
    steps: Sequence[Step]
    outside: Outside
    needs: Callable[[], list[str]] = list


class Posted(Protocol):
    """A webhook as the sandbox signs it."""

    id: str
    headers: dict[str, str]
    body: str


def tell(tale: Tale, stage: Stage, narrator: Narrator, *, timeout: float) -> list[str]:
    """Tell a tale. Returns what is missing; an empty list is success."""
    ids = tale.begin(stage)
    entries: list[Entry] = []
    told: set[tuple[object, ...]] = set()
    deadline = time.monotonic() + timeout
    missing = ["everything"]
    while missing and time.monotonic() < deadline:
        for entry in _news(stage, ids, told):
            narrator.tell(entry)
            entries.append(entry)
        missing = [step.name for step in tale.steps if sum(map(step.found, entries)) < step.times]
        missing += [] if missing else tale.outside(stage)
        if missing:
            time.sleep(INTERVAL)
    return missing


def _news(stage: Stage, ids: Iterable[str], told: set[tuple[object, ...]]) -> list[Entry]:
    """The entries of the stories that have not been told, in the order of time."""
    with stage.journal.read() as session:
        stories = [story.of_delivery(session, id) for id in ids]
    news = []
    for entry in sorted(
        (entry for each in stories if each for entry in each.entries), key=lambda entry: entry.at
    ):
        key = (entry.at, entry.kind, entry.title, entry.text)
        if key not in told:
            told.add(key)
            news.append(entry)
    return news


def has(kind: str, *words: str) -> Callable[[Entry], bool]:
    """Whether an entry is of this kind and holds these words."""
    return lambda entry: entry.kind == kind and all(word in f"{entry.title} {entry.text}" for word in words)


def is_pending(kind: str) -> Callable[[Entry], bool]:
    """A check that shows that it waits or runs; of two such states that follow closely only the newer is shown."""
    waits, runs = has("check", kind, "queued:"), has("check", kind, "in_progress:")
    return lambda entry: waits(entry) or runs(entry)


def post(stage: Stage, delivery: Posted) -> str:
    """GitHub delivers a webhook. Returns the delivery's id. Raises requests.HTTPError when it is refused."""
    answer = requests.post(
        f"{stage.web_url}/api/webhooks/github",
        data=delivery.body.encode(),
        headers=delivery.headers,
        timeout=10,
    )
    answer.raise_for_status()
    return delivery.id


def approve(stage: Stage, account: str) -> None:
    """What an operator does once per account: ``packit-worker allowlist approve FORGE ACCOUNT``."""
    with stage.journal.write() as session:
        accounts.change(
            session, stage.forge, account, Approval.APPROVED_MANUALLY, by="demo", why="to show what follows"
        )


def concluded(stage: Stage, sha: str, conclusion: str, names: Iterable[str]) -> list[str]:
    """Which of these checks the forge does not show with this conclusion."""
    shown = {check.name: check.conclusion for check in stage.sandbox.github.checks(REPOSITORY, sha)}
    return [f"{name} is {conclusion} on the forge" for name in names if shown.get(name) != conclusion]
