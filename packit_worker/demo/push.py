"""Tales of what is no pull request: a push to a branch, and a release."""

from __future__ import annotations

from collections.abc import Callable

from packit_worker.demo.stage import Stage
from packit_worker.demo.tale import CHROOTS, REPOSITORY, SPEC, Step, Tale, approve, concluded, has, post

CONFIG = """\
specfile_path: hello.spec
jobs:
  - job: copr_build
    trigger: {trigger}
    targets: [fedora-stable]
"""
BUILDS = [f"rpm-build:{chroot}" for chroot in CHROOTS]


def _commit(stage: Stage, trigger: str) -> str:
    """alice pushes to the main branch of acme/hello, whose account is approved. The new commit."""
    github = stage.sandbox.github
    github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    files = {".packit.yaml": CONFIG.format(trigger=trigger), "hello.spec": SPEC}
    sha: str = github.push(REPOSITORY, branch="main", files=files)
    approve(stage, "acme")
    stage.remember("sha", sha)
    return sha


def _push(stage: Stage) -> list[str]:
    _commit(stage, "commit")
    return [post(stage, stage.sandbox.github.webhook("push", repository=REPOSITORY, branch="main"))]


def _release(stage: Stage) -> list[str]:
    _commit(stage, "release")
    stage.sandbox.github.add_release(REPOSITORY, "1.0", name="The first", author="alice")
    webhook = stage.sandbox.github.webhook(
        "release", "published", repository=REPOSITORY, tag="1.0", sender="alice"
    )
    return [post(stage, webhook)]


def _steps(event: str, task: str, handler: str) -> tuple[Step, ...]:
    return (
        Step("delivery accepted", has("received", f"github {event}")),
        Step(task, has("event", task)),
        Step("handler found", has("decision", handler, "run")),
        Step("Copr build ordered", has("effect", "copr_build")),
        Step("Copr end message per chroot", has("received", "copr.build.end"), len(CHROOTS)),
        Step("builds green", has("check", "rpm-build", "success"), len(CHROOTS)),
    )


_GREEN: Callable[[Stage], list[str]] = lambda stage: concluded(stage, stage.recall("sha"), "success", BUILDS)  # noqa: E731

PUSH = Tale(
    name="push",
    about="New commits on a branch are built in Copr, in a project of that branch.",
    begin=_push,
    steps=_steps("push", "task.process_push_GH_event", "PushCoprBuildHandler"),
    outside=_GREEN,
)

RELEASE = Tale(
    name="release",
    about="A release is built in Copr at its tag.",
    begin=_release,
    steps=_steps("release", "task.process_release_event", "ReleaseCoprBuildHandler"),
    outside=_GREEN,
)
