"""The tale of a comment: a stranger's pull request waits until a maintainer says /packit build."""

from __future__ import annotations

import time

from packit_worker.demo.pull_request import BUILDS, CONFIG, TESTS
from packit_worker.demo.stage import Stage
from packit_worker.demo.tale import CHROOTS, REPOSITORY, SPEC, Step, Tale, approve, concluded, has, post


def _comment(stage: Stage) -> list[str]:
    github = stage.sandbox.github
    github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    files = {".packit.yaml": CONFIG, "hello.spec": SPEC}
    pull = github.open_pull_request(REPOSITORY, author="stranger", files=files, title="Say hello")
    approve(stage, "acme")
    stage.remember("sha", pull.head_sha)
    stage.announce("pull request", f"{stage.settings.github.web_url}/{REPOSITORY}/pull/{pull.number}")
    opened = github.webhook("pull_request", "opened", repository=REPOSITORY, pull_request=pull.number)
    ids = [post(stage, opened)]
    deadline = time.monotonic() + 20
    while concluded(stage, pull.head_sha, "action_required", BUILDS + TESTS) and time.monotonic() < deadline:
        time.sleep(0.1)  # alice reads the checks before she answers
    comment = github.add_comment(REPOSITORY, pull.number, "/packit build", author="alice")
    commented = github.webhook(
        "issue_comment", "created", repository=REPOSITORY, pull_request=pull.number, comment=comment.id
    )
    return [*ids, post(stage, commented)]


COMMENT = Tale(
    name="comment",
    about="A stranger's pull request waits: its checks say for whom. A maintainer comments /packit build.",
    begin=_comment,
    steps=(
        Step("pull request accepted", has("received", "github pull_request")),
        Step("author may not build", has("decision", "PullRequestCoprBuildHandler", "refused")),
        Step("checks say what to do", has("check", "action_required"), len(BUILDS + TESTS)),
        Step("comment accepted", has("received", "github issue_comment")),
        Step(
            "task.process_pull_request_comment_GH_event",
            has("event", "task.process_pull_request_comment_GH_event"),
        ),
        Step("command understood", has("decision", "GitHubPullRequestCommentCoprBuildHandler", "run")),
        Step("Copr build ordered", has("effect", "copr_build")),
        Step("builds green", has("check", "rpm-build", "success"), len(CHROOTS)),
        Step("tests green", has("check", "testing-farm", "success"), len(CHROOTS)),
    ),
    outside=lambda stage: concluded(stage, stage.recall("sha"), "success", BUILDS + TESTS),
)
