"""The story of the main job: a pull request is opened, built and tested, and its checks turn green."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import requests

from packit_worker.demo.narrator import Narrator, follow
from packit_worker.demo.stage import Stage
from packit_worker.journal import accounts, checks
from packit_worker.journal.accounts import Approval
from packit_worker.journal.story import Entry, Story
from packit_worker.ports import CheckStatus, Conclusion

REPOSITORY = "acme/hello"
CHROOTS = ("fedora-43-x86_64", "fedora-44-x86_64")
CONFIG = """\
specfile_path: hello.spec
jobs:
  - job: copr_build
    trigger: pull_request
    targets: [fedora-stable]
  - job: tests
    trigger: pull_request
    targets: [fedora-stable]
"""
SPEC = "Name: hello\nVersion: 1.0\nRelease: 1\nSummary: Says hello\nLicense: MIT\n%description\nSays hello.\n"


@dataclass(frozen=True)
class Step:
    """Something that has to be in the story: ``found`` says whether an entry tells it; it takes ``times`` of them."""

    name: str
    found: Callable[[Entry], bool]
    times: int = 1


def _has(kind: str, *words: str) -> Callable[[Entry], bool]:
    return lambda entry: entry.kind == kind and all(word in f"{entry.title} {entry.text}" for word in words)


def _is_pending(kind: str) -> Callable[[Entry], bool]:
    """A check that shows that it waits or runs; of two such states that follow closely only the newer is shown."""
    waits, runs = _has("check", kind, "queued:"), _has("check", kind, "in_progress:")
    return lambda entry: waits(entry) or runs(entry)


STEPS: Sequence[Step] = (
    Step("delivery accepted", _has("received", "pull_request")),
    Step("task.parse_message", _has("parsed", "task.parse_message")),
    Step("task.process_pull_request_GH_event", _has("event", "task.process_pull_request_GH_event")),
    Step("checks decided", _has("decision", "PullRequestCoprBuildHandler")),
    Step("Copr build ordered", _has("effect", "copr_build")),
    Step("builds pending on the pull request", _is_pending("rpm-build"), len(CHROOTS)),
    Step("tests pending on the pull request", _is_pending("testing-farm"), len(CHROOTS)),
    Step("Copr start message per chroot", _has("received", "copr.build.start"), len(CHROOTS)),
    Step("Copr end message per chroot", _has("received", "copr.build.end"), len(CHROOTS)),
    Step("Testing Farm request per chroot", _has("effect", "test_request"), len(CHROOTS)),
    Step("Testing Farm call-back per chroot", _has("received", "testing-farm"), len(CHROOTS)),
    Step("builds green on the pull request", _has("check", "rpm-build", "success"), len(CHROOTS)),
    Step("tests green on the pull request", _has("check", "testing-farm", "success"), len(CHROOTS)),
)


def play(stage: Stage, narrator: Narrator, *, timeout: float) -> list[str]:
    """Play it. Returns the steps that are missing; an empty list is success."""
    sandbox = stage.sandbox
    sandbox.github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    pull = sandbox.github.open_pull_request(
        REPOSITORY, author="alice", files={".packit.yaml": CONFIG, "hello.spec": SPEC}, title="Say hello"
    )
    with stage.journal.write() as session:
        # What an operator does once per account: packit-worker allowlist approve 127.0.0.1 acme
        accounts.change(
            session, "127.0.0.1", "acme", Approval.APPROVED_MANUALLY, by="demo", why="to show the main job"
        )
    narrator.say(f"pull request  {stage.settings.github.web_url}/{REPOSITORY}/pull/{pull.number}")
    narrator.say(f"web page      {stage.web_url}")
    delivery = sandbox.github.webhook(
        "pull_request", "opened", repository=REPOSITORY, pull_request=pull.number
    )
    answer = requests.post(
        f"{stage.web_url}/api/webhooks/github",
        data=delivery.body.encode(),
        headers=delivery.headers,
        timeout=10,
    )
    answer.raise_for_status()
    entries: list[Entry] = []
    for entry in follow(stage.journal, delivery.id, _is_over(stage, pull.head_sha), timeout):
        narrator.tell(entry)
        entries.append(entry)
    missing = [step.name for step in STEPS if sum(map(step.found, entries)) < step.times]
    shown = {check.name: check for check in sandbox.github.checks(REPOSITORY, pull.head_sha)}
    missing += [
        f"{name} is green on the forge"
        for name in _names()
        if name not in shown or shown[name].conclusion != Conclusion.SUCCESS
    ]
    return missing


def _names() -> list[str]:
    return [f"{kind}:{chroot}" for kind in ("rpm-build", "testing-farm") for chroot in CHROOTS]


def _is_over(stage: Stage, commit_sha: str) -> Callable[[Story], bool]:
    """All checks are completed, and the forge shows it."""

    def is_over(_: Story) -> bool:
        with stage.journal.read() as session:
            rows = checks.of_commit(session, f"{stage.settings.github.web_url}/{REPOSITORY}", commit_sha)
        return len(rows) >= len(_names()) and all(
            row.status == CheckStatus.COMPLETED and row.shown_version == row.version for row in rows
        )

    return is_over
