"""The tale of a merge request on GitLab: built, tested, and shown in its pipeline."""

from __future__ import annotations

import requests

from packit_worker.demo.pull_request import BUILDS, CONFIG, TESTS
from packit_worker.demo.stage import Stage
from packit_worker.demo.tale import CHROOTS, SPEC, Step, Tale, approve, has
from packit_worker.journal import hooks

GROUP = "acme/tools"
PROJECT = f"{GROUP}/hello"


def _merge_request(stage: Stage) -> list[str]:
    gitlab = stage.sandbox.gitlab
    members = {"alice": 40, "packit": 30}
    project = gitlab.add_project(PROJECT, members=members)
    with stage.journal.write() as session:
        hooks.add(session, stage.settings.gitlab.instances[0].url, GROUP, project.hook_token, by="demo")
    approve(stage, GROUP)
    files = {".packit.yaml": CONFIG, "hello.spec": SPEC}
    opened = gitlab.open_merge_request(
        PROJECT, author="alice", files=files, title="Say hello", branch="hello", fork=False
    )
    stage.remember("sha", opened.sha)
    page = f"{stage.settings.gitlab.instances[0].url}/{PROJECT}/-/merge_requests/{opened.iid}"
    stage.announce("merge request", page)
    hook = gitlab.webhook("Merge Request Hook", project=PROJECT, merge_request=opened.iid)
    answer = requests.post(
        f"{stage.web_url}/api/webhooks/gitlab", data=hook.body.encode(), headers=hook.headers, timeout=10
    )
    answer.raise_for_status()
    return [str(answer.json()["delivery"])]


def _outside(stage: Stage) -> list[str]:
    shown = {
        status.name.rpartition("/")[2]: status.status
        for status in stage.sandbox.gitlab.statuses(PROJECT, stage.recall("sha"))
    }
    return [f"{name} is a success on GitLab" for name in BUILDS + TESTS if shown.get(name) != "success"]


GITLAB = Tale(
    name="gitlab",
    about="A merge request on GitLab is built in Copr and tested in Testing Farm; its pipeline shows how it went.",
    begin=_merge_request,
    steps=(
        Step("hook accepted", has("received", "gitlab Merge Request Hook")),
        Step(
            "task.process_merge_request_gitlab_event", has("event", "task.process_merge_request_gitlab_event")
        ),
        Step("handler found", has("decision", "PullRequestCoprBuildHandler", "run")),
        Step("Copr build ordered", has("effect", "copr_build")),
        Step("builds green", has("check", "rpm-build", "success"), len(CHROOTS)),
        Step("tests green", has("check", "testing-farm", "success"), len(CHROOTS)),
    ),
    outside=_outside,
)
