"""Tales of pull requests: all well, and a build that fails."""

from __future__ import annotations

from packit_worker.demo.stage import Stage
from packit_worker.demo.tale import (
    CHROOTS,
    REPOSITORY,
    SPEC,
    Step,
    Tale,
    approve,
    concluded,
    has,
    is_pending,
    post,
)

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
BUILDS = [f"rpm-build:{chroot}" for chroot in CHROOTS]
TESTS = [f"testing-farm:{chroot}" for chroot in CHROOTS]

ORDERED = (
    Step("delivery accepted", has("received", "pull_request")),
    Step("task.parse_message", has("parsed", "task.parse_message")),
    Step("task.process_pull_request_GH_event", has("event", "task.process_pull_request_GH_event")),
    Step("checks decided", has("decision", "PullRequestCoprBuildHandler")),
    Step("Copr build ordered", has("effect", "copr_build")),
    Step("builds pending on the pull request", is_pending("rpm-build"), len(CHROOTS)),
    Step("tests pending on the pull request", is_pending("testing-farm"), len(CHROOTS)),
    Step("Copr start message per chroot", has("received", "copr.build.start"), len(CHROOTS)),
    Step("Copr end message per chroot", has("received", "copr.build.end"), len(CHROOTS)),
)


def open_pull_request(stage: Stage) -> list[str]:
    """alice opens a pull request in acme/hello, whose account is approved."""
    github = stage.sandbox.github
    github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    files = {".packit.yaml": CONFIG, "hello.spec": SPEC}
    pull = github.open_pull_request(REPOSITORY, author="alice", files=files, title="Say hello")
    approve(stage, "acme")
    stage.remember("sha", pull.head_sha)
    stage.announce("pull request", f"{stage.settings.github.web_url}/{REPOSITORY}/pull/{pull.number}")
    webhook = github.webhook("pull_request", "opened", repository=REPOSITORY, pull_request=pull.number)
    return [post(stage, webhook)]


def _failing(stage: Stage) -> list[str]:
    for chroot in CHROOTS:
        stage.sandbox.copr.set_outcome(chroot, "failed")
    return open_pull_request(stage)


PULL_REQUEST = Tale(
    name="pr",
    about="A pull request is built in Copr, tested in Testing Farm, and its checks turn green.",
    begin=open_pull_request,
    steps=(
        *ORDERED,
        Step("Testing Farm request per chroot", has("effect", "test_request"), len(CHROOTS)),
        Step("Testing Farm call-back per chroot", has("received", "testing-farm"), len(CHROOTS)),
        Step("builds green", has("check", "rpm-build", "success"), len(CHROOTS)),
        Step("tests green", has("check", "testing-farm", "success"), len(CHROOTS)),
    ),
    outside=lambda stage: concluded(stage, stage.recall("sha"), "success", BUILDS + TESTS),
)

FAILURE = Tale(
    name="failure",
    about="The packages of a pull request cannot be built: its checks say so, and where the log is.",
    begin=_failing,
    steps=(
        *ORDERED,
        Step("builds failed", has("check", "rpm-build", "failure"), len(CHROOTS)),
        Step(
            "tests told that there is nothing to test", has("check", "testing-farm", "failure"), len(CHROOTS)
        ),
    ),
    outside=lambda stage: concluded(stage, stage.recall("sha"), "failure", BUILDS + TESTS),
)
